"""Numbers beside the pictures, and what is drawn, against plain loops."""
import json
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from gssl_mm.apis import NotAnImageError
from gssl_mm.engine.errors import ArchitectureMismatchError
from gssl_mm.tooling.errors import (
    CheckpointFileError,
    ConfigFileError,
    UnknownConfigKeyError,
)
from gssl_mm.visualization import (
    FigureFormatError,
    MissingExtraError,
    SampleError,
    calibration,
    confusion_matrix,
    grad_cam,
    knn_accuracy,
    load_all,
    load_trained,
    model_maps,
    model_outputs,
    overlay,
    plot_cam_grid,
    plot_class_counts,
    plot_confusion,
    plot_embeddings,
    plot_reliability,
    read_class_counts,
    silhouette,
)
from gssl_mm.visualization.embedding import embed_features
from gssl_mm.visualization.samples import (
    from_dataset,
    from_files,
    labels_of,
    one_per_class,
    plain_dataset,
    stratified,
)
from gssl_mm.visualization.tool_arguments import plain_numbers


def clouds(count=12, spread=.1):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), count)
    centres = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.]])
    return centres[labels] + spread * rng.normal(size=(3 * count, 3)), labels


def test_neighbours_by_a_loop():
    points, labels = clouds(spread=.6)
    hits = 0
    for i, point in enumerate(points):
        distance = ((points - point)**2).sum(1)
        distance[i] = np.inf
        near = labels[np.argsort(distance)[:5]].tolist()
        best = max(near.count(c) for c in near)
        vote = next(c for c in near if near.count(c) == best)
        hits += vote == labels[i]
    assert knn_accuracy(points, labels, 5) == pytest.approx(
        100 * hits / len(labels))
    assert knn_accuracy(*clouds(spread=.01), 11) == 100
    # All other samples vote, and each class is short of the one left out
    assert knn_accuracy(*clouds(spread=.01), 99) == 0


def test_silhouette_and_embedding():
    pytest.importorskip('sklearn')
    points, labels = clouds()
    by_hand = []
    for i in range(len(points)):
        away = np.sqrt(((points - points[i])**2).sum(1))
        own = away[(labels == labels[i]) & (np.arange(len(points)) != i)]
        others = [away[labels == c].mean() for c in {0, 1, 2} - {labels[i]}]
        by_hand.append((min(others) - own.mean()) / max(min(others),
                                                        own.mean()))
    features = torch.from_numpy(points).float()
    logits = torch.nn.functional.one_hot(torch.from_numpy(labels)).float()
    truth = torch.from_numpy(labels)
    found = embed_features('a', features, logits, truth)
    assert found.numbers['silhouette'] == pytest.approx(np.mean(by_hand),
                                                        abs=1e-5)
    assert found.numbers['top1'] == 100
    again = embed_features('a', features, logits, truth)
    assert np.array_equal(found.points, again.points)
    with pytest.raises(SampleError, match='4 samples'):
        embed_features('a', features[:3], logits[:3], truth[:3])


def test_confusions_by_a_loop(tmp_path):
    truth, predicted = torch.randint(0, 4, (2, 50))
    expected = np.zeros((4, 4), int)
    for t, p in zip(truth, predicted, strict=True):
        expected[t, p] += 1
    counts = confusion_matrix(truth, predicted, 4)
    assert np.array_equal(counts, expected)
    with pytest.raises(SampleError, match='other data'):
        confusion_matrix(truth, predicted, 2)
    png, svg = plot_confusion({'a': counts, 'b': counts}, 'abcd',
                              tmp_path / 'c.svg')
    assert png.stat().st_size > 5000 and svg.suffix == '.svg'


