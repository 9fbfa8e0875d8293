"""Files, folders and arrays get the predictions of the data set."""
import subprocess
import sys
from pathlib import Path

import mmpretrain
import numpy as np
import pytest
import torch
from mmcv.image import imread
from mmengine.config import Config
from mmpretrain import ImageClassificationInferencer
from mmpretrain.registry import MODELS
from PIL import Image

import gssl_mm
from gssl_mm.apis import ImageInferencer, NotAnImageError, find_images
from gssl_mm.datasets import SyntheticShapes
from gssl_mm.engine import ArchitectureMismatchError
from gssl_mm.registry import TRANSFORMS
from gssl_mm.tooling.errors import (
    CheckpointFileError,
    ConfigFileError,
    UnknownModelError,
)

DEMO = 'gssl_demo'
DATASETS = (Path(__file__).resolve().parents[2] / 'configs' / '_base_'
            / 'datasets')

# Logits reach 30, and batches of other sizes round them in the last bits
ATOL = 1e-5


@pytest.fixture(scope='module')
def model():
    return gssl_mm.get_model(DEMO, pretrained=True)


@pytest.fixture(scope='module')
def data():
    return SyntheticShapes(num_per_class=2, split='test', pipeline=[
        dict(type='gssl_mm.RGBImage', size=32), dict(type='PackInputs')])


@pytest.fixture(scope='module')
def wanted(model, data):
    """Scores as the test loop has them."""
    items = [data[i] for i in range(len(data))]
    batch = dict(inputs=torch.stack([i['inputs'] for i in items]),
                 data_samples=[i['data_samples'] for i in items])
    with torch.no_grad():
        samples = model.test_step(batch)
    return torch.stack([s.pred_score for s in samples]).numpy()


@pytest.fixture(scope='module')
def folder(data, tmp_path_factory):
    """The data set as PNG files, two of them in a folder of their own."""
    folder = tmp_path_factory.mktemp('pictures')
    (folder / 'z').mkdir()
    for i in range(len(data)):
        place = folder / 'z' if i >= len(data) - 2 else folder
        Image.fromarray(data.images[i]).save(place / f'{i:02d}.png')
    (folder / 'notes.txt').write_text('no image')
    return folder


def scores(results):
    return np.stack([r['pred_scores'] for r in results])


@pytest.mark.parametrize('inferencer', [
    ImageClassificationInferencer, ImageInferencer])
def test_a_file_gets_the_prediction_of_the_data_set(
        inferencer, model, folder, wanted, data):
    files = [str(folder / f'{i:02d}.png') for i in range(6)]
    results = inferencer(model)(files, batch_size=4)
    np.testing.assert_allclose(scores(results), wanted[:6], atol=ATOL)
    # Blue and red exchanged is another image: the order is what counts
    swapped = inferencer(model)([imread(f)[..., ::-1] for f in files])
    assert abs(scores(swapped) - wanted[:6]).max() > 0.01
    assert results[0]['pred_class'] == data.CLASSES[results[0]['pred_label']]


def test_the_host_reads_our_config_by_its_path(folder, wanted):
    """No function of this package stands between."""
    entry = gssl_mm.get_model(DEMO)._metainfo
    inferencer = ImageClassificationInferencer(
        entry.config.filename, pretrained=entry.weights)
    results = inferencer(str(folder / '00.png'))
    np.testing.assert_allclose(scores(results), wanted[:1], atol=ATOL)
    result = mmpretrain.inference_model(DEMO, str(folder / '01.png'))
    np.testing.assert_allclose(result['pred_scores'], wanted[1], atol=ATOL)


@pytest.mark.parametrize('path', sorted(DATASETS.glob('*.py')),
                         ids=lambda path: path.stem)
def test_test_pipelines_take_files(path):
    """Either they load them, or they bring them to the data's order."""
    pipeline = Config.fromfile(path).test_dataloader.dataset.pipeline
    first = pipeline[0]
    assert first.type in ('LoadImageFromFile', 'gssl_mm.RGBImage')
    if first.type == 'gssl_mm.RGBImage':
        assert first.size == (64 if 'tiny' in path.stem else 32)


def test_a_folder_in_order_with_the_folders_in_it(model, folder, wanted,
                                                  capsys):
    results = ImageInferencer(model)(folder, batch_size=8)
    np.testing.assert_allclose(scores(results), wanted, atol=ATOL)
    files = find_images(folder)
    assert files == sorted(files) and len(files) == len(wanted)


def test_arrays_of_both_orders(model, data, wanted):
    images = [data.images[i] for i in range(4)]
    rgb = ImageInferencer(model, rgb_arrays=True)(images, batch_size=3)
    bgr = ImageInferencer(model)([image[..., ::-1] for image in images])
    one = ImageInferencer(model, rgb_arrays=True)(images[0])
    for results in (rgb, bgr, one):
        np.testing.assert_allclose(
            scores(results), wanted[:len(results)], atol=ATOL)


