"""Samples read by the batch are those that are read one by one."""
import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader

from gssl_mm.datasets import (
    LongTailedDataset,
    SemiSupervisedSplit,
    SyntheticShapes,
)
from gssl_mm.datasets.packed_batches import fetch
from gssl_mm.datasets.unlabeled_batches import UnlabeledBatches

PACK = [dict(type='PackInputs')]
ARGS = dict(num_per_class=6, image_size=16, seed=3)


def make(wrap, pipeline=None, kind=SyntheticShapes):
    dataset = kind(**ARGS, pipeline=pipeline or PACK)
    if wrap == 'long tail':
        return LongTailedDataset(dataset, imbalance_ratio=0.5)
    if wrap == 'split':
        return SemiSupervisedSplit(dataset, num_labeled=20)
    return dataset


def assert_alike(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
        assert torch.equal(one['inputs'], other['inputs'])
        assert one['inputs'].dtype == torch.uint8
        assert one['inputs'].is_contiguous()
        samples = one['data_samples'], other['data_samples']
        assert [type(s) for s in samples] == [DataSample] * 2
        for fields in ('all_keys', 'metainfo_keys'):
            assert sorted(getattr(samples[0], fields)()) == sorted(
                getattr(samples[1], fields)())
        assert torch.equal(samples[0].gt_label, samples[1].gt_label)
        assert samples[0].gt_label.dtype == samples[1].gt_label.dtype
        assert samples[0].sample_idx == samples[1].sample_idx
        assert type(samples[0].sample_idx) is type(samples[1].sample_idx)


@pytest.mark.parametrize('wrap', ['', 'long tail', 'split'])
def test_a_batch_is_its_samples(wrap):
    dataset = make(wrap)
    indices = [4, 0, 17, 4] + ([-1] if wrap != 'split' else [])
    assert_alike(dataset.__getitems__(indices), [dataset[i] for i in indices])
    assert dataset.__getitems__([]) == []
    with pytest.raises(IndexError):
        dataset.__getitems__([0, 60])
    with pytest.raises(IndexError):
        dataset.__getitems__([-61])


class Brighter(SyntheticShapes):
    """Reads samples in its own way."""

    def get_data_info(self, idx):
        info = super().get_data_info(idx)
        return dict(info, img=np.full_like(info['img'], 255))


@pytest.mark.parametrize(('kind', 'pipeline'), [
    (Brighter, PACK),
    (SyntheticShapes, [dict(type='RandomFlip', prob=1.), *PACK]),
    (SyntheticShapes, [dict(type='PackInputs', meta_keys=())]),
    (SyntheticShapes, [dict(type='PackInputs',
                            algorithm_keys=('sample_idx', ),
                            meta_keys=())]),
])
def test_other_samples_are_read_one_by_one(kind, pipeline):
    dataset = make('', pipeline, kind)
    for one, other in zip(dataset.__getitems__([2, 5]),
                          (dataset[2], dataset[5]), strict=True):
        assert torch.equal(one['inputs'], other['inputs'])
        assert sorted(one['data_samples'].all_keys()) == sorted(
            other['data_samples'].all_keys())
    if kind is Brighter:
        assert int(dataset.__getitems__([0])[0]['inputs'].min()) == 255


class Relabels:
    """A mixin that reads samples in its own way."""

    def __getitem__(self, idx):
        packed = super().__getitem__(idx)
        packed['data_samples'].set_gt_label(9)
        return packed


class RelabeledTail(Relabels, LongTailedDataset):
    """A wrapper that changes samples."""


class RelabeledSplit(Relabels, SemiSupervisedSplit):
    """Another one."""


@pytest.mark.parametrize(('kind', 'options'), [
    (RelabeledTail, dict(imbalance_ratio=0.5)),
    (RelabeledSplit, dict(num_labeled=20, part='unlabeled'))])
def test_wrappers_that_change_samples_are_asked_for_each(kind, options):
    dataset = kind(make(''), **options)
    for found in (*dataset.__getitems__([1, 4]),
                  *DataLoader(dataset, 2, collate_fn=pseudo_collate)):
        labels = found['data_samples']
        labels = labels if isinstance(labels, list) else [labels]
        assert {int(sample.gt_label) for sample in labels} == {9}
    batch = UnlabeledBatches(dataset).__getitems__([0, 1, 2])
    assert batch['gt_label'].tolist() == [9, 9, 9]


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('wrap', ['', 'long tail', 'split'])
def test_loaders_with_and_without_workers_give_the_same(wrap, collate):
    dataset = make(wrap)
    batches = [list(DataLoader(dataset, 7, num_workers=n, collate_fn=collate))
               for n in (0, 2)]
    for ours, theirs in zip(*batches, strict=True):
        found = [dict(inputs=image, data_samples=sample) for image, sample in
                 zip(ours['inputs'], ours['data_samples'], strict=True)]
        assert_alike(found, [
            dict(inputs=image, data_samples=sample) for image, sample in
            zip(theirs['inputs'], theirs['data_samples'], strict=True)])


def test_changing_a_batch_leaves_the_data_alone():
    dataset = make('')
    before = dataset.images.copy(), dataset.labels.copy()
    for packed in dataset.__getitems__([0, 1, 2]):
        packed['inputs'].zero_()
        packed['data_samples'].gt_label.fill_(9)
    assert (dataset.images == before[0]).all()
    assert (dataset.labels == before[1]).all()


def test_fetch_knows_datasets_without_batches():
    assert fetch([3, 4, 5], [2, 0]) == [5, 3]
