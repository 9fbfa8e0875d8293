"""Base of the datasets whose images are held in one array."""
import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from mmengine.dataset import force_full_init
from mmpretrain.datasets import BaseDataset

from .label_utils import count_labels
from .packed_batches import only_packs, overrides, packed_samples


class ArraySource(NamedTuple):
    """What a subclass of :class:`ArrayDataset` finds before reading images.

    Args:
        labels (np.ndarray): Labels of all samples, (N,) integer.
        read (Callable): Takes positions, (n,) int64, and returns the images at
            these positions, (n, H, W, 3) uint8, in their order.
    """

    labels: np.ndarray
    read: Callable[[np.ndarray], np.ndarray]


class ArrayDataset(BaseDataset):
    """Images of one size, held once in one array.

    The host keeps a pickled dict a sample. Here the images are one uint8 array
    and the labels one int64 array, which forked workers share, and which are
    read after the samples to keep are known: a long-tailed subset never holds
    the rest.

    A subclass implements :meth:`load_arrays`; ``indices``, ``filter_data``,
    ``lazy_init``, ``get_subset`` and ``get_subset_`` work as in the host.
    ``serialize_data`` has no effect.

    Args:
        ann_file (str): Not used by most subclasses. Default: ''.
        **kwargs: Arguments of the host's ``BaseDataset``: ``metainfo``,
            ``data_root``, ``data_prefix``, ``filter_cfg``, ``indices``,
            ``pipeline``, ``test_mode``, ``lazy_init``, ``max_refetch``,
            ``classes``.

    Example:
        >>> class Noise(ArrayDataset):
        ...     METAINFO = dict(classes=('a', 'b'))
        ...     def load_arrays(self):
        ...         images = np.zeros((8, 32, 32, 3), np.uint8)
        ...         return ArraySource(np.arange(8) % 2, images.__getitem__)
    """

    # Attributes that get_subset() takes a part of instead of copying.
    _ARRAYS = ('images', 'labels')

    images: np.ndarray
    labels: np.ndarray

    def __init__(self, ann_file: str = '', **kwargs) -> None:
        super().__init__(ann_file=ann_file, **kwargs)

    def load_arrays(self) -> ArraySource:
        """Find the labels of all samples and how to read their images."""
        raise NotImplementedError(
            f'{type(self).__name__} has to implement load_arrays()')

    def filter_data(self) -> np.ndarray:
        """Positions to keep, by ``filter_cfg`` and ``self.labels``: all."""
        return np.arange(len(self.labels))

    def full_init(self, select: Callable | None = None) -> None:
        """Read the labels, choose the samples, read their images.

        Args:
            select (Callable, optional): Takes the labels, (N,) int64, and
                returns the positions to keep, in order. Applied after the
                filter and ``indices``. Default: None, keep all.
        """
        if self._fully_initialized:
            return
        source = self.load_arrays()
        self.labels = np.asarray(source.labels, np.int64)
        keep = np.asarray(self.filter_data(), np.int64)
        if self._indices is not None:
            keep = keep[to_positions(self._indices, len(keep))]
        if select is not None:
            keep = keep[select(self.labels[keep])]
        self.labels = self.labels[keep]
        count_labels(self.labels, self.num_classes)
        self.images = source.read(keep)
        self._fully_initialized = True

    @property
    def num_classes(self) -> int:
        """Number of classes in the meta information."""
        if self.CLASSES is not None:
            return len(self.CLASSES)
        return int(self.labels.max(initial=-1)) + 1

    @property
    @force_full_init
    def class_counts(self) -> np.ndarray:
        """Number of samples of every class, (num_classes,) int64."""
        return count_labels(self.labels, self.num_classes)

    @force_full_init
    def __len__(self) -> int:
        return len(self.labels)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return one sample; its image is a copy that a pipeline may change.

        Args:
            idx (int): Position of the sample, may be negative.

        Returns:
            dict: ``img`` (H, W, 3) uint8 RGB, ``gt_label`` and
            ``sample_idx``.
        """
        return dict(
            img=self.images[idx].copy(),
            gt_label=int(self.labels[idx]),
            sample_idx=idx if idx >= 0 else len(self.labels) + idx)

    @property
    def reads_batches(self) -> bool:
        """Whether samples are images and labels, packed and nothing else.

        False where a subclass reads samples in its own way, or the pipeline
        has other steps.
        """
        return only_packs(self.pipeline) and not overrides(
            self, ArrayDataset, '__getitem__', 'prepare_data', 'get_data_info')

    @force_full_init
    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Return the samples of a batch, as a ``DataLoader`` asks for them.

        Where the pipeline is ``PackInputs`` alone, a batch is one indexing
        operation, cheaper than receiving it from another process: such
        recipes have no loader workers.

        Args:
            indices (Sequence[int]): Positions, may be negative.
        """
        if self.reads_batches:
            return packed_samples(self.images, self.labels, indices)
        return [self[index] for index in indices]

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Labels of all samples, (N,) int64."""
        return self.labels.copy()

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the label of a sample as a list of one."""
        return [int(self.labels[idx])]

    @force_full_init
    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Keep a part of the samples and free the others.

        Args:
            indices (Sequence[int] | int): Positions in the order wanted; or
                a number of samples, the first ones or, negative, the last.
        """
        keep = to_positions(indices, len(self.labels))
        self.images, self.labels = self.images[keep], self.labels[keep]

    @force_full_init
    def get_subset(self, indices: Sequence[int] | int) -> 'ArrayDataset':
        """Return a part of the samples as a dataset of its own.

        Args:
            indices (Sequence[int] | int): As for :meth:`get_subset_`.

        Returns:
            ArrayDataset: Holds copies of its images alone.
        """
        keep = to_positions(indices, len(self.labels))
        subset = self._copy_without_annotation()
        subset.images, subset.labels = self.images[keep], self.labels[keep]
        return subset

    def _copy_without_annotation(self, memo=None) -> 'ArrayDataset':
        memo = {} if memo is None else memo
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        for key, value in self.__dict__.items():
            if key not in self._ARRAYS:
                setattr(other, key, copy.deepcopy(value, memo))
        return other


def to_positions(indices: Sequence[int] | int, length: int) -> np.ndarray:
    """Turn the host's ``indices`` into positions.

    Args:
        indices (Sequence[int] | int): Positions, negative ones from the end;
            or a number of samples, the first ones or, negative, the last.
        length (int): Number of samples there are.

    Returns:
        np.ndarray: Positions in [0, length), int64.

    Raises:
        TypeError: ``indices`` is neither.
        IndexError: A position lies outside.
    """
    everything = np.arange(length)
    if isinstance(indices, int | np.integer):
        return everything[:indices] if indices >= 0 else everything[indices:]
    indices = np.asarray(indices)
    if indices.ndim != 1 or len(indices) and indices.dtype.kind not in 'iu':
        raise TypeError(
            'indices should be an integer or a sequence of integers, got '
            f'{indices.dtype} of shape {indices.shape}')
    return everything[indices.astype(np.int64)]


__all__ = ['ArrayDataset', 'ArraySource', 'to_positions']
