"""Losses on unlabelled images; pure functions of logits."""
import torch.nn.functional as F
from torch import Tensor


def masked_cross_entropy(logits: Tensor, guess: Tensor, mask: Tensor) -> Tensor:
    r"""Cross-entropy with guessed classes, over all samples of the batch.

    .. math::
        \frac{1}{N} \sum_i m_i\,CE(z_i, \hat y_i)

    The denominator is N and not the number of chosen samples.

    Args:
        logits (Tensor): float32 ``(N, K)``.
        guess (Tensor): int64 ``(N,)`` classes.
        mask (Tensor): bool ``(N,)``, the samples that count.

    Returns:
        Tensor: A scalar.
    """
    losses = F.cross_entropy(logits, guess, reduction='none')
    return (losses * mask).mean()


def probability_mse(logits: Tensor, target: Tensor) -> Tensor:
    r"""Mean squared difference of probabilities, over samples and classes.

    .. math::
        \frac{1}{N K} \sum_{i,c} (q_{ic} - \mathrm{softmax}(z_i)_c)^2

    Args:
        logits (Tensor): float32 ``(N, K)``.
        target (Tensor): float32 ``(N, K)`` probabilities, without gradient.

    Returns:
        Tensor: A scalar.
    """
    return F.mse_loss(logits.softmax(1), target.detach())


def sharpen(probabilities: Tensor, temperature: float) -> Tensor:
    r"""Raise to ``1 / temperature`` and normalise again, row by row.

    Args:
        probabilities (Tensor): float32 ``(N, K)``, rows with sum 1.
        temperature (float): Positive; below 1 the largest grows.

    Returns:
        Tensor: float32 ``(N, K)``.
    """
    # In logarithms, where a small temperature doesn't underflow
    return (probabilities.clamp(min=1e-30).log() / temperature).softmax(1)


__all__ = ['masked_cross_entropy', 'probability_mse', 'sharpen']
