"""Labelled and unlabelled parts of any dataset."""
import copy
import os

import numpy as np
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from torch.utils.data import Dataset

from gssl_mm.registry import DATASETS

from .dataset_wrapper import DatasetWrapper
from .label_utils import count_labels, get_gt_labels, get_num_classes
from .split_file import (
    Split,
    check_split,
    choose_split,
    read_split,
    write_split,
)

PARTS = ('labeled', 'unlabeled')


@DATASETS.register_module()
class SemiSupervisedSplit(DatasetWrapper, Dataset):
    """Keeps the labelled or the unlabelled part of a dataset.

    The labelled part has the same number of samples of every class. It is
    chosen by ``split_seed``, apart from the seed of the training: NumPy's
    legacy generator shuffles the positions of each class, classes in ascending
    order, and the first ones are taken. A smaller split of a seed is a part of
    a larger one.

    An index file makes a split citable: it holds the positions and a digest of
    all labels, by which another data set is refused. With ``num_labeled`` a
    file that does not exist yet is written.

    Note:
        As in the FixMatch code, and so in the papers' tables, the unlabelled
        part holds all samples, the labelled ones too;
        ``include_labeled=False`` leaves these out. Its labels are there to
        measure pseudo-labels; no loss reads them.

    Args:
        dataset (dict | Dataset): The dataset or its config: anything with
            ``get_gt_labels`` or an integer ``gt_label`` in ``get_data_info``.
        num_labeled (int, optional): Labelled samples, a multiple of the number
            of classes. Defaults to None, those of the index file.
        split_seed (int, optional): Seed of the choice. Defaults to None, that
            of the index file or 0.
        index_file (str, optional): File to read the split from, or to write it
            to. Defaults to None.
        part (str): ``'labeled'`` or ``'unlabeled'``. Defaults to
            ``'labeled'``.
        include_labeled (bool): Whether the unlabelled part holds the labelled
            samples too. Defaults to True.

    Raises:
        ValueError: ``part`` is unknown, or neither ``num_labeled`` nor
            ``index_file`` is given.
        TooFewLabelsError: ``num_labeled`` is less than the number of classes,
            no multiple of it, or more than there are.
        SplitMismatchError: The index file is of another dataset or split.
        FileNotFoundError: There is no index file and no ``num_labeled``.
        LabelError: The dataset has no single integer label a sample.

    Example:
        >>> train_dataloader = dict(dataset=dict(
        ...     type='gssl_mm.SemiSupervisedSplit', num_labeled=250,
        ...     dataset=dict(
        ...         type='gssl_mm.CIFAR10', data_root='data/cifar10',
        ...         split='train', pipeline=[dict(type='PackInputs')])))
    """

    def __init__(self,
                 dataset: dict | Dataset,
                 num_labeled: int | None = None,
                 split_seed: int | None = None,
                 index_file: str | os.PathLike | None = None,
                 part: str = 'labeled',
                 include_labeled: bool = True) -> None:
        if part not in PARTS:
            raise ValueError(f'part must be one of {PARTS}, got {part!r}')
        if num_labeled is None and index_file is None:
            raise ValueError(
                'a split needs num_labeled, the number of labelled samples, '
                'or index_file, a file to read it from')
        self.dataset = DATASETS.build(dataset) if isinstance(
            dataset, dict) else dataset
        self._labels = get_gt_labels(self.dataset)
        self._num_classes = get_num_classes(self.dataset, self._labels)
        self.index_file = index_file
        self.include_labeled = include_labeled
        self.split = self._make_split(num_labeled, split_seed)
        self.part = part
        self.index = self._positions(part)

    def _make_split(self, num_labeled: int | None,
                    seed: int | None) -> Split:
        """Read the split, or choose it and write it if a file is named."""
        path = self.index_file
        if path is not None and (num_labeled is None or os.path.exists(path)):
            split = read_split(path)
            check_split(split, self._labels, num_labeled, str(path), seed)
            return split
        split = choose_split(
            self._labels, self._num_classes, num_labeled, seed or 0)
        if path is not None and is_main_process():
            write_split(path, split)
            MMLogger.get_current_instance().info(
                f'The split is written to {path}.')
        return split

    def _positions(self, part: str) -> np.ndarray:
        if part == 'labeled':
            return self.split.labeled
        everything = np.arange(len(self._labels))
        if self.include_labeled:
            return everything
        return np.setdiff1d(everything, self.split.labeled)

    def other_part(self) -> 'SemiSupervisedSplit':
        """Return the other part of the same split, on the same images."""
        other = copy.copy(self)
        other.part = PARTS[1 - PARTS.index(self.part)]
        other.index = self._positions(other.part)
        return other

    def save(self, path: str | os.PathLike) -> None:
        """Write the split to an index file that others can read."""
        write_split(path, self.split)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self._num_classes

    @property
    def class_counts(self) -> np.ndarray:
        """Number of samples of every class in this part, (C,) int64."""
        return count_labels(self._labels[self.index], self._num_classes)

    def __len__(self) -> int:
        return len(self.index)

    def _inner(self, idx: int) -> int:
        return int(self.index[idx])

    def get_gt_labels(self) -> np.ndarray:
        """Labels of this part, (N,) int64."""
        return self._labels[self.index]

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the label of a sample as a list of one."""
        return [int(self._labels[self.index[idx]])]

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(part={self.part!r}, {len(self)} of '
                f'{len(self._labels)} samples, {len(self.split.labeled)} '
                f'labelled, split_seed={self.split.seed}) of\n'
                f'{self.dataset!r}')


__all__ = ['PARTS', 'SemiSupervisedSplit']
