import pickle

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmpretrain.datasets import BaseDataset
from torch.utils.data import DataLoader, Dataset

from gssl_mm.datasets import (
    CIFAR10,
    ArrayDataset,
    ArraySource,
    LongTailedDataset,
    get_class_counts,
)
from gssl_mm.datasets.errors import EmptyClassError, LabelError
from gssl_mm.datasets.long_tailed_profile import (
    profile_counts,
    select_classes,
)
from gssl_mm.registry import DATASETS


def shuffled(num_classes, per_class):
    return np.random.default_rng(5).permutation(
        np.repeat(np.arange(num_classes), per_class))


class Numbered(ArrayDataset):
    """Images that say which position of the source they are."""

    read_positions = None

    def __init__(self, labels, **kwargs):
        self.source_labels = np.asarray(labels)
        names = [str(i) for i in range(self.source_labels.max() + 1)]
        super().__init__(metainfo=dict(classes=names), **kwargs)

    def load_arrays(self):

        def read(positions):
            type(self).read_positions = positions
            images = np.zeros((len(positions), 4, 4, 3), np.uint8)
            images[:, 0, 0, 0] = positions % 256
            images[:, 0, 0, 1] = positions // 256
            return images

        return ArraySource(self.source_labels, read)


class Listed(BaseDataset):
    """A dataset in the host's own style."""

    def __init__(self, labels, **kwargs):
        self.source_labels = labels
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self):
        return [dict(gt_label=int(label), number=i)
                for i, label in enumerate(self.source_labels)]


def numbers(dataset):
    images = [dataset.get_data_info(i)['img'] for i in range(len(dataset))]
    return [int(im[0, 0, 0]) + 256 * int(im[0, 0, 1]) for im in images]


