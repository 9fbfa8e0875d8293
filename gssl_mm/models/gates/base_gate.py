"""What a gate is."""
from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor

from .agreement import Agreement


class GateOutput(NamedTuple):
    """What a gate made of the losses of pretext tasks.

    Attributes:
        terms (Tensor): ``(T,)``, the weighted loss terms; their sum is the
            pretext loss.
        weights (Tensor): ``(T,)``, the weights to log, without gradient.
        penalty (Tensor, optional): Scalar that is added to the pretext loss
            for the gate's own sake. Defaults to None.
    """

    terms: Tensor
    weights: Tensor
    penalty: Tensor | None = None


class BaseGate(BaseModule, metaclass=ABCMeta):
    """Base class of the gates that mix the losses of pretext tasks.

    A new gate is a subclass registered in ``gssl_mm.registry.MODELS`` and named
    in a config. :class:`GatedMultiTaskHead` builds it with ``in_channels`` and
    ``num_tasks``, tells it the classes of the tasks, and hands it the
    :class:`Agreement` of the batch if ``needs_agreement`` is set.

    Args:
        in_channels (int): Channels D of the pooled feature.
        num_tasks (int): Number of pretext tasks T.
        init_cfg (dict, optional): Initialisation config of MMEngine.
    """

    needs_agreement = False

    def __init__(self, in_channels: int, num_tasks: int,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.in_channels = in_channels
        self.num_tasks = num_tasks

    def set_task_classes(self, num_classes: Sequence[int]) -> None:
        """Learn the classes of each task; most gates need not know."""

    @abstractmethod
    def forward(self, feats: Tensor, task_losses: Tensor,
                agreement: Agreement | None = None) -> GateOutput:
        """Mix the losses.

        Args:
            feats (Tensor): float32 ``(N, D)`` pooled features.
            task_losses (Tensor): float32 ``(N, T)``, cross-entropies of each
                sample and task.
            agreement (Agreement, optional): Of the tasks' gradients with that
                of the classifier; given where ``needs_agreement`` is set.

        Returns:
            GateOutput: The weighted terms and the weights.
        """

    @torch.no_grad()
    def fixed_weights(self, feats: Tensor, task_losses: Tensor,
                      agreement: Agreement | None = None) -> Tensor:
        """Weights as constants, for an attack on the pretext losses.

        Args:
            feats (Tensor): As for :meth:`forward`.
            task_losses (Tensor): As for :meth:`forward`.
            agreement (Agreement, optional): As for :meth:`forward`.

        Returns:
            Tensor: ``(T,)``, or ``(N, T)`` where each sample has its own.
        """
        return self(feats, task_losses, agreement).weights
