"""Decoded once, for all processes, whatever happens meanwhile."""
import copy
import multiprocessing
import os
import pickle
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import DATASETS
from PIL import Image

import gssl_mm.datasets  # noqa: F401
from gssl_mm.datasets import LongTailedDataset
from gssl_mm.datasets.errors import ArchiveContentError
from gssl_mm.datasets.image_cache import (
    BrokenCacheError,
    CacheWriteError,
    ImageCache,
    StaleCacheError,
)
from gssl_mm.datasets.image_cache_file import is_mapped

FORK = multiprocessing.get_context('fork')
SHAPE = (600, 4, 4, 3)


def image(number):
    return np.full(SHAPE[1:], number % 256, np.uint8)


def expected(count=SHAPE[0]):
    return np.stack([image(number) for number in range(count)])


def hidden(folder):
    return [p.name for p in folder.iterdir() if p.name.endswith('.gssl-tmp')]


def test_made_once_and_mapped(tmp_path, capsys):
    calls = []

    def decode(number):
        calls.append(number)
        return image(number)

    cache = ImageCache(tmp_path / 'new/a.npy', 'x', SHAPE)
    first = cache.open(decode, workers=3)
    assert sorted(calls) == list(range(600))
    assert isinstance(first, np.memmap) and not first.flags.writeable
    assert np.array_equal(first, expected())
    assert '600/600' in capsys.readouterr().err  # the bar
    again = cache.open(None)
    assert np.array_equal(again, first) and len(calls) == 600
    # Any program reads it
    assert np.array_equal(np.load(cache.path), first)
    assert hidden(tmp_path / 'new') == []


def test_another_version_is_refused_or_made_anew(tmp_path):
    path = tmp_path / 'a.npy'
    ImageCache(path, 'one', SHAPE).open(image)
    for other in (ImageCache(path, 'two', SHAPE),
                  ImageCache(path, 'one', (300, 4, 4, 3))):
        with pytest.raises(StaleCacheError, match='rebuild_stale=True'):
            other.open(image)
    new = ImageCache(path, 'two', (300, 4, 4, 3), rebuild_stale=True)
    assert np.array_equal(new.open(image), expected(300))
    assert np.array_equal(ImageCache(path, 'two', (300, 4, 4, 3)).open(None),
                          expected(300))


@pytest.mark.parametrize('keep', [0, 10, 200, 5000, -1])
def test_a_file_that_was_cut_is_refused(tmp_path, keep):
    cache = ImageCache(tmp_path / 'a.npy', 'x', SHAPE)
    cache.open(image)
    whole = cache.path.read_bytes()
    cache.path.write_bytes(whole[:keep])
    with pytest.raises(BrokenCacheError, match='a.npy is no complete'):
        cache.open(image)
    # Pixels missing from the middle
    cache.path.write_bytes(whole[:500] + whole[501:])
    with pytest.raises(BrokenCacheError, match='bytes of pixels'):
        cache.open(image)


def test_an_image_that_fails_leaves_nothing(tmp_path):
    def decode(number):
        if number == 399:
            raise ArchiveContentError('399.JPEG')
        return image(number)

    cache = ImageCache(tmp_path / 'a.npy', 'x', SHAPE)
    with pytest.raises(ArchiveContentError, match='399.JPEG'):
        cache.open(decode, workers=2)
    assert not cache.path.exists() and hidden(tmp_path) == []
    assert np.array_equal(cache.open(image), expected())


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    with pytest.raises(CacheWriteError, match='cache_dir to a folder'):
        ImageCache(tmp_path / 'file/a.npy', 'x', SHAPE).open(image)
    monkeypatch.setattr('gssl_mm.datasets.image_cache_file.os.pwrite',
                        lambda *args: (_ for _ in ()).throw(
                            OSError(28, 'No space left on device')))
    with pytest.raises(CacheWriteError, match='No space left'):
        ImageCache(tmp_path / 'a.npy', 'x', SHAPE).open(image)
    assert not (tmp_path / 'a.npy').exists() and hidden(tmp_path) == []