def test_calibration_is_the_metrics(tmp_path):
    logits, labels = torch.randn(200, 3), torch.randint(0, 3, (200, ))
    bins, numbers = calibration(logits, labels, 5)
    sure, chosen = logits.double().softmax(1).max(1)
    error = 0.
    for m in range(5):
        inside = (sure > m / 5) & (sure <= (m + 1) / 5)
        if inside.any():
            right = (chosen == labels)[inside].double().mean()
            error += inside.double().mean() * (
                right - sure[inside].mean()).abs()
    assert numbers['ece'] == pytest.approx(100 * float(error), abs=1e-3)
    assert bins['count'].sum() == 200
    assert plot_reliability({'a': bins}, tmp_path / 'r.png',
                            {'a': numbers})[0].stat().st_size > 5000


def test_outputs_are_the_models(trained):
    images = torch.randint(0, 256, (5, 3, 32, 32), dtype=torch.uint8)
    features, logits = model_outputs(trained, images, batch_size=2)
    plain = (images.float() - torch.tensor([125., 120., 110.])[:, None, None]
             ) / 60
    feats = trained.model.backbone(plain)[-1].mean((2, 3))
    torch.testing.assert_close(features, feats.detach(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        logits, trained.model.head.primary.fc(feats).detach(), atol=1e-4,
        rtol=1e-4)


def test_samples_are_the_data(trained):
    dataset = plain_dataset(trained.cfg)
    labels = labels_of(dataset)
    picked = stratified(labels, 2, seed=3)
    assert sorted(labels[picked]) == sorted(list(range(10)) * 2)
    assert picked == stratified(labels, 2, seed=3) != stratified(labels, 2, 4)
    assert labels[one_per_class(labels, 4)].tolist() == [0, 1, 2, 3]
    samples = from_dataset(dataset, picked)
    assert samples.labels.tolist() == labels[picked].tolist()
    swapped = from_dataset(dataset, picked, to_rgb=True)
    assert torch.equal(samples.images.flip(1), swapped.images)
    for wrong in ([30], [-1], []):
        with pytest.raises(SampleError, match='0 to 29'):
            from_dataset(dataset, wrong)
    with pytest.raises(SampleError, match='at least 1'):
        stratified(labels, 0)


def test_files_are_rgb(tmp_path):
    red = np.zeros((20, 20, 3), np.uint8)
    red[..., 0] = 255
    Image.fromarray(red).save(tmp_path / 'a.png')
    samples = from_files([tmp_path], size=8)
    assert samples.images.shape == (1, 3, 8, 8)
    assert samples.images[0, 0].eq(255).all()
    assert samples.images[0, 1:].eq(0).all()
    Image.fromarray(red[:10]).save(tmp_path / 'b.png')
    with pytest.raises(SampleError, match='--size'):
        from_files([tmp_path])
    (tmp_path / 'c.png').write_text('no image')
    with pytest.raises(NotAnImageError, match='c.png'):
        from_files([tmp_path / 'c.png'], 8)


def test_grid_of_models(tmp_path, trained, run_dir, other_dir):
    pytest.importorskip('pytorch_grad_cam')
    samples = from_dataset(plain_dataset(trained.cfg), [0, 7])
    models = load_all([f'a={run_dir}', str(other_dir)])
    assert [m.name for m in models] == ['a', other_dir.name]
    found = [model_maps(m, samples.images, method) for m, method in zip(
        models, ('gradcam', 'cam'), strict=True)]
    assert found[0].maps.shape == (2, 32, 32)
    plain = overlay(samples.images, found[0].maps, image_weight=1.)
    assert np.array_equal(plain, samples.images.permute(0, 2, 3, 1).numpy())
    half = overlay(samples.images * 0, torch.ones(2, 32, 32), 'viridis', .5)
    assert half[0, 0, 0].tolist() == [127, 116, 18]  # half of its last colour
    files = plot_cam_grid(samples, found, tmp_path / 'grid.png')
    assert all(file.stat().st_size > 5000 for file in files)
    with pytest.raises(ValueError, match='colour map'):
        overlay(samples.images, found[0].maps, 'rainbows')
    with pytest.raises(ValueError, match='method'):
        model_maps(trained, samples.images, 'gardcam')
    with pytest.raises(ValueError, match='for gradcam'):
        model_maps(trained, samples.images, 'cam', None, 'backbone.layer2')


def test_embeddings_are_drawn(tmp_path, trained):
    pytest.importorskip('sklearn')
    from gssl_mm.visualization import embed
    samples = from_dataset(plain_dataset(trained.cfg), range(30))
    found = embed(trained, samples)
    assert plot_embeddings([found] * 3, samples, tmp_path / 'e.png')[
        0].stat().st_size > 5000
    samples.labels = None
    with pytest.raises(SampleError, match='labels'):
        embed(trained, samples)


def test_class_counts(tmp_path, trained):
    names, counts = read_class_counts(trained.cfg)
    # 8 images of the largest class, a quarter of it in the smallest
    assert len(names) == 10 and counts[0] == 8 and counts[-1] == 2
    files = plot_class_counts({'a': counts, 'b': [1, 200, 30]},
                              tmp_path / 'n', log=True)
    assert all(file.stat().st_size > 2000 for file in files)


def test_options_change_the_model(run_dir):
    plain, wide = (load_trained(str(run_dir), options=options) for options in (
        None, {'model.data_preprocessor.mean': [0., 0., 0.],
               'model.head.primary.cal_acc': True}))
    assert not plain.model.head.primary.cal_acc
    assert wide.model.head.primary.cal_acc
    images = torch.full((1, 3, 32, 32), 60, dtype=torch.uint8)
    assert torch.allclose(wide.prepare(images), torch.ones(1, 3, 32, 32))
    named = load_trained('gssl_demo', options={
        'data_preprocessor.mean': [60.] * 3})
    assert named.prepare(images).abs().max() == 0
    with pytest.raises(ArchitectureMismatchError):
        load_trained(str(run_dir), options={'model.backbone.depth': 14})
    with pytest.raises(UnknownConfigKeyError, match='dpeth'):
        load_trained(str(run_dir), options={'model.backbone.dpeth': 14})


def test_models_that_are_not_there(tmp_path, run_dir):
    with pytest.raises(ConfigFileError, match='no work dir'):
        load_trained('no/such/folder')
    with pytest.raises(ConfigFileError, match='no config of a run'):
        load_trained(str(tmp_path))
    with pytest.raises(CheckpointFileError, match='no best checkpoint'):
        load_trained(str(run_dir), 'best')
    config = next(run_dir.glob('*/vis_data/config.py'))
    with pytest.raises(CheckpointFileError, match='no such'):
        load_trained(f'{config},{tmp_path}/x.pth')


def test_formats_and_names(tmp_path):
    with pytest.raises(FigureFormatError, match='pdf'):
        plot_class_counts({'a': [1, 2]}, tmp_path / 'n.pdf')
    # A dot in the name is no suffix
    files = plot_class_counts({'a': [1, 2]}, tmp_path / 'lt-r0.02')
    assert [f.name for f in files] == ['lt-r0.02.png', 'lt-r0.02.svg']


def test_a_package_that_is_not_installed(monkeypatch, trained):
    monkeypatch.setitem(sys.modules, 'sklearn', None)
    monkeypatch.setitem(sys.modules, 'pytorch_grad_cam', None)
    points, labels = clouds()
    with pytest.raises(MissingExtraError, match=r'scikit-learn.*\[vis\]'):
        silhouette(points, labels)
    with pytest.raises(MissingExtraError, match='grad-cam'):
        grad_cam(trained.model, torch.rand(1, 3, 32, 32))
    assert not trained.model.backbone._forward_hooks


def test_json_has_no_nan():
    text = json.dumps(plain_numbers(dict(a=[float('nan'), 1.], b=(2, ))))
    assert text == '{"a": [null, 1.0], "b": [2]}'
