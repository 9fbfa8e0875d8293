"""Batches of images without labels, read without work for each sample."""
from collections.abc import Sequence, Sized

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from .array_dataset import ArrayDataset
from .errors import EmptyUnlabeledError
from .packed_batches import fetch, read_batch
from .semi_supervised import SemiSupervisedSplit


class UnlabeledBatches(Dataset):
    """A dataset that a ``DataLoader`` reads a batch at a time.

    Where the images lie in one array and the pipeline only packs them, a batch
    is one indexing operation; elsewhere every sample goes through its pipeline.

    Args:
        dataset (Sized): Any dataset of the host, most often the unlabelled
            part of a :class:`SemiSupervisedSplit`.

    Shape:
        ``inputs`` uint8 ``(N, C, H, W)``, ``gt_label`` int64 ``(N,)``, -1 for
        samples without a label.

    Raises:
        EmptyUnlabeledError: The dataset has no sample.
    """

    def __init__(self, dataset: Sized) -> None:
        if not len(dataset):
            raise EmptyUnlabeledError(
                f'the unlabelled {type(dataset).__name__} has no sample. Give '
                'a dataset with images, or include_labeled=True')
        self.dataset = dataset
        self._arrays = _find_arrays(dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Return the batch of these positions."""
        if self._arrays is None:
            return _stack(fetch(self.dataset, indices))
        source, index = self._arrays
        rows = np.asarray(indices, np.int64)
        rows = rows if index is None else index[rows]
        images, labels = read_batch(source.images, source.labels, rows)
        return dict(inputs=images, gt_label=labels)


def _find_arrays(dataset: Sized
                 ) -> tuple[ArrayDataset, np.ndarray | None] | None:
    """Find the array behind a dataset that only packs its images."""
    source, index = dataset, None
    if isinstance(dataset, SemiSupervisedSplit) and dataset.reads_through:
        source, index = dataset.dataset, dataset.index
    if not isinstance(source, ArrayDataset) or not source.reads_batches:
        return None
    return source, index


def _stack(samples: list[dict]) -> dict[str, Tensor]:
    labels = [s['data_samples'].get('gt_label', torch.tensor([-1]))
              for s in samples]
    return dict(inputs=torch.stack([s['inputs'] for s in samples]),
                gt_label=torch.cat(labels).long())


def keep_batch(batch: dict) -> dict:
    """Collate function for batches that are whole already."""
    return batch


__all__ = ['UnlabeledBatches', 'keep_batch']
