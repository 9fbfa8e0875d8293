"""Gradients of classification losses at the pooled feature, in closed form."""
import torch
import torch.nn.functional as F
from mmpretrain.models.heads import LinearClsHead
from torch import Tensor, nn

from ..losses.logit_gradients import (
    NoClosedFormError,
    check_closed_form,
    logit_gradients,
)
from .cosine_cls_head import CosineClsHead, CosineLinear
from .task_heads import TaskHeads

# As in F.normalize
_EPS = 1e-12


def cosine_gradients(pulled: Tensor, feats: Tensor) -> Tensor:
    r"""Send gradients for unit vectors through the normalisation.

    Equation: :math:`g = (r - \langle r, \hat x \rangle \hat x) / |x|`.

    Args:
        pulled (Tensor): r, float32 ``(..., D)``.
        feats (Tensor): x, float32, broadcastable to ``pulled``.
    """
    norm = feats.norm(dim=-1, keepdim=True).clamp_min(_EPS)
    unit = feats / norm
    return (pulled - (pulled * unit).sum(-1, keepdim=True) * unit) / norm


def check_primary(primary: nn.Module) -> None:
    """Refuse a primary head whose gradient has no closed form here.

    Raises:
        NoClosedFormError: If it is no ``LinearClsHead`` or ``CosineClsHead``,
            or its loss has no closed form.
    """
    layer = getattr(primary, 'fc', None)
    if not (isinstance(primary, LinearClsHead | CosineClsHead)
            and isinstance(layer, nn.Linear | CosineLinear)):
        raise NoClosedFormError(
            'the gradient at the pooled feature is known in closed form for '
            'LinearClsHead and gssl_mm.CosineClsHead, but the primary head is '
            f'{type(primary).__name__}. Use one of them, or a gate other than '
            'AlignedGate and no log_agreement')
    check_closed_form(primary.loss_module)


@torch.no_grad()
def primary_gradients(primary: nn.Module, feats: Tensor,
                      target: Tensor) -> Tensor:
    r"""Gradient of a classification head's loss at the pooled feature.

    With r the gradient at the logits (:func:`logit_gradients`): ``r W`` of a
    linear head; of a cosine head with scale s and unit rows W^ that of
    :func:`cosine_gradients` for ``s r W^``.

    Args:
        primary (nn.Module): As :func:`check_primary` allows.
        feats (Tensor): float32 ``(N, D)``.
        target (Tensor): int64 ``(N,)``, or float ``(N, K)`` shares.

    Returns:
        Tensor: float32 ``(N, D)``; the factor that all samples of the batch
        share is left out.
    """
    layer = primary.fc
    residual = logit_gradients(primary.loss_module, layer(feats), target)
    if isinstance(layer, nn.Linear):
        return residual @ layer.weight
    pulled = layer.scale * residual @ F.normalize(layer.weight)
    return cosine_gradients(pulled, feats)


@torch.no_grad()
def task_gradients(heads: TaskHeads, feats: Tensor, labels: Tensor) -> Tensor:
    """Gradients of the tasks' cross-entropies at the pooled feature.

    Args:
        heads (TaskHeads): The tasks' classifiers.
        feats (Tensor): float32 ``(N, D)``.
        labels (Tensor): int64 ``(N, T)``.

    Returns:
        Tensor: float32 ``(N, T, D)``, of each sample's own losses.
    """
    residual = heads(feats).softmax(2)
    ones = torch.ones_like(labels, dtype=residual.dtype)
    residual = residual.scatter_add(2, labels[:, :, None], -ones[:, :, None])
    weight = torch.cat([head.weight for head in heads.values()])
    if heads.kind == 'cosine':
        weight = F.normalize(weight)
    # Columns of no task have no residual
    pulled = torch.einsum('ntk,tkd->ntd', residual, weight[heads.columns])
    if heads.kind == 'linear':
        return pulled
    return cosine_gradients(pulled, feats[:, None])
