"""Rotation of a region of the image (LoRot), or of all of it."""
import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from . import functional as F
from .base import PretextTask, on_all_channels


class _Rotation(PretextTask):
    """What rotations of any region share."""

    num_params = 4
    num_classes = 4
    priority = 20

    def apply(self, patches: Tensor, param: Tensor) -> Tensor:
        """Turn ``(N, C, s, s)`` patches by ``param`` quarter turns."""
        return F.rotate(patches, param)


@TASK_UTILS.register_module()
class LocalRotation(_Rotation):
    """Predict which quadrant was turned and by how much (LoRot-E).

    Paper: Mixture of Self-Supervised Learning, section 3 and figure 3.

    The quadrant ``q`` is turned by ``k`` counter-clockwise quarter turns, both
    uniform; the label is ``4 q + k``.

    Note:
        ``k = 0`` leaves the image as it was and the quadrant unknowable: alone,
        the task cannot be solved better than 81.25% of the time.

    Args:
        name (str): Key in logs. Defaults to ``'lorot'``.

    Example:
        >>> from gssl_mm.registry import TASK_UTILS
        >>> task = TASK_UTILS.build(dict(type='gssl_mm.LocalRotation'))
        >>> task.num_classes
        16
    """

    num_classes = 16

    def __init__(self, name: str = 'lorot') -> None:
        self.name = name

    def label(self, param: Tensor, region: Tensor) -> Tensor:
        """Return ``4 q + k``, int64 ``(N,)`` in 0..15."""
        return 4 * region + param

    def index(self, param: Tensor, h: int, w: int) -> Tensor:
        """Source positions, see :meth:`PretextTask.index`."""
        return on_all_channels(F.rotation_index(param, h, w))


@TASK_UTILS.register_module()
class LocalRotationImplicit(_Rotation):
    """Predict by how much a random box was turned, not where it is (LoRot-I).

    Paper: the implicit variant of the LoRot paper. To be composed with
    ``region='box'``; the label is the number of quarter turns.

    Args:
        name (str): Key in logs. Defaults to ``'lorot'``.
    """

    region = 'box'

    def __init__(self, name: str = 'lorot') -> None:
        self.name = name

    def apply_box(self, images: Tensor, top: Tensor, left: Tensor, side: Tensor,
                  param: Tensor) -> Tensor:
        """Turn a box of each image, see :func:`functional.rotate_box`."""
        return F.rotate_box(images, top, left, side, param)


@TASK_UTILS.register_module()
class GlobalRotation(_Rotation):
    """Predict by how much the whole image was turned.

    The pretext task of self-supervised pre-training (SSP): within a batch the
    four rotations are equally frequent (to one image where its size is no
    multiple of 4), in random order. To be composed with ``region='image'``; the
    label is the number of quarter turns.

    Args:
        name (str): Key in logs. Defaults to ``'rotation'``.
    """

    region = 'image'

    def __init__(self, name: str = 'rotation') -> None:
        self.name = name

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw a random order of 0, 1, 2, 3, 0, ... from any start."""
        start = torch.randint(4, (1, ), generator=generator)
        return (torch.randperm(n, generator=generator) + start) % 4