def test_other_sizes_and_modes(model, data, folder, wanted, tmp_path):
    image = Image.fromarray(data.images[0])
    image.resize((64, 64), Image.NEAREST).save(tmp_path / 'large.png')
    image.convert('RGBA').save(tmp_path / 'alpha.png')
    image.convert('L').save(tmp_path / 'grey.png')
    image.crop((0, 0, 20, 31)).save(tmp_path / 'odd.png')
    results = ImageInferencer(model)(tmp_path, batch_size=4)
    by_name = dict(zip([p[len(str(tmp_path)) + 1:-4] for p in find_images(
        tmp_path)], results, strict=True))
    # Twice the size by repetition, halved by areas: the same pixels
    for name in ('large', 'alpha'):
        np.testing.assert_allclose(
            by_name[name]['pred_scores'], wanted[0], atol=ATOL)
    assert set(by_name) == {'large', 'alpha', 'grey', 'odd'}


def test_what_is_no_image(model, folder, tmp_path):
    inferencer = ImageInferencer(model)
    (tmp_path / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\n and no more')
    (tmp_path / 'empty.jpg').write_bytes(b'')
    whole = (folder / '00.png').read_bytes()
    (tmp_path / 'cut.png').write_bytes(whole[:60])
    for name in ('broken.png', 'empty.jpg', 'cut.png'):
        with pytest.raises(NotAnImageError, match=name):
            inferencer(tmp_path / name)
    with pytest.raises(NotAnImageError, match=r'notes\.txt'):
        inferencer(str(folder / 'notes.txt'))
    for array in (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)),
                  np.zeros((0, 8, 3), np.uint8), np.zeros((8, 8, 4), 'uint8')):
        with pytest.raises(NotAnImageError, match='expected uint8'):
            inferencer(array)
    with pytest.raises(FileNotFoundError, match='gone'):
        inferencer(str(tmp_path / 'gone.png'))
    (tmp_path / 'none').mkdir()
    with pytest.raises(FileNotFoundError, match='holds no image'):
        inferencer(tmp_path / 'none')
    # The host's own class reaches the transform
    with pytest.raises(NotAnImageError):
        ImageClassificationInferencer(model)(np.zeros((8, 8, 3)))


@pytest.mark.parametrize('sample, changed', [
    (dict(sample_idx=0), False), (dict(), True),
    (dict(sample_idx=0, img_path='a.png'), True)])
def test_what_a_data_set_holds_passes_unchanged(sample, changed):
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    done = TRANSFORMS.build(dict(type='gssl_mm.RGBImage', size=4))(
        dict(sample, img=image))['img']
    expected = image[..., ::-1] if changed else image
    assert np.array_equal(done, expected)


def test_a_model_by_name_path_config_and_package_name():
    path = gssl_mm.get_model(DEMO)._metainfo.config.filename
    for source in (path, Config.fromfile(path)):
        model = gssl_mm.get_model(source)
        assert type(model).__name__ == 'ImageClassifier'
        assert not model.training
    assert DEMO in gssl_mm.list_models()
    assert DEMO in mmpretrain.list_models('gssl_*')
    wide = gssl_mm.get_model(path, backbone=dict(depth=14))
    assert len(list(wide.parameters())) > len(list(model.parameters()))


def test_a_model_that_does_not_exist():
    with pytest.raises(UnknownModelError, match='resnet32_cifar10lt'):
        gssl_mm.get_model('resnet32_cifar10l')
    with pytest.raises(ConfigFileError, match='nowhere.py'):
        gssl_mm.get_model('nowhere.py')
    with pytest.raises(CheckpointFileError, match='without weights'):
        gssl_mm.get_model('resnet32_cifar10lt', True)
    with pytest.raises(CheckpointFileError, match='gone.pth'):
        gssl_mm.get_model(DEMO, 'gone.pth')


def test_a_checkpoint_that_does_not_fit(tmp_path):
    other = MODELS.build(dict(
        type='ImageClassifier', neck=dict(type='GlobalAveragePooling'),
        backbone=dict(type='gssl_mm.CIFARResNet', depth=14),
        head=dict(type='LinearClsHead', num_classes=3, in_channels=64)))
    torch.save(dict(state_dict=other.state_dict()), tmp_path / 'other.pth')
    with pytest.raises(ArchitectureMismatchError, match='other.pth'):
        gssl_mm.get_model(DEMO, tmp_path / 'other.pth')
    with pytest.raises(ArchitectureMismatchError):
        ImageInferencer(DEMO, str(tmp_path / 'other.pth'))


def test_importing_the_package_imports_no_model():
    code = ('import sys, gssl_mm; assert "mmpretrain.models" not in sys.modules'
            '; assert "get_model" in dir(gssl_mm)')
    subprocess.run([sys.executable, '-W', 'ignore', '-c', code], check=True)
    with pytest.raises(AttributeError, match='nothing'):
        gssl_mm.nothing  # noqa: B018
