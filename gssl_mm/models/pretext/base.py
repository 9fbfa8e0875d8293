"""What a pretext task is."""
from abc import ABCMeta, abstractmethod

import torch
from torch import Tensor


class PretextTask(metaclass=ABCMeta):
    """Base class of the pretext tasks on a region of an image.

    A new task is a subclass registered in ``gssl_mm.registry.TASK_UTILS`` and
    named in a config. It states ``name``, ``num_params`` and ``num_classes``
    and implements :meth:`apply`; the rest has defaults. One with ``region =
    'box'`` implements ``apply_box(images, top, left, side, param)`` too, which
    transforms a box of each of the ``(N, C, H, W)`` images (int64 ``(N,)``
    each) and returns all of them.

    Attributes:
        name (str): Key of the task in logs and losses, e.g. ``lorot``.
        num_params (int): Number of equally likely parameters.
        num_classes (int): Classes of the task's head.
        region (str): Kind of region it works on: ``'quadrant'``, ``'box'`` or
            ``'image'``.
        priority (int): Tasks that share a region are applied in ascending
            order (flip 10, rotation 20, channel permutation 30, others 40),
            whatever the order in which a config lists them.
    """

    name: str
    num_params: int
    num_classes: int
    region: str = 'quadrant'
    priority: int = 40

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` parameters uniformly: int64 ``(n,)`` on the CPU."""
        return torch.randint(self.num_params, (n, ), generator=generator)

    def label(self, param: Tensor, region: Tensor) -> Tensor:
        """Return the class labels, int64 ``(N,)`` in [0, num_classes).

        Args:
            param (Tensor): ``(N,)`` int64, what :meth:`sample` drew.
            region (Tensor): ``(N,)`` int64, the quadrant of each image.
        """
        return param

    @abstractmethod
    def apply(self, patches: Tensor, param: Tensor) -> Tensor:
        """Transform ``(N, C, h, w)`` patches, each by its own parameter."""

    def index(self, param: Tensor, h: int, w: int) -> Tensor | None:
        """Source positions of a task that only moves values.

        Tasks that return positions are fused with each other into one gather;
        a task that returns None is run through :meth:`apply`.

        Args:
            param (Tensor): ``(P,)`` int64.
            h (int): Height of the patch.
            w (int): Width of the patch.

        Returns:
            Tensor | None: int64 ``(P, 3 * h * w)``, positions in the flattened
            ``(3, h, w)`` patch from which each value is taken.
        """
        return None


def on_all_channels(index: Tensor, channels: int = 3) -> Tensor:
    """Repeat positions ``(P, hw)`` in one plane for every channel."""
    offset = torch.arange(channels, device=index.device) * index.size(1)
    return (index[:, None] + offset[:, None]).flatten(1)
