"""Batches of images that a pipeline only packs, without work a sample."""
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.datasets.transforms import PackInputs
from mmpretrain.structures import DataSample
from torch import Tensor

# What stands between a position and a packed sample
_METHODS = ('__getitem__', 'prepare_data', 'get_data_info')


def only_packs(dataset: Any, base: type) -> bool:
    """Whether a dataset's samples are its images and labels, packed.

    Args:
        dataset (BaseDataset): Any dataset of the host.
        base (type): The class whose way of reading a sample it has to share.

    Returns:
        bool: False where a subclass reads samples in its own way, the pipeline
        has other steps, or ``PackInputs`` other arguments than by default.
    """
    if not isinstance(dataset, base) or any(
            getattr(type(dataset), name) is not getattr(base, name)
            for name in _METHODS):
        return False
    steps = getattr(dataset.pipeline, 'transforms', None) or []
    return len(steps) == 1 and type(steps[0]) is PackInputs and (
        vars(steps[0]) == vars(PackInputs()))


def read_batch(images: np.ndarray, labels: np.ndarray,
               rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Copy some images and labels out of arrays.

    Args:
        images (np.ndarray): (M, H, W, C) uint8.
        labels (np.ndarray): (M,) int64.
        rows (np.ndarray): Positions (N,), int64, negative ones from the end.

    Returns:
        tuple[Tensor, Tensor]: uint8 ``(N, C, H, W)``, contiguous, and int64
        ``(N,)``.
    """
    picked = torch.from_numpy(images[rows]).permute(0, 3, 1, 2)
    return picked.contiguous(), torch.from_numpy(labels[rows])


def packed_samples(images: np.ndarray, labels: np.ndarray,
                   indices: Sequence[int]) -> list[dict]:
    """What ``PackInputs`` makes of the samples at these positions.

    Args:
        images (np.ndarray): (M, H, W, C) uint8.
        labels (np.ndarray): (M,) int64.
        indices (Sequence[int]): N positions, negative ones from the end.

    Returns:
        list[dict]: ``inputs``, uint8 (C, H, W), and ``data_samples`` of each;
        the tensors are parts of those of the batch.
    """
    rows = np.asarray(indices, np.int64)
    inputs, batch_labels = read_batch(images, labels, rows)
    positions = (rows % len(labels)).tolist()
    packed = []
    for image, label, index in zip(
            inputs, batch_labels[:, None].unbind(0), positions, strict=True):
        sample = DataSample()
        sample.set_field(label, 'gt_label')
        sample.set_field(index, 'sample_idx', field_type='metainfo')
        packed.append(dict(inputs=image, data_samples=sample))
    return packed


def fetch(dataset: Any, indices: Sequence[int]) -> list:
    """Samples of any dataset, at once where it can read them so."""
    together = getattr(dataset, '__getitems__', None)
    return together(indices) if together else [dataset[i] for i in indices]


__all__ = ['fetch', 'only_packs', 'packed_samples', 'read_batch']
