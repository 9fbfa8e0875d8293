"""Archives of image files as they are unpacked, with their oddities."""
import copy
from pathlib import Path

import mat4py
import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from PIL import Image

import gssl_mm.datasets  # noqa: F401
from gssl_mm.datasets.errors import ArchiveContentError

FILES = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
COLOUR = (200, 120, 40)


def save(path, mode='RGB', size=64, colour=COLOUR):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new('RGB', (size, size), colour).convert(mode)
    image.save(path, 'JPEG', quality=95)


def looks_like(image, colour):
    return np.abs(np.asarray(image).reshape(-1, 3).mean(0) - colour).max() < 8


@pytest.fixture
def tiny(tmp_path):
    """Three classes; wnids.txt is not in alphabetical order."""
    wnids = ['n03', 'n01', 'n02']
    (tmp_path / 'wnids.txt').write_text('\n'.join(wnids) + '\n')
    (tmp_path / 'words.txt').write_text('n01\tgoldfish, carp\nn02\ttoad\n')
    for number, wnid in enumerate(sorted(wnids)):
        for i in range(2):
            save(tmp_path / f'train/{wnid}/images/{wnid}_{i}.JPEG',
                 mode='L' if number == 1 else 'RGB',
                 colour=(60 * number + 20, 90, 90))
        (tmp_path / f'train/{wnid}/{wnid}_boxes.txt').write_text('')
    lines = []
    for i, wnid in enumerate(['n02', 'n03', 'n01', 'n03']):
        save(tmp_path / f'val/images/val_{i}.JPEG')
        lines.append(f'val_{i}.JPEG\t{wnid}\t0\t0\t9\t9')
    (tmp_path / 'val/val_annotations.txt').write_text('\n'.join(lines) + '\n')
    (tmp_path / 'test/images').mkdir(parents=True)
    return tmp_path


def tiny_imagenet(root, **kwargs):
    return DATASETS.build(dict(
        type='gssl_mm.TinyImageNet', data_root=str(root), **kwargs))


def test_tiny_imagenet_reads_its_own_layout(tiny):
    train = tiny_imagenet(tiny)
    assert train.metainfo['classes'] == ('goldfish', 'toad', 'n03')
    assert train.class_counts.tolist() == [2, 2, 2]
    assert train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert train.images.shape == (6, 64, 64, 3)
    assert looks_like(train[0]['img'], (20, 90, 90))
    # A grayscale file has three equal channels
    assert np.ptp(train[2]['img'], axis=2).max() == 0
    val = tiny_imagenet(tiny, split='val')
    assert val.labels.tolist() == [1, 2, 0, 2]
    assert looks_like(val[0]['img'], COLOUR)


def test_tiny_imagenet_names_what_is_wrong(tiny, tmp_path):
    with pytest.raises(ValueError, match="'train' or 'val'"):
        tiny_imagenet(tiny, split='test')
    with pytest.raises(FileNotFoundError, match='wnids.txt not found'):
        tiny_imagenet(tmp_path / 'elsewhere')
    save(tiny / 'val/images/val_2.JPEG', size=32)
    with pytest.raises(ArchiveContentError, match=r'val_2.JPEG is of \(32, 32'):
        tiny_imagenet(tiny, split='val')
    (tiny / 'val/images/val_2.JPEG').write_bytes(b'no image')
    with pytest.raises(ArchiveContentError, match='val_2.JPEG is no image'):
        tiny_imagenet(tiny, split='val')
    (tiny / 'val/images/val_2.JPEG').unlink()
    with pytest.raises(FileNotFoundError, match='val_2.JPEG is missing'):
        tiny_imagenet(tiny, split='val')
    with open(tiny / 'val/val_annotations.txt', 'a') as file:
        file.write('val_9.JPEG\tn99\t0\n')
    with pytest.raises(ArchiveContentError, match="'n99'"):
        tiny_imagenet(tiny, split='val')


DOGS = ['n01-Chihuahua/n01_1.jpg', 'n02-wire-haired_fox/n02_23.jpg',
        'n01-Chihuahua/n01_456.jpg']


@pytest.fixture
def dogs(tmp_path):
    """One CMYK and one grayscale file among three."""
    for name, mode in zip(DOGS, ('RGB', 'CMYK', 'L'), strict=True):
        save(tmp_path / 'Images' / name, mode)
    for split in ('train', 'test'):
        mat4py.savemat(str(tmp_path / f'{split}_list.mat'), dict(
            file_list=DOGS, annotation_list=[name[:-4] for name in DOGS],
            labels=[[1], [2], [1]]))
    return tmp_path


def read(dataset):
    """RGB pixels of all samples; files are decoded as BGR."""
    return [dataset[i]['inputs'].permute(1, 2, 0).numpy()[..., ::-1]
            for i in range(len(dataset))]


def archive(name, root, **kwargs):
    return DATASETS.build(dict(
        type=name, data_root=str(root), pipeline=copy.deepcopy(FILES),
        **kwargs))


