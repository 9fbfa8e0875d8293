"""A long-tailed subset of any dataset."""
import copy
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import force_full_init
from mmengine.logging import MMLogger
from torch.utils.data import Dataset

from gssl_mm.registry import DATASETS

from .array_dataset import ArrayDataset, to_positions
from .dataset_wrapper import DatasetWrapper
from .label_utils import count_labels, get_gt_labels, get_num_classes
from .long_tailed_profile import check_profile, profile_counts, select_classes


@DATASETS.register_module()
class LongTailedDataset(DatasetWrapper, Dataset):
    r"""Keeps fewer samples the later a class comes.

    Paper: Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss, section 4 (data sets of Cui et al.). The samples kept are, index by
    index, those of the authors' released code: classes in ascending order,
    the positions of a class in file order shuffled by NumPy's legacy generator
    with ``subset_seed``, the first :math:`n_c` kept, class after class.

    .. math::
        n_c = \lfloor n_{max} \rho^{c / (C - 1)} \rfloor, \quad
        n_{max} = N / C

    ('exp'; 'step' keeps :math:`n_{max}` of the first half of the classes and
    :math:`\lfloor n_{max} \rho \rfloor` of the others; of an odd number of
    classes the middle one counts to the tail, of a single class all is kept).

    Note:
        :math:`n_{max}` is the mean class size, as in the released code, also
        where the classes differ in size; a class with fewer samples than
        :math:`n_c` gives all it has. ``class_counts`` are what was kept.
        NumPy's global generator is neither read nor changed.

    Note:
        What is not kept is not held: an :class:`ArrayDataset` given as a config
        reads the kept images alone, other datasets of the host's base class are
        cut down after loading. Wrappers that cannot be cut (``ConcatDataset``,
        ``RepeatDataset``) stay whole behind an index. A dataset given as an
        object is left as it is and a subset of it is taken.

    Args:
        dataset (dict | Dataset): The dataset or its config: anything with
            ``get_gt_labels`` or an integer ``gt_label`` in ``get_data_info``.
        imbalance_ratio (float): Smallest over largest class, in (0, 1].
        profile (str): 'exp' or 'step'. Default: 'exp'.
        subset_seed (int): Seed of the selection, apart from the seed of the
            training. Default: 0, the published subset.
        lazy_init (bool): Whether to load at the first use. Default: False.

    Raises:
        ValueError: The ratio or the profile is none.
        EmptyClassError: A class would be left without a sample.
        LabelError: The dataset has no single integer label a sample.

    Example:
        >>> train = dict(
        ...     type='gssl_mm.LongTailedDataset', imbalance_ratio=0.01,
        ...     dataset=dict(
        ...         type='gssl_mm.CIFAR100', data_root='data/cifar100',
        ...         split='train', pipeline=[dict(type='PackInputs')]))
    """

    _fully_initialized = False

    def __init__(self,
                 dataset: dict | Dataset,
                 imbalance_ratio: float,
                 profile: str = 'exp',
                 subset_seed: int = 0,
                 lazy_init: bool = False) -> None:
        check_profile(imbalance_ratio, profile)
        self.imbalance_ratio = imbalance_ratio
        self.profile = profile
        self.subset_seed = subset_seed
        self._owned = isinstance(dataset, dict)
        self.dataset = _build(dataset) if self._owned else dataset
        # Positions in the wrapped dataset, None where it holds the subset.
        self._index: np.ndarray | None = None
        if not lazy_init:
            self.full_init()

    def full_init(self) -> None:
        """Load the wrapped dataset and keep the subset of it."""
        if self._fully_initialized:
            return
        dataset = self.dataset
        if isinstance(dataset, ArrayDataset) and self._owned and not (
                dataset._fully_initialized):
            dataset.full_init(select=self._select)
        else:
            self._cut(self._select(get_gt_labels(dataset)))
        self._labels = get_gt_labels(self.dataset)
        if self._index is not None:
            self._labels = self._labels[self._index]
        self._fully_initialized = True

    def _select(self, labels: np.ndarray) -> np.ndarray:
        """Positions of the samples to keep, given all labels."""
        num_classes = get_num_classes(self.dataset, labels)
        available = count_labels(labels, num_classes)
        wanted = profile_counts(available, self.imbalance_ratio, self.profile)
        short = np.flatnonzero(available < wanted)
        if len(short):
            MMLogger.get_current_instance().warning(
                f'LongTailedDataset: classes {short.tolist()} have fewer '
                'samples than the profile asks for; all of them are kept.')
        return select_classes(labels, wanted, self.subset_seed)

    def _cut(self, keep: np.ndarray) -> None:
        """Reduce the wrapped dataset to the samples kept."""
        take = 'get_subset_' if self._owned else 'get_subset'
        take = getattr(self.dataset, take, None)
        try:
            subset = take(keep.tolist()) if take else None
        except NotImplementedError:
            # Wrappers of MMEngine refuse to be cut.
            take = None
        if take is None:
            self._index = keep
        elif not self._owned:
            self.dataset = subset

    @property
    @force_full_init
    def num_classes(self) -> int:
        """Number of classes."""
        return get_num_classes(self.dataset, self._labels)

    @property
    @force_full_init
    def class_counts(self) -> np.ndarray:
        """Number of samples kept of every class, (num_classes,) int64."""
        return count_labels(self._labels, self.num_classes)

    @force_full_init
    def __len__(self) -> int:
        return len(self._labels)

    def _inner(self, idx: int) -> int:
        if not -len(self) <= idx < len(self):
            raise IndexError(f'index {idx} of {len(self)} samples')
        idx = idx if idx >= 0 else len(self) + idx
        return idx if self._index is None else int(self._index[idx])

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Labels of the samples kept, (N,) int64."""
        return self._labels.copy()

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the label of a sample as a list of one."""
        return [int(self._labels[idx])]

    @force_full_init
    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Keep a part of the subset and free the rest where that is possible.

        Args:
            indices (Sequence[int] | int): Positions in the order wanted; or
                a number of samples, the first ones or, negative, the last.
        """
        keep = to_positions(indices, len(self))
        if self._index is None:
            self.dataset.get_subset_(keep.tolist())
        else:
            self._index = self._index[keep]
        self._labels = self._labels[keep]

    @force_full_init
    def get_subset(self, indices: Sequence[int] | int) -> 'LongTailedDataset':
        """Return a part of the subset as a dataset of its own."""
        other = copy.copy(self)
        keep = to_positions(indices, len(self))
        if self._index is None:
            other.dataset = self.dataset.get_subset(keep.tolist())
        else:
            other._index = self._index[keep]
        other._labels = self._labels[keep]
        return other

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(imbalance_ratio='
                f'{self.imbalance_ratio}, profile={self.profile!r}, '
                f'subset_seed={self.subset_seed}) of\n{self.dataset!r}')


def _build(config: dict) -> Dataset:
    """Build the wrapped dataset, without its images where it can wait."""
    with DATASETS.switch_scope_and_registry(config.get('_scope_')) as registry:
        kind = config['type']
        kind = registry.get(kind) if isinstance(kind, str) else kind
    if isinstance(kind, type) and issubclass(kind, ArrayDataset):
        config = {**config, 'lazy_init': True}
    return DATASETS.build(config)


__all__ = ['LongTailedDataset']
