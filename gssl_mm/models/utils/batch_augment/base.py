"""What the batched augmentations share."""
from collections.abc import Sequence

import torch
from torch import Tensor

from ..step_random import draw_global
from .operations import apply_operations


class BatchAugment:
    """Base class: draw operations for the global batch, run this share of it.

    A subclass draws in :meth:`sample`.

    Args:
        fill (float | Sequence[float]): Colour of what comes in from outside,
            0 to 255, one value or one a channel.

    Raises:
        ValueError: If ``fill`` is neither one value nor three, or outside
            0..255.
    """

    def __init__(self, fill: float | Sequence[float]) -> None:
        self._fill = to_uint8(_colour(fill))

    @property
    def fill(self) -> tuple[int, ...]:
        """Colour that affine operations bring in."""
        return tuple(self._fill.tolist())

    def sample(self, n: int, size: tuple[int, int],
               generator: torch.Generator | None) -> list[Tensor]:
        """Draw for n images of (height, width) pixels.

        Returns:
            list[Tensor]: On the CPU: positions in ``OPERATIONS``, int64
            ``(n, K)``, magnitudes, float64 ``(n, K)``, and what a subclass
            draws besides, ``(n, ...)``.
        """
        raise NotImplementedError

    def __call__(self, images: Tensor,
                 generator: torch.Generator | None = None) -> Tensor:
        """Draw and transform a batch."""
        size = tuple(images.shape[2:])
        draws = draw_global(
            len(images), lambda n: self.sample(n, size, generator))
        return self.apply(images, *draws)

    def apply(self, images: Tensor, operations: Tensor,
              magnitudes: Tensor) -> Tensor:
        """Run what :meth:`sample` drew."""
        return self._run(images, operations, magnitudes).to(images.dtype)

    def _run(self, images: Tensor, operations: Tensor,
             magnitudes: Tensor) -> Tensor:
        """Run the operations, uint8 out."""
        if self._fill.device != images.device:
            self._fill = self._fill.to(images.device)
        return apply_operations(
            to_uint8(images), operations, magnitudes, self._fill)


def to_uint8(values: Tensor) -> Tensor:
    """Round values of 0..255 to bytes.

    Raises:
        ValueError: If the images do not have three channels.
    """
    if values.ndim == 4 and values.size(1) != 3:
        raise ValueError('the operations need images (N, 3, H, W) in RGB '
                         f'order, but got {tuple(values.shape)}')
    if values.dtype == torch.uint8:
        return values
    return values.round().clamp_(0, 255).short().to(torch.uint8)


def _colour(fill: float | Sequence[float]) -> Tensor:
    values = torch.as_tensor(fill, dtype=torch.float32).reshape(-1)
    if values.numel() not in (1, 3) or not ((values >= 0)
                                            & (values <= 255)).all():
        raise ValueError('fill must be one value or three in 0..255, but got '
                         f'{fill}')
    return values.expand(3).clone()
