"""Accuracy of predictions corrected for the class frequencies."""
from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric

from gssl_mm.models.losses import log_priors
from gssl_mm.registry import METRICS

from ..utils import training_counts
from .shot_accuracy import true_labels


@METRICS.register_module()
class LogitAdjustedAccuracy(BaseMetric):
    r"""Top-1 accuracy after post-hoc logit adjustment, for any strengths.

    Paper: Long-Tail Learning via Logit Adjustment, equation 9: the prediction
    is :math:`\arg\max_k z_k - \tau \ln \pi_k` with the training frequencies
    :math:`\pi`. Neither the training nor the model changes; a softmax differs
    from its logits by a constant, so that scores will do.

    It is meant for a model trained by plain cross-entropy; one trained by
    :class:`LogitAdjustedLoss` or :class:`LDAMLoss` is corrected already. A
    linear classifier is deployed in its adjusted form by subtracting
    :math:`\tau \ln \pi_k` from its bias.

    Args:
        taus (Sequence[float]): Strengths. Defaults to (1.0,).
        class_counts (Sequence[int], optional): Training samples of every
            class. By default what :class:`ClassCountsHook` publishes.
        collect_device (str): ``'cpu'`` or ``'gpu'``. Defaults to ``'cpu'``.
        prefix (str, optional): Defaults to ``'adjusted'``.

    Returns:
        dict: ``adjusted/tau<tau>`` in percent for every strength.

    Raises:
        ValueError: If no counts are known, a class is empty, or the number of
            counts differs from that of the scores.

    Example:
        >>> val_evaluator = [
        ...     dict(type='Accuracy', topk=(1, 5)),
        ...     dict(type='gssl_mm.LogitAdjustedAccuracy', taus=(0.5, 1.0)),
        ... ]
    """

    default_prefix = 'adjusted'

    def __init__(self, taus: Sequence[float] = (1.0, ),
                 class_counts: Sequence[int] | None = None,
                 collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.taus = tuple(taus)
        self.class_counts = class_counts

    @property
    def needs_class_counts(self) -> bool:
        """Whether somebody has to publish training counts."""
        return self.class_counts is None

    def _priors(self, num_classes: int) -> torch.Tensor:
        counts = training_counts(self.class_counts, type(self).__name__)
        if len(counts) != num_classes:
            raise ValueError(
                f'The model scores {num_classes} classes, the training counts '
                f'are of {len(counts)}. Make num_classes of the head, the '
                'dataset and class_counts agree.')
        return torch.from_numpy(log_priors(counts))

    def process(self, data_batch: object,
                data_samples: Sequence[dict]) -> None:
        """Keep whether each sample is right, a column a strength.

        Args:
            data_batch: Not used.
            data_samples (Sequence[dict]): With ``gt_label`` (1,) int64 and
                ``pred_score`` (num_classes,) probabilities.
        """
        scores = torch.stack([s['pred_score'] for s in data_samples])
        scores = scores.double().cpu()
        # The smallest double: what has no probability stays last
        logits = scores.clamp_min(torch.finfo(torch.double).tiny).log()
        labels = true_labels(data_samples).cpu()
        priors = self._priors(scores.size(1))
        right = [(logits - tau * priors).argmax(1) == labels
                 for tau in self.taus]
        self.results.extend(torch.stack(right, 1).tolist())

    def compute_metrics(self, results: list[list[bool]]) -> dict[str, float]:
        """Average over the samples.

        Args:
            results (list[list[bool]]): Whether a sample is right, for every
                strength.

        Returns:
            dict[str, float]: Percent of right samples for every strength.
        """
        share = torch.tensor(results, dtype=torch.double).mean(0)
        return {f'tau{tau:g}': 100 * value
                for tau, value in zip(self.taus, share.tolist(), strict=True)}
