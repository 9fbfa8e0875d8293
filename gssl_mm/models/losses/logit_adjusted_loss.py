"""Cross-entropy on logits shifted by the class frequencies."""
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from .class_weighted_loss import ClassWeightedLoss


def log_priors(class_counts: Sequence[int]) -> np.ndarray:
    r"""Logarithms of the class frequencies :math:`n_c / \sum_k n_k`, float64.

    Args:
        class_counts (Sequence[int]): Training samples of each class, >= 1.

    Raises:
        ValueError: If a class is empty.
    """
    counts = np.asarray(class_counts, dtype=np.float64)
    if counts.min() < 1:
        raise ValueError(f'classes {np.flatnonzero(counts < 1).tolist()} have '
                         'no training sample: the logarithm of their '
                         'frequency is not defined')
    return np.log(counts / counts.sum())


@MODELS.register_module()
class LogitAdjustedLoss(ClassWeightedLoss):
    r"""Cross-entropy that asks for a larger margin over frequent classes.

    Paper: Long-Tail Learning via Logit Adjustment, equation 10:

    .. math::
        \ell = -\log \frac{e^{z_y + \tau \ln \pi_y}}
        {\sum_k e^{z_k + \tau \ln \pi_k}}

    with the training frequencies :math:`\pi`. The shift exists in training
    only: the plain logits, and so the deployed model, are those of balanced
    data. It is minimised by :math:`z_k = \ln p(x | k)` up to a constant
    when :math:`\tau = 1`.

    Frequencies come from ``LDAMHook`` (``drw_epoch=None`` for no class weights
    besides), or from ``class_counts``. Any head may use it; on a
    :class:`CosineClsHead` the shift is added to the scaled cosines.

    Args:
        tau (float): Strength of the adjustment; 0 is cross-entropy. Defaults
            to 1.
        class_counts (Sequence[int], optional): Training counts in label order,
            where no hook sets them. Defaults to None.
        **kwargs: Arguments of :class:`ClassWeightedLoss`.

    Shape:
        - cls_score: float ``(N, K)``; target: int64 ``(N,)``, or float
          ``(N, K)`` shares.
        - returns: scalar.

    Raises:
        ValueError: If ``tau`` is negative, a class is empty, or the loss is
            used before it knows the class counts.

    Example:
        >>> head = dict(
        ...     type='LinearClsHead', num_classes=10, in_channels=64,
        ...     loss=dict(type='gssl_mm.LogitAdjustedLoss', tau=1.0))
        >>> custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=None)]
    """

    def __init__(self, tau: float = 1.,
                 class_counts: Sequence[int] | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if tau < 0:
            raise ValueError(f'tau must be at least 0, but got {tau}')
        self.tau = tau
        self.shifts = torch.empty(0)
        if class_counts is not None:
            self.set_class_counts(class_counts)

    def _apply(self, fn: Callable, *args, **kwargs) -> nn.Module:
        self.shifts = fn(self.shifts)
        return super()._apply(fn, *args, **kwargs)

    def set_class_counts(self, counts: Sequence[int]) -> None:
        """Compute the shifts from the training counts."""
        super().set_class_counts(counts)
        shifts = np.repeat(self.tau * log_priors(counts), self.label_repeat)
        self.shifts = torch.as_tensor(shifts).to(self.class_weight)

    def adjust(self, logits: Tensor) -> Tensor:
        """Shift logits ``(N, K)`` by the frequencies of their classes."""
        if not self.shifts.numel():
            raise ValueError(
                f'{type(self).__name__} does not know the class counts. Add '
                "custom_hooks=[dict(type='gssl_mm.LDAMHook', drw_epoch=None)]"
                ', or give the loss class_counts=[...]')
        return logits + self.shifts

    def sample_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropies on the shifted logits, float32 ``(N,)``."""
        return F.cross_entropy(self.adjust(logits), target, reduction='none')

    def class_losses(self, logits: Tensor) -> Tensor:
        """Loss for each possible target, float32 ``(N, K)``."""
        return -self.adjust(logits).log_softmax(1)

    @torch.no_grad()
    def logit_gradients(self, logits: Tensor, target: Tensor) -> Tensor:
        r"""Gradient of the summed weighted losses, float32 ``(N, K)``.

        Equation: :math:`r_j = p_j \sum_k y_k w_k - y_j w_j` with p the softmax
        of the shifted logits, as a gate that compares gradients asks for it.
        """
        probs = self.adjust(logits).softmax(1)
        if target.ndim == 1:
            target = F.one_hot(target, logits.size(1))
        shares = target.to(logits) * self.class_weight
        return probs * shares.sum(1, keepdim=True) - shares


@MODELS.register_module()
class BalancedSoftmaxLoss(LogitAdjustedLoss):
    r"""Cross-entropy of a softmax weighted by the class counts.

    Paper: Balanced Meta-Softmax for Long-Tailed Visual Recognition, equation
    4: :math:`\ell = -\log (n_y e^{z_y} / \sum_k n_k e^{z_k})`. Counts in place
    of frequencies change nothing: this is :class:`LogitAdjustedLoss` with
    :math:`\tau = 1`.

    Args:
        class_counts (Sequence[int], optional): Training counts in label order,
            where no hook sets them. Defaults to None.
        **kwargs: Arguments of :class:`ClassWeightedLoss`.

    Example:
        >>> head = dict(
        ...     type='gssl_mm.CosineClsHead', num_classes=10, in_channels=64,
        ...     loss=dict(type='gssl_mm.BalancedSoftmaxLoss'))
        >>> custom_hooks = [dict(type='gssl_mm.LDAMHook', drw_epoch=None)]
    """

    def __init__(self, class_counts: Sequence[int] | None = None,
                 **kwargs) -> None:
        super().__init__(tau=1., class_counts=class_counts, **kwargs)
