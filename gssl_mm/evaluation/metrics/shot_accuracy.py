"""Accuracy of classes with many, some and few training samples."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from gssl_mm.registry import METRICS

from ..utils import table_path, training_counts, write_csv


def predicted_labels(data_samples: Sequence[dict]) -> torch.Tensor:
    """Stack the predicted labels, (N,) int64, from scores where there are."""
    if 'pred_score' in data_samples[0]:
        scores = torch.stack([s['pred_score'] for s in data_samples])
        return scores.argmax(dim=1)
    return torch.cat([s['pred_label'].flatten() for s in data_samples])


def true_labels(data_samples: Sequence[dict]) -> torch.Tensor:
    """Stack the true labels, (N,) int64; exactly one a sample is allowed."""
    labels = torch.cat([s['gt_label'].flatten() for s in data_samples])
    if len(labels) != len(data_samples):
        raise ValueError(
            f'One label a sample is needed, got {len(labels)} labels of '
            f'{len(data_samples)} samples. Use the multi-label metrics.')
    return labels


@METRICS.register_module()
class ShotAccuracy(BaseMetric):
    r"""Top-1 accuracy of many-, medium- and few-shot classes.

    Paper: Large-Scale Long-Tailed Recognition in an Open World, section 5
    (many more than 100 training samples, few less than 20).

    .. math::
        \mathrm{shot}_G = \frac{1}{|G|} \sum_{c \in G}
        \frac{\mathrm{correct}_c}{\mathrm{tested}_c}

    over the classes of the group that have test samples: every class weighs
    the same. On a test set with equally many samples a class this is the
    accuracy over the samples of the group.

    Args:
        class_counts (Sequence[int], optional): Training samples of every
            class. By default what :class:`ClassCountsHook` publishes.
        thresholds (tuple[int, int]): Few-shot classes have fewer samples
            than the first number, many-shot ones more than the second,
            medium-shot ones lie between, both included. Defaults to
            (20, 100).
        per_class_csv (bool | str): Also write a table with one row a class:
            a path, or True for ``per_class_accuracy.csv`` in the work dir.
            The file is replaced at each evaluation. Defaults to False.
        collect_device (str): ``'cpu'`` or ``'gpu'``. Defaults to ``'cpu'``.
        prefix (str, optional): Defaults to ``'shot'``.

    Returns:
        dict: ``shot/many``, ``shot/medium`` and ``shot/few`` in percent; nan
        for a group without a (tested) class, which is logged once.

    Raises:
        ValueError: If no counts are known, their number differs from the
            scores', or the thresholds do not ascend.

    Example:
        >>> custom_hooks = [dict(type='gssl_mm.ClassCountsHook')]
        >>> val_evaluator = [
        ...     dict(type='Accuracy', topk=(1, 5)),
        ...     dict(type='gssl_mm.ShotAccuracy', per_class_csv=True),
        ... ]
    """

    default_prefix = 'shot'

    def __init__(self,
                 class_counts: Sequence[int] | None = None,
                 thresholds: tuple[int, int] = (20, 100),
                 per_class_csv: bool | str = False,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        few_below, many_above = thresholds
        if few_below > many_above:
            raise ValueError(
                'thresholds must be (few below, many above) in ascending '
                f'order, got {tuple(thresholds)}.')
        self.class_counts = class_counts
        self.thresholds = (few_below, many_above)
        self.per_class_csv = per_class_csv
        self._noted: set[str] = set()

    @property
    def needs_class_counts(self) -> bool:
        """Whether somebody has to publish training counts."""
        return self.class_counts is None

    def _counts(self) -> np.ndarray:
        counts = training_counts(self.class_counts, type(self).__name__)
        return np.asarray(counts, np.int64)

    def process(self, data_batch: object,
                data_samples: Sequence[dict]) -> None:
        """Keep (true label, predicted label) of every sample.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``gt_label`` (1,) int64 and
                ``pred_score`` (num_classes,) or ``pred_label`` (1,).
        """
        self._check_classes(data_samples[0])
        table_path(self.per_class_csv, 'per_class_accuracy.csv')
        pairs = torch.stack(
            [true_labels(data_samples),
             predicted_labels(data_samples)], dim=1)
        self.results.extend(pairs.tolist())

    def _check_classes(self, data_sample: dict) -> None:
        known = len(self._counts())
        scores = data_sample.get('pred_score')
        if scores is not None and len(scores) != known:
            raise ValueError(
                f'The model scores {len(scores)} classes, the training '
                f'counts are of {known}. Make num_classes of the head, the '
                'dataset and class_counts agree.')

    def compute_metrics(self, results: list[list[int]]) -> dict[str, float]:
        """Average the accuracies of the classes of each group.

        Args:
            results (list[list[int]]): (true, predicted) of every sample.

        Returns:
            dict[str, float]: ``many``, ``medium`` and ``few`` in percent.
        """
        counts = self._counts()
        true, predicted = np.asarray(results, np.int64).reshape(-1, 2).T
        if len(true) and true.max() >= len(counts):
            raise ValueError(
                f'A test sample has the label {true.max()}, the training '
                f'counts are of {len(counts)} classes.')
        tested = np.bincount(true, minlength=len(counts))
        correct = np.bincount(
            true[true == predicted], minlength=len(counts))
        accuracy = np.full(len(counts), np.nan)
        np.divide(100. * correct, tested, out=accuracy, where=tested > 0)
        self._write(counts, tested, correct, accuracy)
        few_below, many_above = self.thresholds
        few, many = counts < few_below, counts > many_above
        groups = dict(many=many, medium=~(few | many), few=few)
        return {
            name: self._mean(name, accuracy[group & (tested > 0)])
            for name, group in groups.items()
        }

    def _mean(self, name: str, accuracies: np.ndarray) -> float:
        if len(accuracies):
            return float(accuracies.mean())
        if name not in self._noted:
            self._noted.add(name)
            MMLogger.get_current_instance().info(
                f'{self.prefix}/{name} is nan: no tested class has so many '
                f'training samples (thresholds {self.thresholds}).')
        return float('nan')

    def _write(self, counts: np.ndarray, tested: np.ndarray,
               correct: np.ndarray, accuracy: np.ndarray) -> None:
        path = table_path(self.per_class_csv, 'per_class_accuracy.csv')
        if path is None:
            return
        names = (self.dataset_meta or {}).get('classes') or ()
        names = [*names, *[''] * (len(counts) - len(names))]
        write_csv(
            path,
            ('class', 'name', 'train_count', 'test_count', 'correct',
             'accuracy'),
            zip(range(len(counts)), names[:len(counts)], counts, tested,
                correct, (f'{a:.4f}' for a in accuracy), strict=True))
