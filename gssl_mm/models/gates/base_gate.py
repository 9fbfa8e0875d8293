"""What a gate is."""
from abc import ABCMeta, abstractmethod

import torch
from mmengine.model import BaseModule
from torch import Tensor


class BaseGate(BaseModule, metaclass=ABCMeta):
    """Base class of the gates that mix the losses of pretext tasks.

    A new gate is a subclass registered in ``gssl_mm.registry.MODELS`` and named
    in a config. :class:`GatedMultiTaskHead` builds it with ``in_channels`` and
    ``num_tasks``.

    Args:
        in_channels (int): Channels D of the pooled feature.
        num_tasks (int): Number of pretext tasks T.
        init_cfg (dict, optional): Initialisation config of MMEngine.
    """

    def __init__(self, in_channels: int, num_tasks: int,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.in_channels = in_channels
        self.num_tasks = num_tasks

    @abstractmethod
    def forward(self, feats: Tensor,
                task_losses: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the losses.

        Args:
            feats (Tensor): float32 ``(N, D)`` pooled features.
            task_losses (Tensor): float32 ``(N, T)``, cross-entropies of each
                sample and task.

        Returns:
            tuple[Tensor, Tensor]: ``terms (T,)``, the weighted loss terms whose
            sum is the pretext loss, and ``gate_weights (T,)``, the weights to
            log, without gradient.
        """

    @torch.no_grad()
    def fixed_weights(self, feats: Tensor, task_losses: Tensor) -> Tensor:
        """Weights as constants, for an attack on the pretext losses.

        Args:
            feats (Tensor): As for :meth:`forward`.
            task_losses (Tensor): As for :meth:`forward`.

        Returns:
            Tensor: ``(T,)``, or ``(N, T)`` where each sample has its own.
        """
        return self(feats, task_losses)[1]
