"""Joint labels of class and view: pure functions.

Of V views the joint label of class c and view v is ``V * c + v``. Views are
counted from 0, the image and its map as they are.
"""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .cosine_cls_head import CosineLinear

AG_MODES = ('prob_mean', 'logit_sum')
KL_DIRS = ('teacher_student', 'student_teacher')


def joint_targets(target: Tensor, num_views: int) -> Tensor:
    """Targets of all views of a batch.

    Args:
        target (Tensor): int64 ``(N,)`` labels, or float ``(N, K)`` shares of
            mixed images. All parts of a mixed image share its view.
        num_views (int): V.

    Returns:
        Tensor: int64 ``(N * V,)``, or float ``(N * V, K * V)``.
    """
    if target.ndim == 1:
        views = torch.arange(num_views, device=target.device)
        return (target[:, None] * num_views + views).flatten()
    samples, classes = target.shape
    joint = target.new_zeros(samples, num_views, classes, num_views)
    joint.diagonal(dim1=1, dim2=3).copy_(target[:, :, None])
    return joint.view(samples * num_views, classes * num_views)


def all_logits(layer: nn.Module, feats: Tensor) -> Tensor:
    """Joint logits ``(N * V, K * V)`` of features ``(N, V, D)``."""
    return layer(feats.flatten(0, 1))


def matching(logits: Tensor, num_views: int) -> Tensor:
    """Pick from joint logits those of each row's own view, ``(N, K, V)``."""
    width = logits.size(1) // num_views
    logits = logits.view(-1, num_views, width, num_views)
    return logits.diagonal(dim1=1, dim2=3)


def matching_logits(layer: nn.Module, feats: Tensor) -> Tensor:
    """Compute the logits of :func:`matching` alone, from ``(N, V, D)``."""
    views, channels = feats.shape[1:]
    cosine = isinstance(layer, CosineLinear)
    weight = F.normalize(layer.weight) if cosine else layer.weight
    feats = F.normalize(feats, dim=2) if cosine else feats
    logits = torch.einsum(
        'nvd,kvd->nkv', feats, weight.view(-1, views, channels))
    return (layer.scale * logits if cosine
            else logits + layer.bias.view(-1, views))


def single_logits(layer: nn.Module, feats: Tensor) -> Tensor:
    """Logits ``(N, K)`` of view 0, by the rows ``V * c`` of the weight."""
    views = feats.size(1)
    if isinstance(layer, CosineLinear):
        cosines = F.linear(
            F.normalize(feats[:, 0]), F.normalize(layer.weight[::views]))
        return layer.scale * cosines
    return F.linear(feats[:, 0], layer.weight[::views], layer.bias[::views])


def aggregate(matched: Sequence[Tensor], mode: str) -> Tensor:
    r"""Logits whose softmax is the aggregated prediction of several heads.

    Equation 4: with :math:`s_h` the mean of a head's matching logits over the
    views, :math:`P = \frac{1}{H} \sum_h \mathrm{softmax}(s_h)`; with
    ``'logit_sum'``, :math:`P = \mathrm{softmax}(\sum_h s_h)`.

    Args:
        matched (Sequence[Tensor]): ``(N, K, V)`` of each head.
        mode (str): ``'prob_mean'`` or ``'logit_sum'``.

    Returns:
        Tensor: ``(N, K)``, log P up to a constant of the row.
    """
    scores = torch.stack([logits.mean(2) for logits in matched])
    if mode == 'logit_sum' or len(scores) == 1:
        return scores.sum(0)
    return scores.log_softmax(2).logsumexp(0)


def distillation(teacher: Tensor, student: Tensor, direction: str) -> Tensor:
    """Divergence between two predictions; the teacher gets no gradient.

    Args:
        teacher (Tensor): Logits ``(N, K)``.
        student (Tensor): Logits ``(N, K)``.
        direction (str): ``'teacher_student'`` is KL(teacher || student),
            ``'student_teacher'`` KL(student || teacher).

    Returns:
        Tensor: Scalar, summed over classes, mean over samples.
    """
    teacher = teacher.detach().log_softmax(1)
    student = student.log_softmax(1)
    if direction == 'student_teacher':
        teacher, student = student, teacher
    return F.kl_div(student, teacher, reduction='batchmean', log_target=True)
