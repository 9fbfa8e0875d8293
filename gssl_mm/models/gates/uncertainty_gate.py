"""Weights learnt from the tasks' uncertainties."""
import torch
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from .agreement import Agreement
from .base_gate import BaseGate, GateOutput


@MODELS.register_module()
class UncertaintyGate(BaseGate):
    r"""Weight each pretext loss by a learnt inverse variance.

    Paper: Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
    Geometry and Semantics (Kendall et al. 2018), equation 10. With a learnt
    :math:`s_n = \ln \sigma_n^2` for each task the pretext loss is

    .. math::
        \sum_n e^{-s_n} L_n + \frac{1}{2} \sum_n s_n

    Note:
        The paper weights all tasks of a network this way; here the
        classification loss keeps its weight of 1, and the whole pretext loss
        its factor lambda. The weights need not sum to one: at rest
        :math:`e^{-s_n} = 1 / (2 L_n)`, so that the weight of a task with a
        small loss is large here too. Weight decay pulls the s towards 0,
        weights towards 1.

    Cost: T parameters, 3 T operations. Losses are averaged over processes by
    the gradients' own reduction.

    Args:
        in_channels (int): Channels of the pooled feature (not used).
        num_tasks (int): Number of pretext tasks T.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - feats: float32 ``(N, D)``; task_losses: float32 ``(N, T)``, >= 0.
        - returns: terms ``(T,)``, weights ``(T,)``, positive, and a scalar
          penalty, of any sign.
    """

    def __init__(self, in_channels: int, num_tasks: int,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_tasks, init_cfg)
        self.log_variance = nn.Parameter(torch.zeros(num_tasks))

    def forward(self, feats: Tensor, task_losses: Tensor,
                agreement: Agreement | None = None) -> GateOutput:
        """Mix the losses, see :meth:`BaseGate.forward`."""
        weights = torch.exp(-self.log_variance)
        return GateOutput(weights * task_losses.mean(0), weights.detach(),
                          self.log_variance.sum() / 2)
