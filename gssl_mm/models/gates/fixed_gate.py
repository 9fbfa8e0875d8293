"""Weights that are chosen by hand."""
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gssl_mm.registry import MODELS

from .agreement import Agreement
from .base_gate import BaseGate, GateOutput


@MODELS.register_module()
class FixedGate(BaseGate):
    r"""Weight the pretext losses by numbers of the config, without parameters.

    The pretext loss is :math:`\sum_n w_n L_n`.

    Cost: T multiplications.

    Args:
        in_channels (int): Channels of the pooled feature (not used).
        num_tasks (int): Number of pretext tasks T.
        weights (Sequence[float]): One for each task, in the order of the
            head's ``tasks``; none below zero, and not all zero. A task of
            weight 0 is drawn and logged, but does not train.

    Raises:
        ValueError: If ``weights`` are too few or many, no numbers, negative,
            not finite or all zero.

    Example:
        >>> # LoRot counts twice as much as flip and permutation
        >>> gate = dict(type='gssl_mm.FixedGate', weights=[0.5, 0.25, 0.25])
    """

    def __init__(self, in_channels: int, num_tasks: int,
                 weights: Sequence[float],
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_tasks, init_cfg)
        try:
            numbers = [float(weight) for weight in weights]
        except (TypeError, ValueError):
            numbers = []
        if len(numbers) != num_tasks:
            raise ValueError(
                f'weights must be {num_tasks} numbers, one for each task, but '
                f'got {weights!r}')
        if not all(0 <= w < math.inf for w in numbers) or not any(numbers):
            raise ValueError(
                'weights must be finite, none below zero and not all zero, but '
                f'got {weights!r}')
        self.register_buffer(
            'weights', torch.tensor(numbers), persistent=False)

    def forward(self, feats: Tensor, task_losses: Tensor,
                agreement: Agreement | None = None) -> GateOutput:
        """Mix the losses, see :meth:`BaseGate.forward`."""
        return GateOutput(self.weights * task_losses.mean(0), self.weights)
