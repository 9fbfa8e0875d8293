"""Gradients of classification losses with respect to logits, in closed form."""
import torch
import torch.nn.functional as F
from mmpretrain.models.losses import CrossEntropyLoss
from torch import Tensor, nn

from .class_weighted_loss import (
    ClassBalancedCrossEntropyLoss,
    ClassWeightedLoss,
    SoftmaxFocalLoss,
)
from .ldam_loss import LDAMLoss


class NoClosedFormError(TypeError):
    """The gradient of a loss or of a head is not known in closed form."""


def check_closed_form(loss: nn.Module) -> None:
    """Refuse a loss for which :func:`logit_gradients` has no form.

    Raises:
        NoClosedFormError: If it has none.
    """
    if hasattr(loss, 'logit_gradients') or type(loss) in _FORMS:
        if not getattr(loss, 'use_sigmoid', False):
            return
    names = ', '.join(kind.__name__ for kind in _FORMS)
    raise NoClosedFormError(
        f'the gradient of {type(loss).__name__} is not known in closed form. '
        f'It is for {names} (without sigmoid), and for a loss with a method '
        'logit_gradients(logits, target). Use one of them, or a gate other '
        'than AlignedGate and no log_agreement')


@torch.no_grad()
def logit_gradients(loss: nn.Module, logits: Tensor,
                    target: Tensor) -> Tensor:
    r"""Gradient of the summed weighted losses of all samples.

    With p the softmax of the logits, y the target shares (one-hot for a
    label), w the class weights:

    - cross-entropy: :math:`r_j = p_j \sum_k y_k w_k - y_j w_j`,
    - focal: the same with :math:`w_k` times
      :math:`(1 - p_k)^\gamma - \gamma p_k (1 - p_k)^{\gamma - 1} \ln p_k`,
    - LDAM: :math:`r = w_y (softmax(z - s m_y e_y) - e_y)`; mixed targets sum
      that over classes by their shares.

    The factor that all samples share (1 / N, or one over the sum of weights,
    and ``loss_weight``) is left out.

    Args:
        loss (nn.Module): Loss of a classification head.
        logits (Tensor): float32 ``(N, K)``.
        target (Tensor): int64 ``(N,)``, or float ``(N, K)`` shares.

    Returns:
        Tensor: float32 ``(N, K)``.

    Raises:
        NoClosedFormError: For another loss.
    """
    own = getattr(loss, 'logit_gradients', None)
    if own is not None:
        return own(logits, target)
    check_closed_form(loss)
    return _FORMS[type(loss)](loss, logits, target)


def _shares(loss: nn.Module, logits: Tensor, target: Tensor) -> Tensor:
    """Target shares times class weights, ``(N, K)``."""
    if target.ndim == 1:
        target = F.one_hot(target, logits.size(1))
    weight = loss.class_weight
    if isinstance(loss, ClassWeightedLoss):
        weight = weight if weight.numel() else None
    elif weight is not None:
        weight = logits.new_tensor(weight)
    target = target.to(logits)
    return target if weight is None else target * weight


def _cross_entropy(loss: nn.Module, logits: Tensor, target: Tensor) -> Tensor:
    shares = _shares(loss, logits, target)
    return logits.softmax(1) * shares.sum(1, keepdim=True) - shares


def _focal(loss: SoftmaxFocalLoss, logits: Tensor, target: Tensor) -> Tensor:
    log_probs = logits.log_softmax(1)
    probs = log_probs.exp()
    rest = (1 - probs).clamp_min(torch.finfo(probs.dtype).tiny)
    slope = rest**loss.gamma - (
        loss.gamma * probs * rest**(loss.gamma - 1) * log_probs)
    shares = _shares(loss, logits, target) * slope
    return probs * shares.sum(1, keepdim=True) - shares


def _ldam(loss: LDAMLoss, logits: Tensor, target: Tensor) -> Tensor:
    shifts = loss._shifts()
    shares = _shares(loss, logits, target)
    if target.ndim == 1:
        shift = shifts[target][:, None]
        shifted = logits.scatter_add(1, target[:, None], -shift)
        return shifted.softmax(1) * shares.sum(1, keepdim=True) - shares
    # Lowering logit k alone divides all probabilities by 1 - p_k (1 - e^-shift)
    # and its own by e^shift too. Double precision, as that is close to zero
    # where the model is sure
    probs, down = logits.double().softmax(1), torch.expm1(-shifts.double())
    scaled = shares / (1 + probs * down)
    found = probs * (scaled.sum(1, keepdim=True) + scaled * down) - shares
    return found.to(logits)


_FORMS = {
    CrossEntropyLoss: _cross_entropy,
    ClassBalancedCrossEntropyLoss: _cross_entropy,
    SoftmaxFocalLoss: _focal,
    LDAMLoss: _ldam,
}
