"""Weights from the agreement of gradients."""
import torch
from torch import Tensor

from gssl_mm.registry import MODELS

from ..utils.reduce import global_mean
from .agreement import Agreement
from .base_gate import BaseGate, GateOutput

REDUCES = ('batch_mean', 'per_sample')


class MissingAgreementError(ValueError):
    """An AlignedGate was asked for weights without gradients to compare."""


@MODELS.register_module()
class AlignedGate(BaseGate):
    r"""Weight a pretext task by how well its gradient agrees with the class's.

    At the pooled feature x the gradients of all losses are known in closed form
    from the heads (:func:`primary_gradients`, :func:`task_gradients`). Let c be
    that of the classification loss, class weights and margins included, and t
    that of task n. The agreement a is their cosine,

    - ``batch_mean``:
      :math:`a_n = \sum_b \langle c_b, t_{bn} \rangle /
      \sqrt{\sum_b |c_b|^2 \sum_b |t_{bn}|^2}` over the batch,
    - ``per_sample``: :math:`a_{bn} = \cos(c_b, t_{bn})`,

    and the weight of the task, with temperature :math:`\tau`,

    .. math:: g_n = \mathrm{softmax}(a / \tau)_n

    or, with ``cut_negative``, :math:`g_n \cdot [a_n \ge 0]`: a task that
    disagrees gets nothing, and the others do not get its share, so that a batch
    in which nothing helps is trained for the classes alone. The pretext loss is
    :math:`\sum_n g_n L_n`, or :math:`\mathrm{mean}_b \sum_n g_{bn} \ell_{bn}`.

    Unlike a gate that descends on the losses, this one has no parameters, and
    cannot make its loss smaller by its choice of weights.

    With ``momentum`` below 1 the agreement of the batch is a moving average
    :math:`\bar a \leftarrow \bar a + \max(m, 1 / k) (a - \bar a)` in the k-th
    training step (under gradient accumulation: part of a step): a plain mean
    at first. It is kept in buffers, so that a resumed run has it.

    Note:
        Not in the papers. The agreement is measured at the feature, which all
        heads share, and not at the weights of the network below it, where two
        gradients may meet differently. A task whose weight is cut does not
        train its head either.

    Cost: the logits of all heads once more, and the products
    ``(N, K) x (K, D)`` of each head with K classes; no backward pass, no
    parameters. In a distributed run one reduction of 2 T + 2 numbers, per
    sample another one of T + 1.

    Args:
        in_channels (int): Channels D of the pooled feature (not used).
        num_tasks (int): Number of pretext tasks T.
        reduce (str): See above. Defaults to ``'batch_mean'``.
        temperature (float): Positive; smaller is sharper. Agreements over a
            batch, averaged over an epoch, were within 0.02 of zero wherever
            they were measured: at the default of 0.1 their weights are almost
            equal, at 0.002 with a momentum of 0.01 they are a choice.
        momentum (float): Weight m of a new value in the moving average, in
            (0, 1]. Defaults to 1, no average.
        cut_negative (bool): See above. Defaults to False.
        init_cfg (dict, optional): Initialisation config of MMEngine.

    Shape:
        - feats: float32 ``(N, D)``; task_losses: float32 ``(N, T)``, >= 0.
        - returns: terms ``(T,)`` and weights ``(T,)``, the latter in [0, 1]
          with sum 1, or at most 1 with ``cut_negative``.

    Raises:
        ValueError: If an argument is out of range, or samples are to be
            averaged over time.
        MissingAgreementError: If the head cannot tell the gradients: there are
            no class labels for the images of the pretext tasks.

    Example:
        >>> from gssl_mm.registry import MODELS
        >>> head = MODELS.build(dict(
        ...     type='gssl_mm.GatedMultiTaskHead', in_channels=64,
        ...     primary=dict(type='gssl_mm.CosineClsHead', num_classes=10,
        ...                  in_channels=64,
        ...                  loss=dict(type='gssl_mm.LDAMLoss')),
        ...     tasks=[dict(type='gssl_mm.LocalRotation'),
        ...            dict(type='gssl_mm.LocalFlip')],
        ...     gate=dict(type='gssl_mm.AlignedGate', momentum=0.1)))
    """

    needs_agreement = True

    def __init__(self, in_channels: int, num_tasks: int,
                 reduce: str = 'batch_mean', temperature: float = 0.1,
                 momentum: float = 1., cut_negative: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(in_channels, num_tasks, init_cfg)
        if reduce not in REDUCES:
            raise ValueError(f'reduce must be one of {REDUCES}, got {reduce!r}')
        if not temperature > 0 or not 0 < momentum <= 1:
            raise ValueError(
                'temperature must be positive and momentum in (0, 1], but got '
                f'{temperature} and {momentum}')
        if reduce == 'per_sample' and momentum < 1:
            raise ValueError(
                'the samples of a step are not those of the step before: leave '
                f"momentum={momentum} out, or use reduce='batch_mean'")
        self.reduce = reduce
        self.temperature = temperature
        self.momentum = momentum
        self.cut_negative = cut_negative
        if momentum < 1:
            self.register_buffer('average', torch.zeros(num_tasks))
            self.register_buffer('steps', torch.zeros(()))

    def forward(self, feats: Tensor, task_losses: Tensor,
                agreement: Agreement | None = None) -> GateOutput:
        """Mix the losses, see :meth:`BaseGate.forward`."""
        if self.momentum < 1 and self.training and agreement is not None:
            self._update(agreement.batch)
        weights = self.fixed_weights(feats, task_losses, agreement)
        if self.reduce == 'per_sample':
            shown = global_mean(weights.mean(0), len(weights))
            return GateOutput((weights * task_losses).mean(0), shown)
        return GateOutput(weights * task_losses.mean(0), weights)

    @torch.no_grad()
    def fixed_weights(self, feats: Tensor, task_losses: Tensor,
                      agreement: Agreement | None = None) -> Tensor:
        """Weights as constants; the moving average stays as it is."""
        if agreement is None:
            raise MissingAgreementError(
                'AlignedGate compares the gradients of the pretext tasks with '
                'that of the classification of the same images, but these '
                'images come without it (unlabelled or other views). Use '
                'gssl_mm.SoftmaxGate or gssl_mm.UniformGate there')
        found = agreement.batch
        if self.reduce == 'per_sample':
            found = agreement.samples
        elif self.momentum < 1:
            found = torch.where(self.steps > 0, self.average, found)
        weights = (found / self.temperature).softmax(-1)
        return weights * (found >= 0) if self.cut_negative else weights

    @torch.no_grad()
    def _update(self, found: Tensor) -> None:
        self.steps += 1
        rate = (1 / self.steps).clamp_min(self.momentum)
        self.average += rate * (found - self.average)
