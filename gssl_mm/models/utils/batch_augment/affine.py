"""Shear, translate and rotate a batch as Pillow does, by one gather."""
import torch
from torch import Tensor

# Pillow counts positions in 1/65536 of a pixel
FRACTION_BITS = 16
MAX_SIDE = 8192


def fixed_point_coefficients(kinds: Tensor, magnitudes: Tensor, height: int,
                             width: int) -> Tensor:
    r"""Coefficients of Pillow's affine transforms, in 1/65536 of a pixel.

    Output pixel (x, y) shows input pixel :math:`\lfloor (a_0 x + a_1 y + a_2)
    / 2^{16} \rfloor, \lfloor (a_3 x + a_4 y + a_5) / 2^{16} \rfloor`.

    Args:
        kinds (Tensor): int64, 0 to 4: shear along x, along y (pixels a
            pixel), translate along x, along y (pixels), rotate (degrees
            counter-clockwise). A negative number gives the magnitude itself
            as :math:`a_0`.
        magnitudes (Tensor): float64, shaped like ``kinds``.
        height (int): Of the images.
        width (int): Of the images.

    Returns:
        Tensor: float64, ``kinds.shape + (6,)``, integers for affine kinds.
    """
    zero, one = torch.zeros_like(magnitudes), torch.ones_like(magnitudes)
    shear_x, shear_y, move_x, move_y = (
        magnitudes * (kinds == kind) for kind in range(4))
    angle = -torch.deg2rad(magnitudes * (kinds == 4))
    cos = _round15(torch.where(kinds == 4, angle.cos(), one))
    sin = _round15(torch.where(kinds == 4, angle.sin(), zero))
    middle_x, middle_y = width / 2, height / 2
    turned = kinds == 4
    a = torch.stack([
        cos, shear_x + sin,
        _whole(move_x) + turned * (
            middle_x - cos * middle_x - sin * middle_y),
        shear_y - sin, cos,
        _whole(move_y) + turned * (
            middle_y + sin * middle_x - cos * middle_y)], -1)
    # Pillow looks at the middle of a pixel
    a[..., 2] += a[..., 0] * 0.5 + a[..., 1] * 0.5
    a[..., 5] += a[..., 3] * 0.5 + a[..., 4] * 0.5
    a = torch.floor(a * 2**FRACTION_BITS + 0.5)
    plain = torch.cat([magnitudes[..., None], torch.zeros_like(a)[..., 1:]], -1)
    return torch.where((kinds < 0)[..., None], plain, a)


def _round15(values: Tensor) -> Tensor:
    """Round to 15 decimals, as Pillow's ``rotate`` does."""
    return values.round(decimals=15)


def _whole(pixels: Tensor) -> Tensor:
    """Whole pixels by which a translation of so many pixels moves."""
    return torch.floor(pixels + 0.5)


def affine_nearest(images: Tensor, coefficients: Tensor,
                   fill: Tensor) -> Tensor:
    """Transform each image by its own affine map, nearest pixel.

    Equal to ``Image.transform(size, AFFINE, data)`` with Pillow's fixed-point
    coefficients; no value is computed, only moved.

    Args:
        images (Tensor): uint8 ``(N, C, H, W)``.
        coefficients (Tensor): int32 ``(N, 6)`` of
            :func:`fixed_point_coefficients`.
        fill (Tensor): uint8 ``(C,)``: colour of what lies outside.

    Returns:
        Tensor: uint8 ``(N, C, H, W)``.

    Raises:
        ValueError: If a side is longer than 8192 pixels.
    """
    n, channels, height, width = images.shape
    if max(height, width) > MAX_SIDE:
        raise ValueError(
            f'images can be transformed up to {MAX_SIDE} pixels a side, but '
            f'these are {height}x{width}: positions are 32-bit fractions. '
            'Resize the images first')
    index = _source_index(coefficients, height, width)
    # A frame of one pixel shows up where the source lies outside
    framed = fill.view(1, -1, 1, 1).expand(
        n, channels, height + 2, width + 2).contiguous()
    framed[:, :, 1:-1, 1:-1] = images
    index = index.view(n, 1, -1).expand(n, channels, -1)
    return framed.flatten(2).gather(2, index).view(images.shape)


def _source_index(coefficients: Tensor, height: int, width: int) -> Tensor:
    """Position of each pixel's source in the framed image, ``(N, H, W)``."""
    device = coefficients.device
    x = torch.arange(width, dtype=torch.int32, device=device)
    y = torch.arange(height, dtype=torch.int32, device=device)
    a = coefficients[:, :, None]
    col = (a[:, 0] * x + a[:, 2])[:, None] + (a[:, 1] * y)[:, :, None]
    row = (a[:, 3] * x + a[:, 5])[:, None] + (a[:, 4] * y)[:, :, None]
    col = col.bitwise_right_shift_(FRACTION_BITS).clamp_(-1, width)
    row = row.bitwise_right_shift_(FRACTION_BITS).clamp_(-1, height)
    return row.mul_(width + 2).add_(col).add_(width + 3).long()
