"""Random crop and flip of a whole batch by one gather."""
import torch
from torch import Tensor

from gssl_mm.registry import TASK_UTILS

from .step_random import draw_global

PADDINGS = ('constant', 'reflect')


@TASK_UTILS.register_module()
class RandomCropFlip:
    """Pad, crop back to the original size and mirror left-right, at random.

    The batched form of ``RandomCrop(size, padding)`` followed by
    ``RandomFlip``: offsets are uniform in [-padding, padding], an image each.
    It runs on the device the batch is on, before the normalisation, so that a
    zero border is black.

    Args:
        padding (int): Pixels of padding on every side. Defaults to 4.
        flip_prob (float): Probability of a mirror image, in [0, 1]. Defaults
            to 0.5.
        padding_mode (str): ``'constant'`` pads with zeros, ``'reflect'``
            mirrors the image without repeating its border. Defaults to
            ``'constant'``.

    Shape:
        - images: ``(N, C, H, W)``, any dtype and value range.
        - returns: like the input.

    Raises:
        ValueError: If an argument is out of its range, or images are no larger
            than the padding that mirrors them.
    """

    def __init__(self, padding: int = 4, flip_prob: float = 0.5,
                 padding_mode: str = 'constant') -> None:
        if padding < 0:
            raise ValueError(f'padding must be at least 0, but got {padding}')
        if not 0 <= flip_prob <= 1:
            raise ValueError(f'flip_prob must be in [0, 1], got {flip_prob}')
        if padding_mode not in PADDINGS:
            raise ValueError(
                f'padding_mode must be one of {PADDINGS}, got {padding_mode!r}')
        self.padding = padding
        self.flip_prob = flip_prob
        self.padding_mode = padding_mode

    def __call__(self, images: Tensor,
                 generator: torch.Generator | None = None) -> Tensor:
        """Draw and transform a batch."""
        draws = draw_global(len(images), lambda n: self.sample(n, generator))
        packed = torch.stack(draws, 1).to(images.device, non_blocking=True)
        return self.apply(images, *packed.unbind(1))

    def sample(self, n: int, generator: torch.Generator | None) -> list[Tensor]:
        """Draw row offsets, column offsets and flips, int64 ``(n,)`` each."""
        offsets = torch.randint(
            2 * self.padding + 1, (2, n), generator=generator) - self.padding
        flips = torch.rand(n, generator=generator) < self.flip_prob
        return [*offsets, flips.long()]

    def apply(self, images: Tensor, top: Tensor, left: Tensor,
              flips: Tensor) -> Tensor:
        """Shift each image by (top, left), then mirror where flagged."""
        n, channels, height, width = images.shape
        rows = torch.arange(height, device=images.device) + top[:, None]
        cols = torch.arange(width, device=images.device)
        cols = torch.where(flips[:, None] > 0, width - 1 - cols, cols)
        cols = cols + left[:, None]
        inside = None
        reflect = self.padding_mode == 'reflect'
        if reflect and self.padding >= min(height, width):
            raise ValueError(
                f'padding={self.padding} can not be mirrored from images of '
                f'{height}x{width}. Set a smaller padding, or '
                "padding_mode='constant'")
        if not reflect:
            inside = (((rows >= 0) & (rows < height))[:, :, None]
                      & ((cols >= 0) & (cols < width))[:, None])
            rows, cols = rows.clamp(0, height - 1), cols.clamp(0, width - 1)
        else:
            rows, cols = _reflect(rows, height), _reflect(cols, width)
        index = (rows[:, :, None] * width + cols[:, None]).view(n, 1, -1)
        flat = images.reshape(n, channels, -1)
        out = flat.gather(2, index.expand_as(flat)).view_as(images)
        return out if inside is None else out * inside[:, None]


def _reflect(index: Tensor, size: int) -> Tensor:
    """Fold positions outside [0, size) back without repeating the border."""
    return (size - 1) - (size - 1 - index.abs()).abs()
