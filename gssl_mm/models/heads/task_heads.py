"""The classifiers of the pretext tasks, computed together."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .cosine_cls_head import CosineLinear

KINDS = ('linear', 'cosine')
INITS = ('default', 'kaiming')


class TaskHeads(nn.ModuleDict):
    """One linear or cosine classifier a pretext task, run as one product.

    Each task keeps a layer of its own (``heads[name].weight``); the forward
    pass stacks the weights, so that any number of tasks costs one matrix
    product and one softmax.

    Args:
        in_channels (int): Channels D of the pooled feature.
        num_classes (dict[str, int]): Classes of each task.
        kind (str): ``'linear'`` or ``'cosine'`` (unscaled, in [-1, 1]).
        init (str): For linear heads, ``'default'`` is that of ``nn.Linear``;
            ``'kaiming'`` draws the weight from N(0, 2 / D).

    Raises:
        ValueError: If a switch has an unknown value.
    """

    def __init__(self, in_channels: int, num_classes: dict[str, int],
                 kind: str = 'linear', init: str = 'default') -> None:
        if kind not in KINDS:
            raise ValueError(f'task_head must be one of {KINDS}, got {kind!r}')
        if init not in INITS:
            raise ValueError(f'task_init must be one of {INITS}, got {init!r}')
        layer = nn.Linear if kind == 'linear' else CosineLinear
        super().__init__(
            {name: layer(in_channels, k) for name, k in num_classes.items()})
        if kind == 'linear' and init == 'kaiming':
            for head in self.values():
                nn.init.kaiming_normal_(head.weight)
        self.kind = kind
        widths = torch.tensor(list(num_classes.values()))
        column = torch.arange(int(widths.max()))
        first = widths.cumsum(0) - widths
        padding = column >= widths[:, None]
        columns = (first[:, None] + column).masked_fill(padding, 0)
        self.register_buffer('padding', padding, persistent=False)
        self.register_buffer('columns', columns, persistent=False)

    def forward(self, feats: Tensor) -> Tensor:
        """Return logits ``(N, T, K)``, K the most classes of any task.

        Logits beyond a task's own classes are -inf.
        """
        weight = torch.cat([head.weight for head in self.values()])
        if self.kind == 'cosine':
            logits = F.linear(F.normalize(feats), F.normalize(weight))
        else:
            bias = torch.cat([head.bias for head in self.values()])
            logits = F.linear(feats, weight, bias)
        return logits[:, self.columns].masked_fill(self.padding, -torch.inf)

    def losses(self, feats: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropies and hits of each sample and task.

        Args:
            feats (Tensor): float32 ``(N, D)``.
            labels (Tensor): int64 ``(N, T)``.

        Returns:
            tuple[Tensor, Tensor]: float32 ``(N, T)`` losses, and bool
            ``(N, T)``, whether the prediction is right.
        """
        log_probs = self(feats).log_softmax(2)
        picked = log_probs.gather(2, labels[:, :, None])
        return -picked.squeeze(2), log_probs.argmax(2) == labels
