"""Labels and class counts of any dataset in the host's style."""
from collections.abc import Sized

import numpy as np
from mmengine.dataset import ClassBalancedDataset, RepeatDataset

from .errors import LabelError


def get_gt_labels(dataset: Sized) -> np.ndarray:
    """Return the label of every sample without running the pipeline.

    Args:
        dataset (Sized): A dataset of MMPretrain or MMEngine, or a wrapper of
            one, that has ``get_gt_labels`` or puts an integer ``gt_label``
            into ``get_data_info``.

    Returns:
        np.ndarray: Labels, (N,) int64.

    Raises:
        LabelError: There is no such label, or a sample has several.
    """
    if getattr(dataset, '_fully_initialized', True) is False:
        dataset.full_init()
    if hasattr(dataset, 'get_gt_labels'):
        labels = dataset.get_gt_labels()
    else:
        labels = [_label_of(dataset, index) for index in range(len(dataset))]
    try:
        labels = np.asarray(labels)
    except ValueError:
        labels = np.asarray(labels, dtype=object)
    if labels.ndim != 1 or labels.dtype.kind not in 'iu' and len(labels):
        raise LabelError(
            f'{type(dataset).__name__} has labels of shape {labels.shape} and '
            f'type {labels.dtype}; one integer a sample is needed. Multi-label '
            'data has no class counts to work with.')
    return labels.astype(np.int64)


def _label_of(dataset: Sized, index: int) -> int:
    info = {}
    if hasattr(dataset, 'get_data_info'):
        info = dataset.get_data_info(index)
    if 'gt_label' not in info:
        raise LabelError(
            f'{type(dataset).__name__} has neither get_gt_labels() nor a '
            "'gt_label' in get_data_info(). Add one of the two to it.")
    return info['gt_label']


def get_num_classes(dataset: Sized, labels: np.ndarray) -> int:
    """Number of classes: the names where there are any, else by the labels."""
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if classes is not None:
        return len(classes)
    return int(labels.max()) + 1 if len(labels) else 0


def get_class_counts(dataset: Sized) -> np.ndarray:
    """Return how many samples every class has.

    Args:
        dataset (Sized): As for :func:`get_gt_labels`.

    Returns:
        np.ndarray: Counts, (num_classes,) int64, zero for classes that are
        named in the meta information and have no sample.

    Raises:
        LabelError: There is no single integer label a sample, or one lies
            outside the named classes.
    """
    labels = get_gt_labels(dataset)
    return count_labels(labels, get_num_classes(dataset, labels))


def count_labels(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Count labels that have to lie in [0, num_classes)."""
    bad = (labels < 0) | (labels >= num_classes)
    if bad.any():
        raise LabelError(
            f'Sample {int(bad.argmax())} has the label '
            f'{int(labels[bad.argmax()])}, but there are {num_classes} '
            'classes. Correct the labels or the class names in metainfo.')
    return np.bincount(labels, minlength=num_classes).astype(np.int64)


def distinct_class_counts(dataset: Sized) -> np.ndarray:
    """Count the distinct training samples of every class.

    Args:
        dataset (Sized): A built dataset with ``class_counts``, or one for
            :func:`get_gt_labels`; repetitions by ``RepeatDataset`` and
            ``ClassBalancedDataset`` do not count.

    Returns:
        np.ndarray: Counts, (num_classes,) int64.

    Raises:
        LabelError: There is no single integer label a sample.
    """
    while isinstance(dataset, RepeatDataset | ClassBalancedDataset):
        dataset = dataset.dataset
    counts = getattr(dataset, 'class_counts', None)
    return np.asarray(
        get_class_counts(dataset) if counts is None else counts, np.int64)


__all__ = [
    'count_labels', 'distinct_class_counts', 'get_class_counts',
    'get_gt_labels', 'get_num_classes'
]
