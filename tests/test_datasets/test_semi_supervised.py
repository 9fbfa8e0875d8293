"""Labelled and unlabelled parts, index files, and batches of the latter."""
import json
import random

import numpy as np
import pytest
import torch

from gssl_mm.datasets import ArrayDataset, ArraySource, SemiSupervisedSplit
from gssl_mm.datasets.errors import (
    EmptyUnlabeledError,
    LabelError,
    SplitMismatchError,
    TooFewLabelsError,
)
from gssl_mm.datasets.split_file import choose_split
from gssl_mm.datasets.unlabeled_batches import UnlabeledBatches
from gssl_mm.registry import DATASETS

PACK = [dict(type='PackInputs')]


@DATASETS.register_module()
class SplitToy(ArrayDataset):
    """Images that hold their own position; labels in a mixed order."""

    METAINFO = dict(classes=tuple('abcde'))

    def __init__(self, size=100, label_seed=0, **kwargs):
        self.size, self.label_seed = size, label_seed
        super().__init__(**kwargs)

    def load_arrays(self):
        labels = np.arange(self.size) % 5
        np.random.default_rng(self.label_seed).shuffle(labels)

        def read(rows):
            images = np.zeros((len(rows), 4, 6, 3), np.uint8)
            images[..., 0] = rows[:, None, None]
            images[..., 1] = np.arange(6)
            return images

        return ArraySource(labels, read)


def toy(**kwargs):
    return dict(type='gssl_mm.SplitToy', pipeline=PACK, **kwargs)


def split(num_labeled=20, **kwargs):
    return SemiSupervisedSplit(toy(), num_labeled, **kwargs)


def test_chosen_as_the_formula_says():
    part = split(split_seed=3)
    labels = part.dataset.labels
    generator, expected = np.random.RandomState(3), []
    for label in range(5):
        rows = np.flatnonzero(labels == label)
        generator.shuffle(rows)
        expected += rows[:4].tolist()
    assert part.index.tolist() == expected
    assert part.class_counts.tolist() == [4] * 5
    assert (part.get_gt_labels() == np.repeat(np.arange(5), 4)).all()
    sample = part[7]
    assert sample['inputs'][0, 0, 0] == expected[7]
    assert sample['data_samples'].gt_label.item() == 1
    assert part.get_cat_ids(7) == [1]
    assert part.get_data_info(7)['gt_label'] == 1
    assert part.metainfo['classes'] == tuple('abcde') == part.CLASSES
    assert len(part) == 20 and part.num_classes == 5


def test_a_smaller_split_is_a_part_of_a_larger_one():
    small, large = set(split(5).index), set(split(60).index)
    assert small < large
    assert set(split(20, split_seed=1).index) != set(split(20).index)


def test_generators_of_the_process_are_left_alone():
    np.random.seed(5)
    random.seed(5)
    torch.manual_seed(5)
    before = np.random.get_state()[1].tolist(), random.getstate()
    split()
    assert np.random.get_state()[1].tolist() == before[0]
    assert random.getstate() == before[1]
    assert torch.initial_seed() == 5


def test_unlabelled_parts():
    labeled = split()
    rest = split(part='unlabeled', include_labeled=False)
    assert len(split(part='unlabeled')) == 100
    assert not set(rest.index) & set(labeled.index) and len(rest) == 80
    other = labeled.other_part()
    assert other.part == 'unlabeled' and len(other) == 100
    assert other.dataset is labeled.dataset
    assert labeled.part == 'labeled' and len(labeled) == 20
    assert other.other_part().index.tolist() == labeled.index.tolist()
    assert "part='unlabeled', 100 of 100 samples, 20 labelled" in repr(other)


def test_a_built_dataset_is_taken_too():
    dataset = DATASETS.build(toy())
    part = SemiSupervisedSplit(dataset, 10)
    assert part.dataset is dataset and part.pipeline is dataset.pipeline


@pytest.mark.parametrize('number, message', [
    (4, 'num_labeled=4 is fewer than one.*5 classes.*from 5 to 100'),
    (0, 'fewer than one'), (-5, 'fewer than one'),
    (13, 'cannot be shared equally'),
    (105, 'needs 21 samples of each class, but class 0 has 20')])
def test_impossible_numbers(number, message):
    with pytest.raises(TooFewLabelsError, match=message):
        split(number)


def test_images_without_a_label_are_named():
    with pytest.raises(LabelError, match='Sample 1 has the label -1'):
        choose_split(np.array([0, -1, 1]), 2, 2, 0)


