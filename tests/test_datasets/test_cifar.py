import copy
import hashlib
import os
import pickle

import numpy as np
import pytest
import torch
from mmpretrain import datasets as host
from torch.utils.data import DataLoader

from gssl_mm.datasets import CIFAR10, CIFAR100, cifar
from gssl_mm.datasets.errors import (
    ArchiveContentError,
    BrokenPickleError,
    ChecksumError,
    LabelError,
    UnsafePickleError,
)
from gssl_mm.registry import DATASETS

PIPELINE = [dict(type='PackInputs')]


def build(root, **kwargs):
    kwargs = dict(verify_md5=False, download=False) | kwargs
    return CIFAR10(data_root=str(root), **kwargs)


@pytest.mark.parametrize('dialect', ['python2', 'protocol2', 'protocol4'])
def test_same_samples_as_the_host(make_cifar10, dialects, dialect,
                                  monkeypatch):
    root, images, labels = make_cifar10(dump=dialects[dialect])
    monkeypatch.setattr(host.CIFAR10, '_check_integrity', lambda self: True)
    theirs = host.CIFAR10(data_root=str(root), pipeline=PIPELINE)
    ours = build(root, pipeline=PIPELINE)
    assert len(ours) == len(theirs) == 200
    np.testing.assert_array_equal(ours.images, images)
    assert ours.images.dtype == np.uint8 and ours.labels.dtype == np.int64
    for i in (0, 39, 40, 199, -1):
        one, other = ours.get_data_info(i), theirs.get_data_info(i)
        np.testing.assert_array_equal(one['img'], other['img'])
        assert one['gt_label'] == other['gt_label'] == labels[i]
        assert one['sample_idx'] == other['sample_idx']
        assert ours.get_cat_ids(i) == theirs.get_cat_ids(i)
    assert torch.equal(ours[5]['inputs'], theirs[5]['inputs'])
    np.testing.assert_array_equal(ours.get_gt_labels(),
                                  theirs.get_gt_labels())
    assert ours.metainfo == theirs.metainfo
    assert ours.class_to_idx['truck'] == 9
    assert 'Number of samples: \t200' in repr(ours)
    np.testing.assert_array_equal(
        ours.class_counts, np.bincount(labels, minlength=10))


def test_test_split_and_registry(make_cifar10):
    root, _, _ = make_cifar10(count=7)
    for name in ('train', 'test'):
        dataset = DATASETS.build(
            dict(type='gssl_mm.CIFAR10', data_root=str(root), split=name,
                 verify_md5=False, test_mode=name == 'test',
                 pipeline=PIPELINE))
        assert type(dataset) is CIFAR10
        assert len(dataset) == dict(train=35, test=7)[name]
        assert dataset[0]['inputs'].shape == (3, 32, 32)
    assert issubclass(CIFAR100, host.CIFAR100)
    assert CIFAR100.base_folder == 'cifar-100-python'
    assert CIFAR100.train_list == host.CIFAR100.train_list


def test_cifar100_reads_fine_labels(tmp_path, dialects):
    folder = tmp_path / 'cifar-100-python'
    folder.mkdir()
    data = np.random.default_rng(0).integers(
        0, 256, (5, 3072), dtype=np.uint8)
    for name in ('train', 'test'):
        (folder / name).write_bytes(dialects['python2'](dict(
            data=data, coarse_labels=[0] * 5, fine_labels=[3, 9, 99, 0, 1])))
    names = [f'name {i}' for i in range(100)]
    (folder / 'meta').write_bytes(
        dialects['python2'](dict(fine_label_names=names)))
    dataset = CIFAR100(data_root=str(tmp_path), verify_md5=False)
    assert dataset.get_gt_labels().tolist() == [3, 9, 99, 0, 1]
    assert dataset.CLASSES == tuple(names)
    assert dataset.class_counts.shape == (100, )


@pytest.mark.parametrize('indices', [13, -13, [3, 199, 50, 3], np.array([7])])
def test_indices_and_subsets(make_cifar10, indices):
    root, images, labels = make_cifar10()
    keep = indices
    if isinstance(indices, int):
        keep = slice(indices) if indices > 0 else slice(indices, None)
    first = build(root, indices=indices)
    second = build(root).get_subset(indices)
    third = build(root, lazy_init=True)
    assert not hasattr(third, 'images')
    third.get_subset_(indices)
    for dataset in (first, second, third):
        np.testing.assert_array_equal(dataset.images, images[keep])
        np.testing.assert_array_equal(dataset.labels, labels[keep])
        # A view would keep the whole array alive.
        assert dataset.images.base is None or (
            dataset.images.base.nbytes == dataset.images.nbytes)
        assert dataset.get_data_info(-1)['sample_idx'] == len(dataset) - 1