@pytest.mark.parametrize('split', ['train', 'test'])
def test_stanford_dogs_reads_the_official_lists(dogs, split):
    dataset = archive('gssl_mm.StanfordDogs', dogs, split=split)
    assert dataset.metainfo['classes'] == ('Chihuahua', 'wire-haired_fox')
    assert [dataset.get_data_info(i)['gt_label'] for i in range(3)] == [0, 1, 0]
    plain, cmyk, gray = read(dataset)
    assert looks_like(plain, COLOUR)
    assert looks_like(cmyk, COLOUR)
    assert np.ptp(gray, axis=2).max() == 0


def test_stanford_dogs_lists_may_be_columns(dogs, monkeypatch):
    monkeypatch.setattr(
        'gssl_mm.datasets.stanford_dogs.loadmat', lambda path: dict(
            file_list=[[name] for name in DOGS], labels=[[1], [2], [1]]))
    assert len(archive('gssl_mm.StanfordDogs', dogs)) == 3


def test_stanford_dogs_names_what_is_wrong(dogs, tmp_path):
    with pytest.raises(ValueError, match="'train' or 'test'"):
        archive('gssl_mm.StanfordDogs', dogs, split='val')
    with pytest.raises(FileNotFoundError, match='lists.tar'):
        archive('gssl_mm.StanfordDogs', tmp_path / 'elsewhere')
    (dogs / 'Images' / DOGS[1]).unlink()
    with pytest.raises(FileNotFoundError, match='n02_23.jpg'):
        archive('gssl_mm.StanfordDogs', dogs)
    mat4py.savemat(str(dogs / 'train_list.mat'), dict(
        file_list=DOGS, labels=[[1], [2]]))
    with pytest.raises(ArchiveContentError, match='3 files and 2 labels'):
        archive('gssl_mm.StanfordDogs', dogs)
    whole = (dogs / 'test_list.mat').read_bytes()
    for broken in (whole[:200], b'x' * 300):
        (dogs / 'test_list.mat').write_bytes(broken)
        with pytest.raises(ArchiveContentError, match='Unpack lists.tar'):
            archive('gssl_mm.StanfordDogs', dogs, split='test')


@pytest.fixture
def cub(tmp_path):
    names = ['001.Albatross/a_1.jpg', '002.Auk/b_22.jpg', '001.Albatross/c.jpg']
    for name, mode in zip(names, ('RGB', 'L', 'CMYK'), strict=True):
        save(tmp_path / 'images' / name, mode)

    def table(name, values):
        lines = [f'{i} {value}' for i, value in enumerate(values, 1)]
        (tmp_path / name).write_text('\n'.join(lines) + '\n')

    table('images.txt', names)
    table('image_class_labels.txt', [1, 2, 1])
    table('train_test_split.txt', [1, 1, 0])
    return tmp_path


def test_cub_reads_the_archive(cub):
    train, test = (archive('CUB', cub, split=s) for s in ('train', 'test'))
    assert [train.get_data_info(i)['gt_label'] for i in range(2)] == [0, 1]
    plain, gray = read(train)
    assert looks_like(plain, COLOUR)
    assert np.ptp(gray, axis=2).max() == 0
    assert looks_like(read(test)[0], COLOUR)
    (cub / 'images/002.Auk/b_22.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='b_22.jpg'):
        train[1]


@pytest.fixture(params=['one list', 'devkit'])
def cars(request, tmp_path):
    """Both layouts in which the set has been published."""
    modes = dict(zip(('00001', '00002', '00003'), ('RGB', 'L', 'CMYK'),
                     strict=True))
    if request.param == 'one list':
        paths = [f'car_ims/{n}.jpg' for n in modes]
        mat4py.savemat(str(tmp_path / 'cars_annos.mat'), dict(annotations=dict(
            relative_im_path=paths, test=[0, 0, 1], **{'class': [1, 5, 196]})))
    else:
        (tmp_path / 'devkit').mkdir()
        paths = [f'cars_{s}/{n}.jpg' for s, n in zip(
            ('train', 'train', 'test'), modes, strict=True)]
        for name, files, classes in (
                ('train_annos', paths[:2], [1, 5]),
                # A list of one is read back as a scalar
                ('test_annos_withlabels', paths[2:] * 2, [196, 196])):
            mat4py.savemat(str(tmp_path / f'devkit/cars_{name}.mat'), dict(
                annotations=dict(fname=[Path(f).name for f in files],
                                 **{'class': classes})))
    for path, mode in zip(paths, modes.values(), strict=True):
        save(tmp_path / path, mode)
    return tmp_path


def test_stanford_cars_reads_both_layouts(cars):
    train, test = (archive('StanfordCars', cars, split=s)
                   for s in ('train', 'test'))
    assert [train.get_data_info(i)['gt_label'] for i in range(2)] == [0, 4]
    assert test.get_data_info(0)['gt_label'] == 195
    plain, gray = read(train)
    assert looks_like(plain, COLOUR)
    assert np.ptp(gray, axis=2).max() == 0
    assert looks_like(read(test)[0], COLOUR)
    next(cars.glob('*/00002.jpg')).unlink()
    with pytest.raises(FileNotFoundError, match='00002.jpg'):
        train[1]
