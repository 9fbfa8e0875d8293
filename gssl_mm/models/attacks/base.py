"""What an attack is."""
from abc import ABCMeta, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .errors import PerturbationUnitsError, PixelSpaceError


class Attack(metaclass=ABCMeta):
    """Base class of the attacks that :class:`PGDEvaluator` runs.

    A new attack is a subclass registered in ``gssl_mm.registry.TASK_UTILS`` and
    named in a config. It implements :meth:`__call__`, and :meth:`draw_noise`
    if it starts at random.
    """

    @abstractmethod
    def __call__(self, model: Callable[[Tensor], Tensor], images: Tensor,
                 labels: Tensor, *, noise: Tensor | None = None) -> Tensor:
        """Perturb a batch.

        Args:
            model (Callable): Pixels in [0, 1] to logits ``(N, K)``.
            images (Tensor): Floating-point ``(N, C, H, W)`` in [0, 1]; not
                changed.
            labels (Tensor): int64 ``(N,)``.
            noise (Tensor, optional): What :meth:`draw_noise` returned for each
                of the images, stacked in the second dimension.

        Returns:
            Tensor: Like ``images``, without gradient.
        """

    def draw_noise(self, shape: tuple,
                   generator: torch.Generator | None = None) -> Tensor | None:
        """Draw the random part for one image of ``shape``; None if none."""
        return None


def check_pixels(images: Tensor) -> None:
    """Refuse images that are not floating-point pixels in [0, 1].

    Raises:
        PixelSpaceError: If they are not.
    """
    if not images.is_floating_point():
        raise PixelSpaceError(
            f'an attack needs floating-point pixels, but got {images.dtype}. '
            'Divide 8-bit images by 255')
    low, high = torch.aminmax(images) if images.numel() else (0, 0)
    if not (low >= 0 and high <= 1):
        raise PixelSpaceError(
            f'an attack needs pixels in [0, 1], but got [{float(low):.4g}, '
            f'{float(high):.4g}]. Divide 8-bit images by 255; wrap a model '
            'that takes normalised images in PixelModel')


def check_budget(eps: float, step_size: float, norm: str) -> None:
    """Refuse a radius or step that can't be meant in pixels of [0, 1].

    Raises:
        ValueError: If one is negative or not finite.
        PerturbationUnitsError: If an L-infinity radius or step is above 1.
    """
    for name, value in (('eps', eps), ('step_size', step_size)):
        if not 0 <= value < float('inf'):
            raise ValueError(
                f'{name} must be finite and at least 0, but got {value}')
        if norm == 'linf' and value > 1:
            raise PerturbationUnitsError(
                f'{name}={value} is in units of 0 to 255, but pixels are in '
                f'[0, 1]: write {name}={value:g} / 255')


def is_module(model: object) -> bool:
    """Whether a model has parameters and modes to take care of."""
    return isinstance(model, nn.Module)
