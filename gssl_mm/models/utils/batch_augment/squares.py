"""Erase a square of each image."""
import torch
from torch import Tensor


def erase_squares(images: Tensor, squares: Tensor, fill: Tensor,
                  dtype: torch.dtype) -> Tensor:
    """Overwrite one square an image, clipped at the border.

    Multiplies by zero and adds, because a selection is slow on a CPU.

    Args:
        images (Tensor): ``(N, C, H, W)``, finite.
        squares (Tensor): int ``(N, 3)``: first row and first column, which may
            be outside, and side in pixels.
        fill (Tensor): float ``(C,)`` or ``(1,)``; rounded if ``dtype`` is one
            of integers.
        dtype (torch.dtype): Of the result.

    Returns:
        Tensor: Like the images, in the given dtype.
    """
    height, width = images.shape[2:]
    top, left, side = squares.unbind(1)
    rows, cols = (_span(start, side, length).to(images.dtype)
                  for start, length in ((top, height), (left, width)))
    hole = rows[:, None, :, None] * cols[:, None, None]
    if not dtype.is_floating_point:
        fill = fill.round()
    out = (images * (1 - hole)).to(dtype)
    return out.addcmul_(hole.to(dtype), fill.to(dtype).view(1, -1, 1, 1))


def _span(start: Tensor, side: Tensor, length: int) -> Tensor:
    offset = torch.arange(length, device=start.device) - start[:, None]
    return (offset >= 0) & (offset < side[:, None])
