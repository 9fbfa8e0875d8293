"""Label-distribution-aware margin loss."""
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from .class_weighted_loss import ClassWeightedLoss


def ldam_margins(class_counts: Sequence[int], max_margin: float) -> np.ndarray:
    r"""Margins :math:`m_c = m_{max} (n_{min} / n_c)^{1/4}`, float64.

    Args:
        class_counts (Sequence[int]): Training samples of each class, >= 1.
        max_margin (float): Margin of the rarest class.

    Raises:
        ValueError: If a class is empty.
    """
    counts = np.asarray(class_counts, dtype=np.float64)
    if counts.min() < 1:
        raise ValueError(f'classes {np.flatnonzero(counts < 1).tolist()} have '
                         'no training sample: their margin is not defined')
    return max_margin * (counts.min() / counts)**0.25


@MODELS.register_module()
class LDAMLoss(ClassWeightedLoss):
    r"""Cross-entropy with a larger margin for rarer classes.

    Paper: Learning Imbalanced Datasets with Label-Distribution-Aware Margin
    Loss, equations 10 and 13: on scaled cosines ``z`` (see
    :class:`CosineClsHead`) the logit of the true class is lowered by
    :math:`s \cdot m_y`, with :math:`m_c = m_{max} (n_{min} / n_c)^{1/4}`.

    Margins come from ``LDAMHook``, or from ``class_counts``.

    Args:
        max_margin (float): Margin of the rarest class, on the cosine. Defaults
            to 0.5.
        scale (float): Scale s of the logits; that of the head. Defaults to 30.
        class_counts (Sequence[int], optional): Training counts in label order,
            where no hook sets them. Defaults to None.
        **kwargs: Arguments of :class:`ClassWeightedLoss`.

    Shape:
        - cls_score: float ``(N, K)`` in [-scale, scale]; target: int64
          ``(N,)``, or float ``(N, K)`` shares.
        - returns: scalar.

    Raises:
        ValueError: If an argument is not positive, or the loss is used before
            it knows the class counts.
    """

    def __init__(self, max_margin: float = 0.5, scale: float = 30.,
                 class_counts: Sequence[int] | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if max_margin <= 0 or scale <= 0:
            raise ValueError('max_margin and scale must be positive, but got '
                             f'{max_margin} and {scale}')
        self.max_margin = max_margin
        self.scale = scale
        self.margins = torch.empty(0)
        if class_counts is not None:
            self.set_class_counts(class_counts)

    def _apply(self, fn: Callable, *args, **kwargs) -> nn.Module:
        self.margins = fn(self.margins)
        return super()._apply(fn, *args, **kwargs)

    def set_class_counts(self, counts: Sequence[int]) -> None:
        """Compute the margins from the training counts."""
        super().set_class_counts(counts)
        margins = ldam_margins(counts, self.max_margin)
        margins = np.repeat(margins, self.label_repeat)
        self.margins = torch.as_tensor(margins).to(self.class_weight)

    def _shifts(self) -> Tensor:
        if not self.margins.numel():
            raise ValueError(
                'LDAMLoss does not know the class counts. Add '
                "custom_hooks=[dict(type='gssl_mm.LDAMHook')], or give the "
                'loss class_counts=[...]')
        return self.scale * self.margins

    def sample_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropies on the shifted logits, float32 ``(N,)``."""
        shift = self._shifts().to(logits)[target][:, None]
        shifted = logits.scatter_add(1, target[:, None], -shift)
        return F.cross_entropy(shifted, target, reduction='none')

    def class_losses(self, logits: Tensor) -> Tensor:
        """Loss for each possible target, float32 ``(N, K)``.

        With :math:`p` the softmax of the plain logits, shifting class k alone
        changes its denominator by the factor :math:`1 - p_k (1 - e^{-s m_k})`.
        That is close to zero where the model is sure: double precision.
        """
        shifts = self._shifts().double()
        log_probs = logits.double().log_softmax(1)
        shrink = torch.log1p(torch.exp(log_probs) * torch.expm1(-shifts))
        return (shrink + shifts - log_probs).to(logits.dtype)
