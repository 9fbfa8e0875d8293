"""Views of unlabelled images, and where pretext tasks transform."""
import pytest
import torch
from mmengine.logging import MessageHub
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from gssl_mm.datasets.errors import EmptyUnlabeledError
from gssl_mm.models.utils import (
    PretextDataPreprocessor,
    RandomCropFlip,
    SemiSupervisedBatch,
    step_generator,
    step_random,
)

TASKS = [dict(type='gssl_mm.LocalRotation'), dict(type='gssl_mm.LocalFlip'),
         dict(type='gssl_mm.LocalChannelPermutation')]
CROP = dict(type='gssl_mm.RandomCropFlip', padding_mode='reflect')
STRONG = [CROP, dict(type='gssl_mm.BatchRandAugment', variant='kk')]


@pytest.fixture(autouse=True)
def step():
    MessageHub.get_current_instance().runtime_info.update(iter=11, seed=2)


def build(**changes):
    return MODELS.build(dict(dict(
        type='gssl_mm.SemiSupervisedDataPreprocessor', mean=[120., 110., 100.],
        std=[60., 50., 40.], augment=[CROP],
        views=dict(weak=[CROP], strong=STRONG)), **changes))


def data(labeled=6, unlabeled=10):
    draws = torch.Generator().manual_seed(1)
    return dict(
        inputs=torch.randint(256, (labeled, 3, 16, 16), generator=draws,
                             dtype=torch.uint8),
        data_samples=[DataSample().set_gt_label(i % 4)
                      for i in range(labeled)],
        unlabeled=dict(
            inputs=torch.randint(256, (unlabeled, 3, 16, 16), generator=draws,
                                 dtype=torch.uint8),
            gt_label=torch.arange(unlabeled) % 4))


