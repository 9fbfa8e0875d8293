"""How far confidence is from accuracy."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from gssl_mm.registry import METRICS

from ..utils import table_path, write_csv
from .shot_accuracy import true_labels


@METRICS.register_module()
class CalibrationError(BaseMetric):
    r"""Expected calibration error and negative log-likelihood.

    Paper: On Calibration of Modern Neural Networks, equations 3 and 4 of
    section 2. With the M bins ((m - 1) / M, m / M] of the highest score,

    .. math::
        \mathrm{ECE} = \sum_m \frac{n_m}{n}
        |\mathrm{acc}_m - \mathrm{conf}_m|, \qquad
        \mathrm{NLL} = -\frac{1}{n} \sum_i \log p_{i, y_i}

    Note:
        A probability of zero counts as the smallest normal float32, 1.2e-38:
        a sample adds at most 87.3 to the sum of NLL.

    Args:
        num_bins (int): M, at least 1. Defaults to 15.
        bins_csv (bool | str): Also write a table with one row a bin, for a
            reliability diagram: a path, or True for
            ``calibration_bins.csv`` in the work dir. The file is replaced at
            each evaluation. Defaults to False.
        collect_device (str): ``'cpu'`` or ``'gpu'``. Defaults to ``'cpu'``.
        prefix (str, optional): Defaults to ``'calibration'``.

    Attributes:
        bins (dict[str, np.ndarray] | None): Of the last evaluation, on the
            main process: ``lower``, ``upper``, ``count``, ``accuracy`` and
            ``confidence`` of every bin (nan where it is empty), in [0, 1].

    Returns:
        dict: ``calibration/ece`` in percent and ``calibration/nll`` in nats.

    Raises:
        ValueError: If num_bins is less than 1, or scores are no
            probabilities.

    Example:
        >>> val_evaluator = [
        ...     dict(type='Accuracy', topk=(1, 5)),
        ...     dict(type='gssl_mm.CalibrationError', num_bins=15),
        ... ]
    """

    default_prefix = 'calibration'

    def __init__(self,
                 num_bins: int = 15,
                 bins_csv: bool | str = False,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if num_bins < 1:
            raise ValueError(f'num_bins must be at least 1, got {num_bins}.')
        self.num_bins = num_bins
        self.bins_csv = bins_csv
        self.bins: dict[str, np.ndarray] | None = None

    def process(self, data_batch: object,
                data_samples: Sequence[dict]) -> None:
        """Keep (confidence, correct, probability of the true class).

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``gt_label`` (1,) int64 and
                ``pred_score`` (num_classes,), which sums to 1.
        """
        table_path(self.bins_csv, 'calibration_bins.csv')
        scores = torch.stack([s['pred_score'] for s in data_samples]).float()
        labels = true_labels(data_samples)
        confidence, predicted = scores.max(dim=1)
        rows = torch.stack([
            confidence, (predicted == labels).float(),
            scores.gather(1, labels[:, None])[:, 0],
            scores.sum(dim=1),
            scores.amin(dim=1)
        ], dim=1).cpu().double().numpy()
        # 0.02 is room for scores that were rounded to bfloat16.
        sums, smallest = rows[:, 3], rows[:, 4].min()
        if not ((np.abs(sums - 1) <= 0.02).all() and smallest >= 0):
            raise ValueError(
                'CalibrationError needs scores that are probabilities: not '
                'negative, with sum 1. Got a sum of '
                f'{sums[np.abs(sums - 1).argmax()]:.4g} and a smallest '
                f'score of {smallest:.4g}.')
        self.results.extend(rows[:, :3].tolist())

    def compute_metrics(self, results: list[list[float]]) -> dict[str, float]:
        """Bin the confidences and sum up.

        Args:
            results (list[list[float]]): As :meth:`process` keeps them.

        Returns:
            dict[str, float]: ``ece`` in percent, ``nll``.
        """
        rows = np.asarray(results, np.float64).reshape(-1, 3)
        confidence, correct, likelihood = rows.T
        edges = np.linspace(0, 1, self.num_bins + 1)
        index = np.searchsorted(edges[1:-1], confidence, side='left')
        size = dict(minlength=self.num_bins)
        count = np.bincount(index, **size)
        sums = [np.bincount(index, values, **size)
                for values in (correct, confidence)]
        self._keep_bins(edges, count, *sums)
        if not len(rows):
            return dict(ece=float('nan'), nll=float('nan'))
        tiny = np.finfo(np.float32).tiny
        return dict(
            ece=float(100 * np.abs(sums[0] - sums[1]).sum() / len(rows)),
            nll=float(-np.log(np.maximum(likelihood, tiny)).mean()))

    def _keep_bins(self, edges: np.ndarray, count: np.ndarray,
                   correct: np.ndarray, confidence: np.ndarray) -> None:
        filled = np.where(count > 0, count, np.nan)
        self.bins = dict(
            lower=edges[:-1],
            upper=edges[1:],
            count=count,
            accuracy=correct / filled,
            confidence=confidence / filled)
        path = table_path(self.bins_csv, 'calibration_bins.csv')
        if path is not None:
            write_csv(path, tuple(self.bins),
                      zip(*self.bins.values(), strict=True))