def test_filter(make_cifar10):
    root, images, labels = make_cifar10()

    class Even(CIFAR10):

        def filter_data(self):
            return np.flatnonzero(self.labels % 2 == 0)

    dataset = Even(data_root=str(root), verify_md5=False, indices=10)
    expected = np.flatnonzero(labels % 2 == 0)[:10]
    np.testing.assert_array_equal(dataset.images, images[expected])


def test_bad_indices(make_cifar10):
    root, _, _ = make_cifar10(count=4)
    dataset = build(root)
    with pytest.raises(IndexError):
        dataset.get_subset_([20])
    with pytest.raises(TypeError, match='sequence of integers'):
        dataset.get_subset_([0.5])


def test_images_are_held_once_and_given_as_copies(make_cifar10):
    root, images, _ = make_cifar10()
    dataset = build(root)
    assert dataset.data_list == []
    held = [v.nbytes for v in vars(dataset).values()
            if isinstance(v, np.ndarray)]
    assert sum(held) == images.nbytes + 8 * len(images)
    sample = dataset.get_data_info(3)['img']
    assert not np.shares_memory(sample, dataset.images)
    sample[:] = 0
    np.testing.assert_array_equal(dataset.images, images)


@pytest.mark.parametrize('method', ['pickle', 'deepcopy'])
def test_travels(make_cifar10, method):
    root, images, labels = make_cifar10(count=5)
    dataset = build(root, pipeline=PIPELINE)
    other = copy.deepcopy(dataset) if method == 'deepcopy' else pickle.loads(
        pickle.dumps(dataset))
    np.testing.assert_array_equal(other.images, images)
    assert torch.equal(other[3]['inputs'], dataset[3]['inputs'])


def test_forked_workers_give_the_same_samples(make_cifar10):
    root, _, _ = make_cifar10()
    dataset = build(root, pipeline=PIPELINE)

    def batches(workers):
        loader = DataLoader(
            dataset, batch_size=32, num_workers=workers, collate_fn=list)
        return [(s['inputs'], s['data_samples'].gt_label,
                 s['data_samples'].sample_idx) for b in loader for s in b]

    for one, other in zip(batches(0), batches(2), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1]) and one[2] == other[2]


def test_missing_folder_is_one_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        CIFAR10(data_root=str(tmp_path / 'here'), download=False)
    message = str(error.value)
    for part in ('here/cifar-10-batches-py', 'data_batch_1', 'data_batch_5',
                 'https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz',
                 'download=True', 'data_root'):
        assert part in message


def test_failed_download_is_the_same_error(tmp_path, monkeypatch):
    calls = []

    def fail(url, root, **kwargs):
        calls.append((url, root, kwargs))
        raise OSError('no route to host')

    monkeypatch.setattr(cifar, 'download_and_extract_archive', fail)
    with pytest.raises(FileNotFoundError, match='no route to host') as error:
        CIFAR10(data_root=str(tmp_path), split='test')
    assert 'test_batch' in str(error.value)
    assert calls == [(CIFAR10.url, str(tmp_path) + '/', dict(
        filename=CIFAR10.filename, md5=CIFAR10.tgz_md5))] or (
            calls[0][1].rstrip('/') == str(tmp_path))


def test_download_fills_the_folder(make_cifar10, monkeypatch, tmp_path):
    root, images, _ = make_cifar10()
    hidden = tmp_path / 'hidden'
    (root / CIFAR10.base_folder).rename(hidden)
    monkeypatch.setattr(
        cifar, 'download_and_extract_archive',
        lambda url, root_, **kw: hidden.rename(root / CIFAR10.base_folder))
    dataset = build(root, download=True)
    np.testing.assert_array_equal(dataset.images, images)