def test_writes_that_are_cut_short_are_continued(tmp_path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr('gssl_mm.datasets.image_cache_file.os.pwrite',
                        lambda fd, data, at: write(fd, data[:1000], at))
    images = ImageCache(tmp_path / 'a.npy', 'x', SHAPE).open(image)
    assert np.array_equal(images, expected())


def slow_build(path, log):
    def decode(number):
        time.sleep(2e-3)
        return image(number)

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    images = ImageCache(path, 'x', SHAPE).open(
        lambda n: (os.write(log, b'.'), decode(n))[1], workers=1)
    os._exit(0 if np.array_equal(images, expected()) else 1)


def start(path, log):
    process = FORK.Process(target=slow_build, args=(path, log))
    process.start()
    return process


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(.01)


def test_two_processes_make_it_once(tmp_path):
    with open(tmp_path / 'log', 'ab') as log:
        both = [start(tmp_path / 'a.npy', log.fileno()) for _ in range(2)]
        for process in both:
            process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert (tmp_path / 'log').stat().st_size == 600


def test_two_processes_where_files_cannot_be_locked(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(95, 'Operation not supported')

    monkeypatch.setattr('gssl_mm.datasets.image_cache.fcntl.flock', refuse)
    with open(tmp_path / 'log', 'ab') as log:
        both = [start(tmp_path / 'a.npy', log.fileno()) for _ in range(2)]
        for process in both:
            process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert np.array_equal(
        ImageCache(tmp_path / 'a.npy', 'x', SHAPE).open(None), expected())
    assert hidden(tmp_path) == []


def test_killed_while_it_writes(tmp_path):
    path = tmp_path / 'a.npy'
    with open(tmp_path / 'log', 'ab') as log:
        process = start(path, log.fileno())
        # The first block is on the disk, the others are not
        wait_for(lambda: (tmp_path / 'log').stat().st_size > 300)
        os.kill(process.pid, signal.SIGKILL)
        process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert not path.exists() and len(hidden(tmp_path)) == 1
    images = ImageCache(path, 'x', SHAPE).open(image)
    assert np.array_equal(images, expected())
    assert hidden(tmp_path) == []


@pytest.fixture
def archive(tmp_path):
    """Three classes of five images each, and six to validate on."""
    root, rng = tmp_path / 'tiny', np.random.default_rng(0)
    wnids = ['n03', 'n01', 'n02']
    for wnid in wnids:
        folder = root / f'train/{wnid}/images'
        folder.mkdir(parents=True)
        for i in range(5):
            pixels = rng.integers(0, 256, (64, 64, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f'{i}.JPEG', 'JPEG')
    (root / 'val/images').mkdir(parents=True)
    for i in range(6):
        pixels = rng.integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(pixels).save(root / f'val/images/{i}.JPEG', 'JPEG')
    (root / 'val/val_annotations.txt').write_text(
        ''.join(f'{i}.JPEG\t{wnids[i % 3]}\t0\n' for i in range(6)))
    (root / 'wnids.txt').write_text('\n'.join(wnids))
    return root


def build(root, **kwargs):
    return DATASETS.build(dict(
        type='gssl_mm.TinyImageNet', data_root=str(root), **kwargs))


@pytest.mark.parametrize('split', ['train', 'val'])
def test_the_cache_holds_what_the_files_hold(archive, split, tmp_path):
    plain = build(archive, split=split, cache=False)
    assert list(archive.glob('*.npy')) == []
    for kwargs, folder in ((dict(), archive),
                           (dict(cache_dir=str(tmp_path / 'c')),
                            tmp_path / 'c')):
        cached = build(archive, split=split, cache_workers=2, **kwargs)
        assert (folder / f'tiny-{split}.npy').is_file()
        assert is_mapped(cached.images)
        assert np.array_equal(cached.images, plain.images)
        assert cached.labels.tolist() == plain.labels.tolist()
    assert cached[0]['img'].flags.writeable


def test_files_are_not_read_again(archive, monkeypatch):
    images = np.array(build(archive).images)
    monkeypatch.setattr('gssl_mm.datasets.tiny_imagenet.read_rgb', None)
    assert np.array_equal(build(archive).images, images)


def test_moving_and_copying_the_data_keeps_the_cache(archive, monkeypatch):
    images = np.array(build(archive).images)
    monkeypatch.setattr('gssl_mm.datasets.tiny_imagenet.read_rgb', None)
    for path in archive.rglob('*.JPEG'):
        os.utime(path, (0, 0))
    moved = archive.parent / 'elsewhere' / 'tiny'
    moved.parent.mkdir()
    archive.rename(moved)
    assert np.array_equal(build(moved).images, images)
    assert np.array_equal(build(f'{moved}/').images, images)


@pytest.mark.parametrize('change', ['content', 'name', 'less', 'label'])
def test_a_cache_of_other_data_is_refused(archive, change):
    build(archive, split='val')
    build(archive)
    split, file = 'train', archive / 'train/n01/images/3.JPEG'
    if change == 'content':
        Image.new('RGB', (64, 64)).save(file, 'JPEG')
    elif change == 'name':
        file.rename(file.with_name('9.JPEG'))
    elif change == 'less':
        file.unlink()
    else:
        split, lines = 'val', archive / 'val/val_annotations.txt'
        lines.write_text(lines.read_text().replace('n02', 'n01'))
    with pytest.raises(StaleCacheError, match=f'tiny-{split}.npy was made'):
        build(archive, split=split)
    fresh = build(archive, split=split, rebuild_stale=True)
    plain = build(archive, split=split, cache=False)
    assert np.array_equal(fresh.images, plain.images)


def test_a_corrupt_file_is_named(archive):
    file = archive / 'train/n02/images/2.JPEG'
    whole = file.read_bytes()
    for data, reason in ((whole[:len(whole) // 2], 'was cut off'),
                         (whole[:-40], 'was cut off'),
                         (b'', 'is no image'), (b'text', 'is no image')):
        file.write_bytes(data)
        with pytest.raises(ArchiveContentError, match=reason) as error:
            build(archive)
        assert str(file) in str(error.value)
        assert list(archive.glob('*.npy')) == []
    with pytest.raises(ArchiveContentError, match='no image'):
        build(archive, cache=False)
    # Bytes after the end are harmless
    file.write_bytes(whole + b'\0\0')
    assert len(build(archive)) == 15


def test_copies_in_other_processes_map_the_file(archive):
    dataset = build(archive, pipeline=[dict(type='PackInputs')])
    data = pickle.dumps(dataset)
    assert len(data) < dataset.images.nbytes // 4
    for other in (pickle.loads(data), copy.deepcopy(dataset)):
        assert is_mapped(other.images)
        assert np.array_equal(other.images, dataset.images)
        assert (other[7]['inputs'] == dataset[7]['inputs']).all()


def test_subsets(archive):
    whole = build(archive)
    part = build(archive, indices=[5, 6, 7])
    assert is_mapped(part.images)
    assert np.array_equal(pickle.loads(pickle.dumps(part)).images,
                          whole.images[5:8])
    mixed = build(archive, indices=[7, 2])
    assert not is_mapped(mixed.images)
    assert np.array_equal(mixed.images, whole.images[[7, 2]])
    taken = whole.get_subset([1, 3])
    assert np.array_equal(pickle.loads(pickle.dumps(taken)).images,
                          whole.images[[1, 3]])
    tail = LongTailedDataset(dict(
        type='gssl_mm.TinyImageNet', data_root=str(archive)), 0.5)
    assert tail.class_counts.tolist() == [5, 3, 2]
    assert (tail.get_data_info(-1)['img'] == whole.images[
        int(np.flatnonzero((whole.images == tail.get_data_info(-1)['img'])
                           .all((1, 2, 3)))[0])]).all()
    lazy = build(archive, lazy_init=True)
    assert len(pickle.loads(pickle.dumps(lazy))) == 15


def test_path_objects_and_names(archive, monkeypatch):
    monkeypatch.chdir(archive)
    assert len(build('.')) == 15
    assert (archive / 'tiny-train.npy').is_file()
    assert [p.name for p in Path('.').glob('*.npy')] == ['tiny-train.npy']
