"""How well the gradients of pretext tasks agree with the classifier's."""
from typing import NamedTuple

import torch
from torch import Tensor

from ..utils.reduce import global_mean

# Agreement with a gradient that is zero is 0
_SMALL = 1e-200


class Agreement(NamedTuple):
    r"""Cosines between gradients at the pooled features X ``(N, D)``.

    With :math:`c_b = \partial L_C / \partial x_b` and
    :math:`t_{bn} = \partial L_n / \partial x_b`:

    Attributes:
        samples (Tensor): float32 ``(N, T)``,
            :math:`\cos(c_b, t_{bn})`, in [-1, 1].
        batch (Tensor): float32 ``(T,)``, the cosine of the two gradients with
            respect to the features of the whole batch,
            :math:`\sum_b \langle c_b, t_{bn} \rangle /
            \sqrt{\sum_b |c_b|^2 \sum_b |t_{bn}|^2}`: samples count by the
            size of their gradients. Over all processes.
    """

    samples: Tensor
    batch: Tensor


@torch.no_grad()
def measure_agreement(primary: Tensor, tasks: Tensor) -> Agreement:
    """Compare gradients.

    A common factor of all samples, such as 1 / N, does not matter.

    Args:
        primary (Tensor): float32 ``(N, D)``, of the classifier's loss.
        tasks (Tensor): float32 ``(N, T, D)``, of the tasks' losses.

    Returns:
        Agreement: Without gradient.
    """
    # Squares of what a confident head sends back vanish in float32
    primary, tasks = primary.double(), tasks.double()
    dots = (tasks @ primary[:, :, None]).squeeze(2)
    primary_sq = primary.square().sum(1)
    tasks_sq = tasks.square().sum(2)
    scale = primary_sq.sqrt()[:, None] * tasks_sq.sqrt()
    sums = torch.cat([dots, tasks_sq, primary_sq[:, None]], 1).mean(0)
    sums = global_mean(sums, len(primary))
    dot, task_sq, whole = sums.split([tasks.size(1), tasks.size(1), 1])
    return Agreement(
        samples=(dots / scale.clamp_min(_SMALL)).float(),
        batch=(dot / (task_sq.sqrt() * whole.sqrt()).clamp_min(_SMALL)).float())
