"""Permutation of the colour channels of a quadrant."""
import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from . import functional as F
from .base import PretextTask


@TASK_UTILS.register_module()
class LocalChannelPermutation(PretextTask):
    """Predict the order of the colour channels of a quadrant.

    Paper: Mixture of Self-Supervised Learning, section 3 and figure 3.

    Label ``p`` is the p-th permutation of (R, G, B) in lexicographic order:
    RGB, RBG, GRB, GBR, BRG, BGR. Output channel ``c`` takes input channel
    ``perm_p[c]``. Images must be in RGB order.

    Args:
        name (str): Key in logs. Defaults to ``'perm'``.
    """

    num_params = 6
    num_classes = 6
    priority = 30

    def __init__(self, name: str = 'perm') -> None:
        self.name = name

    def apply(self, patches: Tensor, param: Tensor) -> Tensor:
        """Reorder the channels of ``(N, 3, h, w)`` patches."""
        return F.permute_channels(patches, param)

    def index(self, param: Tensor, h: int, w: int) -> Tensor:
        """Source positions, see :meth:`PretextTask.index`."""
        plane = torch.arange(h * w, device=param.device)
        orders = torch.tensor(F.CHANNEL_ORDERS, device=param.device)[param]
        return (orders[:, :, None] * (h * w) + plane).flatten(1)
