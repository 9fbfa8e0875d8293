"""Random crops of a batch, resized as Pillow does, by two products."""
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from .step_random import draw_global

PRECISION = 2**22


@TASK_UTILS.register_module()
class RandomResizedCropFlip:
    """Crop at a random size and aspect, resize back, mirror at random.

    The batched form of ``RandomResizedCrop`` (bicubic, Pillow) followed by
    ``RandomFlip``, on the device the batch is on. Sizes are drawn up to ten
    times until the crop fits, as in the host; an image that none fits is taken
    whole. The bicubic filter is Pillow's, with its fixed-point weights and its
    rounding after each direction: the result is Pillow's, value by value.

    Args:
        area (Sequence[float]): Smallest and largest area of the crop as a
            fraction of the image's, in (0, 1]. Defaults to (0.08, 1).
        aspect (Sequence[float]): Smallest and largest width over height,
            uniform in the logarithm. Defaults to (3/4, 4/3).
        flip_prob (float): Probability of a mirror image, in [0, 1]. Defaults
            to 0.5.

    Shape:
        - images: ``(N, C, H, W)``, 0 to 255, any dtype.
        - returns: like the input, whole numbers.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> data_preprocessor = dict(
        ...     type='gssl_mm.PretextDataPreprocessor',
        ...     augment=[dict(type='gssl_mm.RandomResizedCropFlip')])
    """

    attempts = 10

    def __init__(self, area: Sequence[float] = (0.08, 1.),
                 aspect: Sequence[float] = (3 / 4, 4 / 3),
                 flip_prob: float = 0.5) -> None:
        for name, (low, high), largest in (('area', area, 1.),
                                           ('aspect', aspect, math.inf)):
            if not 0 < low <= high <= largest:
                raise ValueError(
                    f'{name} must be (low, high) with 0 < low <= high <= '
                    f'{largest}, but got {(low, high)}')
        if not 0 <= flip_prob <= 1:
            raise ValueError(f'flip_prob must be in [0, 1], got {flip_prob}')
        self.area, self.aspect, self.flip_prob = area, aspect, flip_prob

    def __call__(self, images: Tensor,
                 generator: torch.Generator | None = None) -> Tensor:
        """Draw and transform a batch."""
        height, width = images.shape[-2:]
        draws = draw_global(len(images), lambda n: self.sample(
            n, height, width, generator))
        packed = torch.stack(draws, 1).to(images.device, non_blocking=True)
        return self.apply(images, *packed.unbind(1))

    def sample(self, n: int, height: int, width: int,
               generator: torch.Generator | None) -> list[Tensor]:
        """Draw tops, lefts, heights, widths and flips, int64 ``(n,)`` each."""
        draws = torch.rand(
            4, n, self.attempts, generator=generator, dtype=torch.float64)
        low, high = self.area
        area = height * width * (low + (high - low) * draws[0])
        low, high = (math.log(bound) for bound in self.aspect)
        aspect = (low + (high - low) * draws[1]).exp()
        cols = (area * aspect).sqrt().round().long()
        rows = (area / aspect).sqrt().round().long()
        fits = (cols <= width) & (rows <= height) & (cols > 0) & (rows > 0)
        first = fits.int().argmax(1, keepdim=True)
        found = fits.any(1)
        rows = torch.where(found, rows.gather(1, first)[:, 0], height)
        cols = torch.where(found, cols.gather(1, first)[:, 0], width)
        top = (draws[2, :, 0] * (height - rows + 1)).long()
        left = (draws[3, :, 0] * (width - cols + 1)).long()
        flips = torch.rand(n, generator=generator) < self.flip_prob
        return [top, left, rows, cols, flips.long()]

    def apply(self, images: Tensor, top: Tensor, left: Tensor, rows: Tensor,
              cols: Tensor, flips: Tensor) -> Tensor:
        """Crop, resize to the original size, then mirror where flagged."""
        height, width = images.shape[-2:]
        across = bicubic_weights(left, cols, width)
        across = torch.where(
            flips[:, None, None] > 0, across.flip(1), across)
        down = bicubic_weights(top, rows, height)
        out = images.double() @ across.transpose(1, 2)[:, None]
        out = down[:, None] @ _to_pixels(out)
        return _to_pixels(out).to(images.dtype)


def bicubic_weights(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Weights that stretch a part of a line of ``size`` pixels over all of it.

    Pillow's bicubic filter (a = -0.5), cut at the ends of the part, rounded to
    multiples of 2^-22.

    Args:
        start (Tensor): int64 ``(N,)``, first pixel of the part.
        length (Tensor): int64 ``(N,)``, pixels of the part, at most ``size``.
        size (int): Pixels of the line.

    Returns:
        Tensor: float64 ``(N, size, size)``, rows sum to 1 but for the rounding.
    """
    pixel = torch.arange(size, device=start.device)
    start, length = start[:, None, None], length[:, None, None]
    centre = (pixel[:, None] + 0.5) * (length.double() / size)
    tap = pixel - start
    x = (tap - centre + 0.5).abs()
    weights = torch.where(
        x < 1, (1.5 * x - 2.5) * x * x + 1,
        (((x - 5) * x + 8) * x - 4) * -0.5)
    inside = (x < 2) & (tap >= 0) & (tap < length)
    weights = torch.where(inside, weights, 0)
    weights = weights / weights.sum(2, keepdim=True) * PRECISION
    return (weights + 0.5 * weights.sign()).trunc() / PRECISION


def _to_pixels(values: Tensor) -> Tensor:
    """Round halves up and clip, as Pillow does after each direction."""
    return (values + 0.5).floor().clamp(0, 255)