def normalise(images):
    mean, std = torch.tensor([120., 110., 100.]), torch.tensor([60., 50., 40.])
    return (images.float() - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def test_views_are_drawn_on_their_own():
    out = build()(data(), True)
    batch, images = out['inputs'], data()['unlabeled']['inputs']
    assert isinstance(batch, SemiSupervisedBatch)
    assert list(batch.views) == ['weak', 'strong']
    crop = RandomCropFlip(padding_mode='reflect')
    weak = crop(images, step_generator('view-weak'))
    assert torch.equal(batch.views['weak'], normalise(weak))
    assert not torch.equal(batch.views['strong'], batch.views['weak'])
    assert batch.truth.tolist() == data()['unlabeled']['gt_label'].tolist()
    assert batch.copies is batch.pretext_labels is None
    assert [s.gt_label.item() for s in out['data_samples']] == [0, 1, 2, 3, 0,
                                                                1]
    again = build()(data(), True)['inputs']
    assert torch.equal(again.views['strong'], batch.views['strong'])
    MessageHub.get_current_instance().update_info('iter', 12)
    later = build()(data(), True)['inputs']
    assert not torch.equal(later.views['weak'], batch.views['weak'])


def test_strong_views_get_integers_to_work_on():
    """RandAugment comes before the normalisation, on 8-bit images."""
    seen = []
    preprocessor = build()
    step = preprocessor.views['strong'][1]
    preprocessor.views['strong'][1] = lambda images, generator: seen.append(
        images.dtype) or step(images, generator)
    preprocessor(data(), True)
    assert seen == [torch.uint8]


def test_labelled_images_go_the_usual_way():
    batch = build()(data(), True)['inputs']
    usual = PretextDataPreprocessor(
        mean=[120., 110., 100.], std=[60., 50., 40.], augment=[CROP])
    one = data()
    one.pop('unlabeled')
    assert torch.equal(batch.labeled, usual(one, True)['inputs'])


def turned(preprocessor, images, name):
    return preprocessor.pretext(images, step_generator(f'pretext-{name}'))


def test_in_place_transforms_every_view_by_itself():
    clean = build()(data(), True)['inputs']
    preprocessor = build(pretext=dict(tasks=TASKS))
    batch = preprocessor(data(), True)['inputs']
    expected = [turned(preprocessor, images, name) for name, images in (
        ('labeled', clean.labeled), *clean.views.items())]
    got = [batch.labeled, *batch.views.values()]
    for (images, _), mine in zip(expected, got, strict=True):
        assert torch.equal(images, mine)
    labels = torch.cat([labels for _, labels in expected])
    assert torch.equal(batch.pretext_labels, labels)
    assert labels.shape == (26, 3)
    # The views of one image differ in their draws
    assert not torch.equal(labels[6:16], labels[16:])
    assert batch.copies is None


def test_separate_leaves_the_views_clean():
    clean = build()(data(), True)['inputs']
    preprocessor = build(pretext=dict(tasks=TASKS), ssl_views='separate')
    batch = preprocessor(data(), True)['inputs']
    assert torch.equal(batch.labeled, clean.labeled)
    for name, view in clean.views.items():
        assert torch.equal(batch.views[name], view)
    pairs = [turned(preprocessor, clean.labeled, 'labeled'),
             turned(preprocessor, clean.views['weak'], 'weak')]
    assert torch.equal(batch.copies, torch.cat([p[0] for p in pairs]))
    assert torch.equal(batch.pretext_labels, torch.cat([p[1] for p in pairs]))
    assert len(batch.copies) == 16


@pytest.mark.parametrize('ssl_views', ['inplace_all', 'separate'])
def test_two_processes_share_the_draws(monkeypatch, ssl_views):
    preprocessor = build(pretext=dict(tasks=TASKS), ssl_views=ssl_views)
    whole = preprocessor(data(), True)['inputs']
    for rank in range(2):
        monkeypatch.setattr(
            step_random, 'get_dist_info', lambda r=rank: (r, 2))
        mine = data()
        part = preprocessor(dict(
            inputs=mine['inputs'][rank::2],
            data_samples=mine['data_samples'][rank::2],
            unlabeled={k: v[rank::2] for k, v in mine['unlabeled'].items()}),
            True)['inputs']
        assert torch.equal(part.labeled, whole.labeled[rank::2])
        for name in part.views:
            assert torch.equal(part.views[name], whole.views[name][rank::2])
        sizes = [6, 10] if ssl_views == 'separate' else [6, 10, 10]
        assert torch.equal(part.pretext_labels, torch.cat([
            block[rank::2] for block in whole.pretext_labels.split(sizes)]))


def test_memory_format_and_channel_order():
    last = build(memory_format='channels_last', pretext=dict(tasks=TASKS),
                 ssl_views='separate')
    batch = last(data(), True)['inputs']
    for images in (batch.labeled, *batch.views.values(), batch.copies):
        assert images.is_contiguous(memory_format=torch.channels_last)
    bgr = build(to_rgb=True, mean=None, std=None, augment=[],
                views=dict(plain=[]))(data(), True)['inputs']
    images = data()
    assert torch.equal(bgr.views['plain'],
                       images['unlabeled']['inputs'].flip(1).float())
    assert torch.equal(bgr.labeled, images['inputs'].flip(1).float())


def test_testing_sees_labelled_images_alone():
    preprocessor = build(pretext=dict(tasks=TASKS))
    out = preprocessor(data(), False)
    assert torch.equal(out['inputs'], normalise(data()['inputs']))


def test_no_unlabelled_images():
    one = data()
    one.pop('unlabeled')
    with pytest.raises(EmptyUnlabeledError, match="came with no 'unlabeled'"):
        build()(one, True)
    with pytest.raises(EmptyUnlabeledError, match="came with an empty"):
        build()(data(unlabeled=0), True)
    with pytest.raises(ValueError, match='ssl_views must be one of'):
        build(ssl_views='all')


def test_unlabelled_images_of_another_size():
    other = data()
    other['unlabeled'] = data(unlabeled=4)['unlabeled']
    other['unlabeled']['inputs'] = torch.zeros(4, 3, 12, 16)
    with pytest.raises(ValueError, match=r"'weak'.*\(4, 3, 12, 16\).*Resize"):
        build()(other, True)


def test_without_views_it_is_the_usual_preprocessor():
    images = build(views=None)(data(), True)['inputs']
    assert isinstance(images, torch.Tensor)
