"""Losses that know the class counts of the training data."""
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dist import get_world_size
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..utils.precision import at_least_float32
from ..utils.reduce import global_sum


def effective_number_weights(class_counts: Sequence[int],
                             beta: float) -> np.ndarray:
    r"""Class-balanced weights from the effective number of samples.

    Equation: :math:`w_c \propto (1 - \beta) / (1 - \beta^{n_c})`, rescaled to
    sum to the number of classes (Cui et al. 2019, as used by LDAM-DRW).

    Args:
        class_counts (Sequence[int]): Training samples of each class, >= 1.
        beta (float): In [0, 1). 0 gives ones.

    Returns:
        np.ndarray: float64 ``(num_classes,)``.

    Raises:
        ValueError: If ``beta`` is outside [0, 1) or a class is empty.
    """
    counts = np.asarray(class_counts, dtype=np.float64)
    if not 0 <= beta < 1:
        raise ValueError(f'beta must be in [0, 1), but got {beta}')
    if counts.min() < 1:
        raise ValueError(f'classes {np.flatnonzero(counts < 1).tolist()} have '
                         'no training sample: their weight is not defined')
    weights = (1 - beta) / (1 - np.power(beta, counts))
    return weights / weights.sum() * len(counts)


class ClassWeightedLoss(nn.Module):
    r"""Base class: a weighted mean of per-sample losses.

    Equation: :math:`\sum_i w_{y_i} \ell_i / \sum_i w_{y_i}`, the weighted mean
    of PyTorch's cross-entropy, **not** divided by the batch size. In a
    distributed run the denominator is summed over all processes, so that R
    processes give the value and gradient of one. With soft targets ``y`` the
    weight of a class enters by its share: numerator and denominator sum
    :math:`y_{ik} w_k` over samples and classes.

    ``LDAMHook`` calls :meth:`set_class_counts` and :meth:`set_class_weight`;
    without it all weights are one.

    Args:
        loss_weight (float): Factor on the loss. Defaults to 1.
        label_repeat (int): Joint labels a class (1 for plain labels): counts
            and weights are repeated that often. Defaults to 1.
    """

    def __init__(self, loss_weight: float = 1., label_repeat: int = 1) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.label_repeat = label_repeat
        # Empty until the counts are known. Not a buffer: averaged copies of the
        # model (EMA) are made before that, and copy buffers by shape
        self.class_weight = torch.empty(0)

    def _apply(self, fn: Callable, *args, **kwargs) -> nn.Module:
        self.class_weight = fn(self.class_weight)
        return super()._apply(fn, *args, **kwargs)

    def set_class_counts(self, counts: Sequence[int]) -> None:
        """Learn the training counts of the classes, in label order."""
        size = len(counts) * self.label_repeat
        self.class_weight = self.class_weight.new_ones(size)

    def set_class_weight(self, weight: Sequence[float] | None) -> None:
        """Set weights for the classes, in label order; None for all ones.

        Raises:
            ValueError: If the number of weights is not that of the classes.
        """
        if not self.class_weight.numel():
            # Counts are set elsewhere: a loss that needs them still says so
            size = (0 if weight is None else len(weight)) * self.label_repeat
            self.class_weight = self.class_weight.new_ones(size)
        classes = len(self.class_weight) // self.label_repeat
        if weight is None:
            weight = np.ones(classes)
        if len(weight) != classes:
            raise ValueError(
                f'{len(weight)} class weights for {classes} classes')
        weight = np.repeat(np.asarray(weight), self.label_repeat)
        self.class_weight.copy_(torch.as_tensor(weight))

    def sample_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Losses of hard targets, float32 ``(N,)``."""
        raise NotImplementedError

    def class_losses(self, logits: Tensor) -> Tensor:
        """Loss of each sample for each possible target, ``(N, K)``."""
        raise NotImplementedError

    def forward(self, cls_score: Tensor, target: Tensor,
                weight: Tensor | None = None, **kwargs) -> Tensor:
        """Compute the loss.

        Args:
            cls_score (Tensor): Logits ``(N, K)``.
            target (Tensor): int64 ``(N,)`` labels, or float ``(N, K)`` shares
                that sum to one for each sample (mixed images).
            weight (Tensor, optional): ``(N,)`` weights of the samples.
            **kwargs: ``avg_factor`` of the host's heads, which does not apply.

        Returns:
            Tensor: Scalar.

        Raises:
            ValueError: If the logits are not as wide as the class counts.
        """
        logits = at_least_float32(cls_score)
        known = self.class_weight if self.class_weight.numel() else None
        if known is not None and known.numel() != logits.size(1):
            raise ValueError(
                f'{type(self).__name__} was given counts of {known.numel()} '
                f'classes, but the head has {logits.size(1)}. Set num_classes '
                'of the head to that of the data')
        if target.ndim == 1:
            losses = self.sample_losses(logits, target)
            shares = (torch.ones_like(losses) if known is None
                      else known[target])
        else:
            shares = target if known is None else target * known
            losses = self.class_losses(logits)
            weight = None if weight is None else weight[:, None]
        if weight is not None:
            shares = shares * weight
        total = global_sum(shares.sum())
        mean = get_world_size() * (shares * losses).sum() / total
        return self.loss_weight * mean


@MODELS.register_module()
class ClassBalancedCrossEntropyLoss(ClassWeightedLoss):
    """Cross-entropy with class weights, averaged as PyTorch does.

    Together with ``LDAMHook(drw_epoch=0)`` this is class-balanced re-weighting;
    without the hook it is plain cross-entropy.
    """

    def sample_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross-entropies, float32 ``(N,)``."""
        return F.cross_entropy(logits, target, reduction='none')

    def class_losses(self, logits: Tensor) -> Tensor:
        """Negative log-probabilities, ``(N, K)``."""
        return -logits.log_softmax(1)


@MODELS.register_module()
class SoftmaxFocalLoss(ClassWeightedLoss):
    r"""Focal loss on softmax probabilities with class weights.

    Equation: :math:`(1 - p_y)^\gamma \cdot (-\log p_y)` (Lin et al. 2017 on the
    softmax, as in the LDAM authors' code, with its default gamma of 1).

    Note:
        The LDAM authors weight the cross-entropy before they take ``p`` from it
        (:math:`p = e^{-w \ell}`); here the weight is a factor of the loss, as
        in every other weighted loss. Without class weights both are equal.

    Args:
        gamma (float): Focusing exponent, at least 0. Defaults to 1.
        **kwargs: Arguments of :class:`ClassWeightedLoss`.

    Raises:
        ValueError: If ``gamma`` is negative.
    """

    def __init__(self, gamma: float = 1., **kwargs) -> None:
        super().__init__(**kwargs)
        if gamma < 0:
            raise ValueError(f'gamma must be at least 0, but got {gamma}')
        self.gamma = gamma

    def sample_losses(self, logits: Tensor, target: Tensor) -> Tensor:
        """Focal losses, float32 ``(N,)``."""
        return self._focus(F.cross_entropy(logits, target, reduction='none'))

    def class_losses(self, logits: Tensor) -> Tensor:
        """Focal loss of each sample for each possible target, ``(N, K)``."""
        return self._focus(-logits.log_softmax(1))

    def _focus(self, losses: Tensor) -> Tensor:
        # Where the model is sure, a root of 0 would have an infinite slope
        rest = -torch.expm1(-losses)
        rest = rest.clamp_min(torch.finfo(rest.dtype).tiny)
        return rest**self.gamma * losses
