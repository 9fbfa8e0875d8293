"""Mirror image of a quadrant."""
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from . import functional as F
from .base import PretextTask, on_all_channels


@TASK_UTILS.register_module()
class LocalFlip(PretextTask):
    """Predict whether a quadrant was mirrored.

    Paper: Mixture of Self-Supervised Learning, section 3 and figure 3.

    Note:
        D3: the paper draws a left-right mirror, the default. The released code
        of the long-tailed and CAM experiments mirrors top-bottom: the configs
        that reproduce these tables set ``axis='vertical'``.

    Args:
        axis (str): ``'horizontal'`` swaps left and right, ``'vertical'`` top
            and bottom. Defaults to ``'horizontal'``.
        name (str): Key in logs. Defaults to ``'flip'``.

    Raises:
        ValueError: If ``axis`` is another word.
    """

    num_params = 2
    num_classes = 2
    priority = 10

    def __init__(self, axis: str = 'horizontal', name: str = 'flip') -> None:
        if axis not in ('horizontal', 'vertical'):
            raise ValueError(
                f"axis must be 'horizontal' or 'vertical', but got {axis!r}")
        self.axis = axis
        self.name = name

    def apply(self, patches: Tensor, param: Tensor) -> Tensor:
        """Mirror the ``(N, C, h, w)`` patches whose parameter is 1."""
        return F.flip(patches, param, self.axis)

    def index(self, param: Tensor, h: int, w: int) -> Tensor:
        """Source positions, see :meth:`PretextTask.index`."""
        return on_all_channels(F.flip_index(param, h, w, self.axis))
