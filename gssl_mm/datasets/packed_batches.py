"""Batches of images that a pipeline only packs, without work a sample."""
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.datasets.transforms import PackInputs
from mmpretrain.structures import DataSample
from torch import Tensor

_DEFAULTS = vars(PackInputs())


def only_packs(pipeline: Any) -> bool:
    """Whether a pipeline is ``PackInputs`` alone, with default arguments."""
    steps = getattr(pipeline, 'transforms', None) or []
    return len(steps) == 1 and type(steps[0]) is PackInputs and (
        vars(steps[0]) == _DEFAULTS)


def read_batch(images: np.ndarray, labels: np.ndarray,
               rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Copy some images and labels out of arrays.

    Args:
        images (np.ndarray): (M, H, W, C) uint8.
        labels (np.ndarray): (M,) int64.
        rows (np.ndarray): Positions (N,), int64, negative ones from the end.

    Returns:
        tuple[Tensor, Tensor]: uint8 ``(N, C, H, W)``, channels last in memory,
        and int64 ``(N,)``.
    """
    picked = torch.from_numpy(images[rows]).permute(0, 3, 1, 2)
    return picked, torch.from_numpy(labels[rows])


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
            inputs.contiguous(), batch_labels[:, None].unbind(0), positions,
            strict=True):
        sample = DataSample()
        sample.set_field(label, 'gt_label')
        sample.set_field(index, 'sample_idx', field_type='metainfo')
        packed.append(dict(inputs=image, data_samples=sample))
    return packed


def overrides(dataset: Any, base: type, *names: str) -> bool:
    """Whether the class of a dataset has methods in place of its base's."""
    return any(getattr(type(dataset), name) is not getattr(base, name)
               for name in names)


def fetch(dataset: Any, indices: Sequence[int]) -> list:
    """Samples of any dataset, at once where it can read them so."""
    together = getattr(dataset, '__getitems__', None)
    return together(indices) if together else [dataset[i] for i in indices]


__all__ = ['fetch', 'only_packs', 'overrides', 'packed_samples', 'read_batch']