def test_only_the_main_process_downloads(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(cifar.dist, 'is_main_process', lambda: False)
    monkeypatch.setattr(cifar.dist, 'barrier', lambda: order.append('wait'))
    monkeypatch.setattr(cifar, 'download_and_extract_archive',
                        lambda *a, **k: order.append('download'))
    with pytest.raises(FileNotFoundError, match='the main process, which'):
        CIFAR10(data_root=str(tmp_path))
    assert order == ['wait']


def test_checksums(make_cifar10, monkeypatch):
    root, images, _ = make_cifar10(count=4)
    with pytest.raises(ChecksumError, match='verify_md5=False') as error:
        CIFAR10(data_root=str(root))
    assert 'data_batch_1' in str(error.value)
    assert CIFAR10.train_list[0][1] in str(error.value)
    folder = root / CIFAR10.base_folder
    sums = [[name, hashlib.md5((folder / name).read_bytes()).hexdigest()]
            for name, _ in CIFAR10.train_list]
    monkeypatch.setattr(CIFAR10, 'train_list', sums, raising=False)
    np.testing.assert_array_equal(
        CIFAR10(data_root=str(root)).images, images)


def test_class_names_of_a_stand_in(make_cifar10):
    names = tuple(f'thing {i}' for i in range(10))
    root, _, _ = make_cifar10(count=4, names=names)
    assert build(root).CLASSES == names
    assert build(root, metainfo=dict(classes=list('abcdefghij'))).CLASSES == (
        list('abcdefghij'))
    assert build(root, classes=list('abcdefghij')).CLASSES == tuple(
        'abcdefghij')
    os.remove(root / CIFAR10.base_folder / 'batches.meta')
    assert build(root).CLASSES[0] == 'airplane'


def rewrite(root, entry, name='data_batch_3'):
    path = root / CIFAR10.base_folder / name
    path.write_bytes(pickle.dumps(entry, 4))


GOOD = np.zeros((4, 3072), np.uint8)


@pytest.mark.parametrize('entry, message', [
    (dict(data=GOOD, labels=[1, 2, 3]), '4 images and 3 labels'),
    (dict(data=GOOD[:, :3000], labels=[0] * 4), r'shape \(4, 3000\)'),
    (dict(data=GOOD.astype(np.float32), labels=[0] * 4), 'float32'),
    (dict(data=GOOD.reshape(-1), labels=[0] * 4), 'shape'),
    (dict(data=GOOD), "'data' and 'labels'"),
    (dict(labels=[0] * 4), "'data' and 'labels'"),
    (dict(data=[1, 2], labels=[0] * 4), "'data' and 'labels'"),
    (dict(data=GOOD, labels=['a'] * 4), 'list of integers'),
    (dict(data=GOOD, labels=[0.5] * 4), 'list of integers'),
    ([1, 2], 'not a dict'),
])
def test_wrong_content(make_cifar10, entry, message):
    root, _, _ = make_cifar10(count=4)
    rewrite(root, entry)
    with pytest.raises(ArchiveContentError, match=message) as error:
        build(root)
    assert 'data_batch_3' in str(error.value)


def test_labels_beyond_the_classes(make_cifar10):
    root, _, _ = make_cifar10(count=4)
    rewrite(root, dict(data=GOOD, labels=[0, 1, 10, 2]))
    with pytest.raises(LabelError, match='Sample 10 has the label 10, but'):
        build(root)


def test_labels_as_array(make_cifar10):
    root, _, labels = make_cifar10(count=4)
    rewrite(root, dict(data=GOOD, labels=np.array([5, 6, 7, 8])))
    assert build(root).labels[8:12].tolist() == [5, 6, 7, 8]


def test_meta_without_names(make_cifar10):
    root, _, _ = make_cifar10(count=4)
    rewrite(root, dict(other=1), 'batches.meta')
    with pytest.raises(ArchiveContentError, match='batches.meta'):
        build(root)


def test_malicious_batch_runs_nothing(make_cifar10, tmp_path):
    root, _, _ = make_cifar10(count=4)
    trace = tmp_path / 'trace'

    class Evil:

        def __reduce__(self):
            return os.mkdir, (str(trace), )

    rewrite(root, dict(data=Evil(), labels=[0] * 4))
    with pytest.raises(UnsafePickleError, match='data_batch_3.*mkdir'):
        build(root)
    rewrite(root, dict(label_names=Evil()), 'batches.meta')
    with pytest.raises(UnsafePickleError):
        build(root)
    assert not trace.exists()


def test_truncated_batch(make_cifar10):
    root, _, _ = make_cifar10()
    path = root / CIFAR10.base_folder / 'data_batch_2'
    os.truncate(path, 50_000)
    with pytest.raises(BrokenPickleError, match='data_batch_2.*cut short'):
        build(root)


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="'train' or 'test'.*'val'"):
        CIFAR10(data_root=str(tmp_path), split='val')
