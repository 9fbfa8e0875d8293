"""The gating network of the G-SSL paper."""
import torch
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..utils.reduce import global_mean
from .base_gate import BaseGate

GRADS = ('learned', 'detached')
REDUCES = ('prob_mean', 'logit_mean', 'per_sample')
INITS = ('default', 'kaiming')


@MODELS.register_module()
class SoftmaxGate(BaseGate):
    r"""Weight pretext losses by the softmax of a linear layer.

    Paper: Mixture of Self-Supervised Learning, equation 3: with gate logits
    ``a = W X + b``, task losses ``L_n`` (batch means) and one of

    - ``prob_mean``: :math:`g = \mathrm{mean}_b\,\mathrm{softmax}(a_b)`,
    - ``logit_mean``: :math:`g = \mathrm{softmax}(\mathrm{mean}_b\,a_b)`,
    - ``per_sample``: a weight for each sample,

    the pretext loss is :math:`\sum_n g_n L_n`, or, for ``per_sample``,
    :math:`\mathrm{mean}_b \sum_n g_{bn} \ell_{bn}`.

    Note:
        D1: by equation 3 the gate learns; the released code turns the weights
        into Python numbers, so that its gate keeps its initial weights for
        ever. ``grad='detached'`` reproduces that, with frozen parameters.
        D2: the released long-tailed code uses ``logit_mean``, the others
        ``prob_mean``. D6: the released long-tailed code initialises the gate
        by ``'kaiming'``, the others by PyTorch's default.

        A learned gate descends: the gradient for its k-th mean logit is
        :math:`g_k (L_k - \sum_n g_n L_n)`, which raises the weight of the task
        with the *smallest* loss. Watch ``gate_*`` in the log.

    In a distributed run the weights and the gradients are those of one process
    with the whole batch.

    Args:
        in_channels (int): Channels D of the pooled feature.
        num_tasks (int): Number of pretext tasks T.
        grad (str): ``'learned'`` or ``'detached'``. Defaults to ``'learned'``.
        reduce (str): See above. Defaults to ``'prob_mean'``.
        init (str): ``'default'`` is that of ``nn.Linear``; ``'kaiming'`` draws
            the weight from N(0, 2 / D). Defaults to ``'default'``.

    Shape:
        - feats: float32 ``(N, D)``; task_losses: float32 ``(N, T)``, >= 0.
        - returns: terms ``(T,)`` and gate_weights ``(T,)``, the latter in
          [0, 1] with sum 1.

    Raises:
        ValueError: If a switch has an unknown value.
    """

    def __init__(self, in_channels: int, num_tasks: int,
                 grad: str = 'learned', reduce: str = 'prob_mean',
                 init: str = 'default', init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_tasks, init_cfg)
        for name, value, allowed in (('grad', grad, GRADS),
                                     ('reduce', reduce, REDUCES),
                                     ('init', init, INITS)):
            if value not in allowed:
                raise ValueError(
                    f'{name} must be one of {allowed}, but got {value!r}')
        self.grad = grad
        self.reduce = reduce
        self.fc = nn.Linear(in_channels, num_tasks)
        if init == 'kaiming':
            nn.init.kaiming_normal_(self.fc.weight)
        if grad == 'detached':
            self.fc.requires_grad_(False)

    def forward(self, feats: Tensor,
                task_losses: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the losses, see :meth:`BaseGate.forward`."""
        if self.grad == 'detached':
            feats = feats.detach()
        gate_logits = self.fc(feats)
        if self.reduce == 'per_sample':
            weights = gate_logits.softmax(1)
            shown = global_mean(weights.mean(0), len(feats))
            return (weights * task_losses).mean(0), shown
        return self._mix_means(gate_logits, task_losses)

    @torch.no_grad()
    def fixed_weights(self, feats: Tensor, task_losses: Tensor) -> Tensor:
        """Weights as constants, see :meth:`BaseGate.fixed_weights`."""
        if self.reduce == 'per_sample':
            return self.fc(feats).softmax(1)
        return super().fixed_weights(feats, task_losses)

    def _mix_means(self, gate_logits: Tensor,
                   task_losses: Tensor) -> tuple[Tensor, Tensor]:
        """Product of batch means, exact over processes.

        The local term ``g L_r + (g_r - sg(g_r)) L`` has, averaged over the
        processes r, the value and the gradient of ``g L`` with g and L the
        means over all samples; on one process it is the product rule.
        """
        losses = task_losses.mean(0)
        local = gate_logits
        if self.reduce == 'prob_mean':
            local = local.softmax(1)
        local = local.mean(0)
        means = global_mean(torch.stack([local, losses]), len(task_losses))
        # The value of the global mean with the gradient of the local one
        weights = means[0] + (local - local.detach())
        if self.reduce == 'logit_mean':
            weights = weights.softmax(0)
        shown = weights.detach()
        terms = shown * losses
        if self.grad == 'learned':
            terms = terms + (weights - shown) * means[1]
        return terms, shown
