"""The gating network of the G-SSL paper."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gssl_mm.registry import MODELS

from ..utils.reduce import global_mean
from .agreement import Agreement
from .base_gate import BaseGate, GateOutput

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

    Two switches, which are not in the paper, work against that:

    - ``divide_by_chance``: losses in units of guessing,
      :math:`L_n / \ln K_n` with the K classes of the task, in the sum and in
      the gate's gradient alike: all tasks start near 1, and a task has a small
      loss when it is learnt, not when it has few classes.
    - ``balance``: the balance term of sparsely gated mixtures of experts
      (Shazeer et al. 2017, equation 7). The importance of a task is its weight
      summed over the batch; c times its squared coefficient of variation,
      :math:`c \cdot CV^2 = c\,(T \sum_n \bar g_n^2 - 1)`, is added to the
      pretext loss. It is 0 for equal weights and c (T - 1) for a single task;
      samples may still choose different tasks.

    Cost: one linear layer ``(N, D) x (D, T)`` and a softmax, D T + T
    parameters; in a distributed run one reduction of 2 T + 1 numbers (T + 1
    per sample).

    In a distributed run the weights and the gradients are those of one process
    with the whole batch.

    Args:
        in_channels (int): Channels D of the pooled feature.
        num_tasks (int): Number of pretext tasks T.
        grad (str): ``'learned'`` or ``'detached'``. Defaults to ``'learned'``.
        reduce (str): See above. Defaults to ``'prob_mean'``.
        init (str): ``'default'`` is that of ``nn.Linear``; ``'kaiming'`` draws
            the weight from N(0, 2 / D). Defaults to ``'default'``.
        divide_by_chance (bool): See above. Defaults to False.
        balance (float): Factor c, at least 0. Defaults to 0, no such term.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - feats: float32 ``(N, D)``; task_losses: float32 ``(N, T)``, >= 0.
        - returns: terms ``(T,)`` and weights ``(T,)``, the latter in [0, 1]
          with sum 1; with ``balance`` a scalar penalty.

    Raises:
        ValueError: If a switch has an unknown value, ``balance`` is negative
            or set for a gate that does not learn, or losses are to be divided
            and the classes of the tasks are not known.
    """

    chance_known = False

    def __init__(self, in_channels: int, num_tasks: int,
                 grad: str = 'learned', reduce: str = 'prob_mean',
                 init: str = 'default', divide_by_chance: bool = False,
                 balance: float = 0., init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_tasks, init_cfg)
        for name, value, allowed in (('grad', grad, GRADS),
                                     ('reduce', reduce, REDUCES),
                                     ('init', init, INITS)):
            if value not in allowed:
                raise ValueError(
                    f'{name} must be one of {allowed}, but got {value!r}')
        if not balance >= 0 or (balance and grad == 'detached'):
            raise ValueError(
                'balance must be at least 0, and 0 for a gate that does not '
                f'learn, but got {balance} with grad={grad!r}')
        self.grad = grad
        self.reduce = reduce
        self.divide_by_chance = divide_by_chance
        self.balance = balance
        self.fc = nn.Linear(in_channels, num_tasks)
        if init == 'kaiming':
            nn.init.kaiming_normal_(self.fc.weight)
        if grad == 'detached':
            self.fc.requires_grad_(False)
        # 0 until the classes are known
        self.register_buffer(
            'chance', torch.zeros(num_tasks), persistent=False)

    def set_task_classes(self, num_classes: Sequence[int]) -> None:
        """Learn the losses of guessing, ln K."""
        self.chance.copy_(torch.tensor(num_classes).log())
        self.chance_known = True

    def forward(self, feats: Tensor, task_losses: Tensor,
                agreement: Agreement | None = None) -> GateOutput:
        """Mix the losses, see :meth:`BaseGate.forward`."""
        if self.grad == 'detached':
            feats = feats.detach()
        gate_logits = self.fc(feats)
        task_losses = task_losses * self._units()
        if self.reduce == 'per_sample':
            weights = gate_logits.softmax(1)
            terms = (weights * task_losses).mean(0)
            mean = _global_value(weights.mean(0), len(feats))
            return self._output(terms, mean)
        return self._mix_means(gate_logits, task_losses)

    @torch.no_grad()
    def fixed_weights(self, feats: Tensor, task_losses: Tensor,
                      agreement: Agreement | None = None) -> Tensor:
        """Weights as constants, see :meth:`BaseGate.fixed_weights`."""
        if self.reduce == 'per_sample':
            weights = self.fc(feats).softmax(1)
        else:
            weights = super().fixed_weights(feats, task_losses)
        return weights * self._units()

    def _units(self) -> Tensor | float:
        """What losses are multiplied by, ``(T,)``."""
        if not self.divide_by_chance:
            return 1.
        if not self.chance_known:
            raise ValueError(
                'divide_by_chance needs the classes of the tasks: use the gate '
                'in a GatedMultiTaskHead, or call set_task_classes([16, 2, 6])')
        return 1 / self.chance

    def _mix_means(self, gate_logits: Tensor,
                   task_losses: Tensor) -> GateOutput:
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
        return self._output(terms, weights)

    def _output(self, terms: Tensor, weights: Tensor) -> GateOutput:
        """Add the balance term on the mean weights, if there is one."""
        penalty = None
        if self.balance:
            spread = self.num_tasks * weights.square().sum() - 1
            penalty = self.balance * spread
        return GateOutput(terms, weights.detach(), penalty)


def _global_value(local: Tensor, count: int) -> Tensor:
    """The mean over processes, with the gradient of the local mean."""
    return global_mean(local, count) + (local - local.detach())
