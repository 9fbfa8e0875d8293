"""Erase a random square of each image of a batch."""
from collections.abc import Sequence

import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from .batch_augment.squares import erase_squares
from .step_random import draw_global


@TASK_UTILS.register_module()
class RandomCutout:
    """Overwrite a square around a random pixel, clipped at the border.

    Paper: Improved Regularization of Convolutional Neural Networks with Cutout,
    section 3: 8 pixels for CIFAR-100, 16 for CIFAR-10, zero after the
    normalisation. It runs before the normalisation, on the batch: with the
    ``mean`` of the data preprocessor as ``fill``, what is erased is exactly
    zero in the model's input.

    Args:
        size (int): Side of the square in pixels, at least 1.
        fill (float | Sequence[float]): Value, or one a channel, 0 to 255.
            Defaults to 0.

    Shape:
        - images: ``(N, C, H, W)``, any dtype, finite.
        - returns: float32, like the input elsewhere.

    Raises:
        ValueError: If ``size`` is less than 1.
    """

    def __init__(self, size: int, fill: float | Sequence[float] = 0.) -> None:
        if size < 1:
            raise ValueError(f'size must be at least 1, but got {size}')
        self.size = size
        self.fill = torch.as_tensor(fill, dtype=torch.float32).view(-1)

    def __call__(self, images: Tensor,
                 generator: torch.Generator | None = None) -> Tensor:
        """Draw and erase."""
        height, width = images.shape[2:]
        draws = draw_global(len(images), lambda n: [
            torch.randint(size, (n, ), generator=generator)
            for size in (height, width)])
        packed = torch.stack(draws, 1).to(images.device, non_blocking=True)
        return self.apply(images, *packed.unbind(1))

    def apply(self, images: Tensor, row: Tensor, col: Tensor) -> Tensor:
        """Erase the squares around (row, col), int64 ``(N,)`` each."""
        if self.fill.device != images.device:
            self.fill = self.fill.to(images.device)
        half = self.size // 2
        squares = torch.stack(
            [row - half, col - half, torch.full_like(row, self.size)], 1)
        return erase_squares(images, squares, self.fill, torch.float32)
