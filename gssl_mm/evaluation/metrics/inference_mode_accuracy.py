"""Accuracy of every inference mode of a joint head."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from gssl_mm.registry import METRICS

from .shot_accuracy import true_labels

FIELD = 'pred_label_'


@METRICS.register_module()
class InferenceModeAccuracy(BaseMetric):
    """Top-1 accuracy of each inference mode, side by side.

    Paper: Self-supervision of Feature Transformation for Further Improving
    Supervised Learning, table 1: the columns SI, AG and SD of one model.

    Args:
        collect_device (str): ``'cpu'`` or ``'gpu'``. Defaults to ``'cpu'``.
        prefix (str, optional): Defaults to ``''``, none.

    Returns:
        dict: ``acc_single``, ``acc_aggregated`` and, with a student,
        ``acc_distilled``, in percent.

    Raises:
        ValueError: If the head predicts no modes.

    Example:
        >>> val_evaluator = [
        ...     dict(type='Accuracy', topk=(1, 5)),
        ...     dict(type='gssl_mm.InferenceModeAccuracy'),
        ... ]
    """

    default_prefix = ''

    def __init__(self, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.modes: list[str] = []

    def process(self, data_batch: object,
                data_samples: Sequence[dict]) -> None:
        """Keep whether each mode is right on every sample.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``gt_label`` (1,) int64 and
                ``pred_label_<mode>`` (1,) int64 of every mode.
        """
        self.modes = [key.removeprefix(FIELD) for key in data_samples[0]
                      if key.startswith(FIELD)]
        if not self.modes:
            raise ValueError(
                'InferenceModeAccuracy found no predictions of several '
                "modes. Use a head of type 'gssl_mm.JointLabelHead', or "
                'remove the metric')
        predicted = torch.stack([
            torch.cat([sample[FIELD + mode] for sample in data_samples])
            for mode in self.modes], 1)
        correct = predicted == true_labels(data_samples)[:, None]
        self.results.extend(correct.tolist())

    def compute_metrics(self, results: list[list[bool]]) -> dict[str, float]:
        """Average over the samples.

        Args:
            results (list[list[bool]]): As :meth:`process` keeps them.

        Returns:
            dict[str, float]: ``acc_<mode>`` in percent.
        """
        accuracy = 100 * np.asarray(results, np.float64).mean(0)
        return {f'acc_{mode}': float(value)
                for mode, value in zip(self.modes, accuracy, strict=True)}