def test_a_whole_number_may_be_written_as_a_float():
    assert split(20.).index.tolist() == split(20).index.tolist()
    with pytest.raises(TooFewLabelsError, match='20.5 cannot be shared'):
        split(20.5)


def test_switches():
    with pytest.raises(ValueError, match="part must be one of.*'labelled'"):
        split(part='labelled')
    with pytest.raises(ValueError, match='needs num_labeled'):
        SemiSupervisedSplit(toy())


def test_index_file(tmp_path):
    path = tmp_path / 'a' / 'split.json'
    chosen = split(split_seed=7, index_file=path)
    assert path.is_file()
    for number, seed in ((None, None), (20, None), (20, 7)):
        found = SemiSupervisedSplit(
            toy(), number, index_file=path, split_seed=seed)
        assert found.index.tolist() == chosen.index.tolist()
        assert found.split.seed == 7
    content = json.loads(path.read_text())
    assert content['num_samples'] == 100 and len(content['labeled']) == 20
    copy = tmp_path / 'copy.json'
    found.save(copy)
    assert copy.read_text() == path.read_text()


def test_an_index_file_of_other_data_is_refused(tmp_path):
    path = tmp_path / 'split.json'
    split(index_file=path)
    with pytest.raises(SplitMismatchError, match='100 samples, but this one '
                       'has 50'):
        SemiSupervisedSplit(toy(size=50), index_file=path)
    with pytest.raises(SplitMismatchError, match='other labels'):
        SemiSupervisedSplit(toy(label_seed=1), index_file=path)
    with pytest.raises(SplitMismatchError, match='20 labelled samples, but '
                       'num_labeled=25'):
        SemiSupervisedSplit(toy(), 25, index_file=path)
    with pytest.raises(SplitMismatchError, match='seed 0, but split_seed=1'):
        SemiSupervisedSplit(toy(), 20, index_file=path, split_seed=1)
    with pytest.raises(FileNotFoundError, match='Give num_labeled as well'):
        SemiSupervisedSplit(toy(), index_file=tmp_path / 'none.json')


@pytest.mark.parametrize('change', [
    lambda c: c.update(format='other'), lambda c: c.pop('labeled'),
    lambda c: c.update(labeled='abc'), lambda c: c.update(labeled=[0.5]),
    lambda c: c.update(labeled=[0, 0]), lambda c: c.update(labeled=[-1]),
    lambda c: c.update(labeled=[100]), lambda c: c.update(more=1)])
def test_damaged_index_files(tmp_path, change):
    path = tmp_path / 'split.json'
    split(index_file=path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(SplitMismatchError, match=str(path)):
        SemiSupervisedSplit(toy(), index_file=path)
    path.write_text('{"format": ')
    with pytest.raises(SplitMismatchError, match='not an index file'):
        SemiSupervisedSplit(toy(), index_file=path)


def test_batches_equal_samples():
    part = split(part='unlabeled', include_labeled=False)
    fast = UnlabeledBatches(part)
    slow = UnlabeledBatches(part)
    assert fast._arrays is not None
    slow._arrays = None
    rows = [3, 79, 0, 3]
    one, two = fast.__getitems__(rows), slow.__getitems__(rows)
    assert one.keys() == two.keys() == {'inputs', 'gt_label'}
    for key in one:
        assert one[key].dtype == two[key].dtype
        assert torch.equal(one[key], two[key]), key
    assert one['inputs'].shape == (4, 3, 4, 6)
    # A copy: the dataset is not in a training step's hands
    one['inputs'].zero_()
    assert part.dataset.images[:, :, :, 1].any()
    assert len(fast) == 80


def test_batches_of_other_datasets_run_their_pipelines():
    config = toy()
    config['pipeline'] = [dict(type='RandomFlip', prob=1.), *PACK]
    flipped = UnlabeledBatches(DATASETS.build(config))
    assert flipped._arrays is None
    batch = flipped.__getitems__([5])
    assert batch['inputs'][0, 1, 0].tolist() == [5, 4, 3, 2, 1, 0]
    # Without a label
    sample = flipped.dataset[0]
    del sample['data_samples'].gt_label
    flipped.dataset = [sample]
    assert flipped.__getitems__([0])['gt_label'].tolist() == [-1]


def test_no_unlabelled_sample():
    empty = split(100, part='unlabeled', include_labeled=False)
    with pytest.raises(EmptyUnlabeledError, match='has no sample'):
        UnlabeledBatches(empty)