def naive(labels, ratio, profile, seed):
    """The released procedure on NumPy's global generator."""
    state = np.random.get_state()
    try:
        np.random.seed(seed)
        classes = np.unique(labels)
        largest = len(labels) / len(classes)
        kept = []
        for c in classes:
            if profile == 'exp':
                count = largest * (ratio**(c / (len(classes) - 1.0)))
            else:
                count = largest * (1 if c < len(classes) // 2 else ratio)
            where = np.where(labels == c)[0]
            np.random.shuffle(where)
            kept.extend(where[:int(count)])
        return [int(i) for i in kept]
    finally:
        np.random.set_state(state)


@pytest.mark.parametrize('ratio', [1, 0.3, 0.05])
@pytest.mark.parametrize('profile', ['exp', 'step'])
@pytest.mark.parametrize('seed', [0, 7])
def test_selection_is_the_released_one(ratio, profile, seed):
    labels = shuffled(10, 40)
    dataset = LongTailedDataset(
        Numbered(labels), ratio, profile, subset_seed=seed)
    expected = naive(labels, ratio, profile, seed)
    assert numbers(dataset) == expected
    np.testing.assert_array_equal(dataset.get_gt_labels(), labels[expected])
    np.testing.assert_array_equal(
        dataset.class_counts, np.bincount(labels[expected], minlength=10))


def test_selection_at_full_size_and_published_counts():
    labels = shuffled(10, 5000)
    kept = select_classes(labels, profile_counts(
        np.bincount(labels), 0.01, 'exp'), 0)
    assert kept.tolist() == naive(labels, 0.01, 'exp', 0)
    counts = np.bincount(labels[kept])
    assert counts.tolist() == [
        5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert len(kept) == 12406
    for ratio, total in ((0.01, 10847), (0.02, 12608), (0.05, 15907)):
        counts = profile_counts(np.full(100, 500), ratio, 'exp')
        assert counts.sum() == total
        assert counts[0] == 500 and counts[-1] == int(500 * ratio)


def test_global_generator_is_left_alone():
    np.random.seed(3)
    expected = np.random.rand(2)
    np.random.seed(3)
    first = np.random.rand()
    LongTailedDataset(Numbered(shuffled(4, 20)), 0.2)
    assert [first, np.random.rand()] == expected.tolist()


def test_only_the_subset_is_read_and_held():
    labels = shuffled(10, 100)
    cfg = dict(type=Numbered, labels=labels)
    dataset = LongTailedDataset(cfg, 0.05)
    kept = naive(labels, 0.05, 'exp', 0)
    assert Numbered.read_positions.tolist() == kept
    assert dataset.dataset.images.shape[0] == len(kept)
    held = dataset.dataset.images.nbytes + dataset.dataset.labels.nbytes
    assert len(pickle.dumps(dataset.dataset.images)) < 1.2 * held
    assert cfg == dict(type=Numbered, labels=labels)


def test_an_object_is_left_as_it_is():
    whole = Numbered(shuffled(10, 20))
    dataset = LongTailedDataset(whole, 0.1)
    assert len(whole) == 200 and len(dataset) < 200
    assert not np.shares_memory(whole.images, dataset.dataset.images)


@pytest.mark.parametrize('wrap', [
    'config', 'object', 'unserialized', 'concat', 'repeat', 'nested'])
def test_any_dataset_of_the_host(wrap):
    labels = shuffled(5, 30)
    cfg = dict(type=Listed, labels=labels,
               metainfo=dict(classes=list('abcde')))
    inner, source = cfg, labels
    if wrap == 'object':
        inner = Listed(labels, metainfo=dict(classes=list('abcde')))
    elif wrap == 'unserialized':
        inner = dict(cfg, serialize_data=False)
    elif wrap == 'concat':
        inner = dict(type='ConcatDataset', datasets=[cfg, cfg])
        source = np.concatenate([labels, labels])
    elif wrap == 'repeat':
        inner = dict(type='RepeatDataset', dataset=cfg, times=2)
        source = np.concatenate([labels, labels])
    elif wrap == 'nested':
        outer = LongTailedDataset(cfg, 0.5)
        source = outer.get_gt_labels()
        inner = dict(type='gssl_mm.LongTailedDataset', dataset=cfg,
                     imbalance_ratio=0.5)
    dataset = DATASETS.build(dict(
        type='gssl_mm.LongTailedDataset', dataset=inner, imbalance_ratio=0.2))
    if wrap == 'nested':
        counts = np.bincount(source)
        wanted = [int(len(source) / 5 * 0.2**(c / 4)) for c in range(5)]
        assert dataset.class_counts.tolist() == [
            min(pair) for pair in zip(counts, wanted, strict=True)]
    else:
        kept = naive(source, 0.2, 'exp', 0)
        got = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert [g['number'] for g in got] == [k % len(labels) for k in kept]
        assert [g['gt_label'] for g in got] == source[kept].tolist()
    expected = source[naive(source, 0.2, 'exp', 0)]
    np.testing.assert_array_equal(dataset.get_gt_labels(), expected)
    np.testing.assert_array_equal(
        dataset.class_counts, np.bincount(expected, minlength=5))
    np.testing.assert_array_equal(
        get_class_counts(dataset), dataset.class_counts)
    assert dataset.get_cat_ids(0) == [0] and dataset.get_cat_ids(-1) == [4]
    assert dataset.CLASSES == list('abcde') and dataset.num_classes == 5
    assert dataset.metainfo['classes'] == list('abcde')
    assert dataset[len(dataset) - 1]['gt_label'] == 4
    with pytest.raises(IndexError):
        dataset[len(dataset)]
    if wrap in ('concat', 'repeat'):
        assert isinstance(dataset.dataset, ConcatDataset | RepeatDataset)


@pytest.mark.parametrize('kind', ['array', 'concat'])
def test_subsets_of_the_subset(kind):
    labels = shuffled(5, 30)
    cfg = dict(type=Numbered, labels=labels)
    if kind == 'concat':
        cfg = dict(type='ConcatDataset', datasets=[cfg, cfg])
    dataset = LongTailedDataset(cfg, 0.2)
    everything = numbers(dataset)
    part = dataset.get_subset([3, 0, -1])
    assert numbers(part) == [everything[i] for i in (3, 0, -1)]
    assert numbers(dataset) == everything
    dataset.get_subset_(-7)
    assert numbers(dataset) == everything[-7:]
    assert dataset.class_counts.sum() == 7


def test_lazy():
    Numbered.read_positions = None
    dataset = LongTailedDataset(
        dict(type=Numbered, labels=shuffled(5, 30)), 0.2, lazy_init=True)
    assert Numbered.read_positions is None
    assert dataset.metainfo['classes'] == list('01234')
    assert len(dataset) == LongTailedDataset(
        Numbered(shuffled(5, 30)), 0.2).class_counts.sum()


def test_single_class_keeps_all():
    for profile in ('exp', 'step'):
        dataset = LongTailedDataset(
            Numbered(np.zeros(9, int)), 0.01, profile)
        assert dataset.class_counts.tolist() == [9]


def test_odd_number_of_classes_by_step():
    dataset = LongTailedDataset(Numbered(shuffled(5, 30)), 0.1, 'step')
    assert dataset.class_counts.tolist() == [30, 30, 3, 3, 3]


def test_unbalanced_source_gives_what_it_has():
    labels = np.repeat([0, 1, 2], [4, 20, 6])
    dataset = LongTailedDataset(Numbered(labels), 0.5)
    # The mean class has 10: asked for are 10, 7 and 5.
    assert dataset.class_counts.tolist() == [4, 7, 5]


def test_pickle_and_workers():
    dataset = LongTailedDataset(
        dict(type=Numbered, labels=shuffled(10, 40)), 0.1)
    other = pickle.loads(pickle.dumps(dataset))
    assert numbers(other) == numbers(dataset)
    loader = DataLoader(dataset, 16, num_workers=2, collate_fn=list)
    images = torch.stack(
        [torch.from_numpy(s['img']) for batch in loader for s in batch])
    np.testing.assert_array_equal(images.numpy(), dataset.dataset.images)


def test_real_files(make_cifar10):
    root, images, labels = make_cifar10(count=100)
    dataset = DATASETS.build(dict(
        type='gssl_mm.LongTailedDataset', imbalance_ratio=0.1,
        dataset=dict(
            type='gssl_mm.CIFAR10', data_root=str(root), verify_md5=False,
            pipeline=[dict(type='PackInputs')])))
    counts = np.bincount(labels, minlength=10)
    wanted = [int(50 * 0.1**(c / 9)) for c in range(10)]
    wanted = np.minimum(wanted, counts)
    kept = select_classes(labels, wanted, 0)
    assert isinstance(dataset.dataset, CIFAR10)
    np.testing.assert_array_equal(dataset.dataset.images, images[kept])
    np.testing.assert_array_equal(dataset.class_counts, wanted)
    sample = dataset[3]
    np.testing.assert_array_equal(
        sample['inputs'].permute(1, 2, 0), images[kept[3]])
    assert sample['data_samples'].gt_label.item() == labels[kept[3]]
    assert 'LongTailedDataset' in repr(dataset) and 'CIFAR10' in repr(dataset)
    assert len(dataset.pipeline.transforms) == 1


@pytest.mark.parametrize('ratio', [0, -0.1, 1.001, 100, '0.1', None,
                                   float('nan')])
def test_bad_ratio(ratio):
    with pytest.raises(ValueError, match=r'\(0, 1\]'):
        LongTailedDataset(Numbered(shuffled(4, 5)), ratio)


def test_bad_profile():
    with pytest.raises(ValueError, match="exp, step, got 'linear'"):
        LongTailedDataset(Numbered(shuffled(4, 5)), 0.5, 'linear')


@pytest.mark.parametrize('profile', ['exp', 'step'])
@pytest.mark.parametrize('size', [1, 3, 7, 49, 93, 500, 5000, 61234])
def test_ratio_that_empties_a_class_names_one_that_works(profile, size):
    available = np.full(7, size)
    with pytest.raises(EmptyClassError) as error:
        profile_counts(available, 0.9 / size, profile)
    message = str(error.value)
    empty = [c for c in range(7) if int(size * (0.9 / size)**(c / 6)) < 1]
    first = empty[0] if profile == 'exp' else 3
    assert f'class {first} without' in message
    works = float(message.rsplit(' ', 1)[1].rstrip('.'))
    assert profile_counts(available, works, profile).min() == 1
    assert works <= 1.002 / size


def test_class_without_a_sample_in_the_source():
    labels = np.array([0, 0, 2, 2])
    with pytest.raises(EmptyClassError, match=r'classes \[1\] have no'):
        LongTailedDataset(Numbered(labels), 1)


@pytest.mark.parametrize('bad', [
    lambda i: dict(gt_label=[0, 1]), lambda i: dict(), lambda i: dict(
        gt_label=[0] * i), lambda i: dict(gt_label=0.5)])
def test_labels_that_are_none(bad):

    class Other(Dataset):

        def __len__(self):
            return 3

        def get_data_info(self, index):
            return bad(index)

    with pytest.raises(LabelError, match='Other'):
        LongTailedDataset(Other(), 0.5)
