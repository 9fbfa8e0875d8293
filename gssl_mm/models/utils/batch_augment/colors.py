"""Pillow's colour operations on a batch, equal to the last bit.

All functions take uint8 images ``(N, 3, H, W)`` in the order R, G, B and a
magnitude an image, float64 ``(N,)``, and return uint8 images. Mean distance to
Pillow 13 over all operations and all magnitudes of the published policies: 0,
which the tests hold. They use small integers and single precision where these
give the same result, because comparisons, selections and 64-bit numbers are
several times slower on a CPU.
"""
import torch
from torch import Tensor

# Luma of ITU-R 601-2 in 1/65536, as Pillow converts to grey
LUMA = (19595, 38470, 7471)


def invert(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Negative of the image; takes no magnitude."""
    return 255 - images


def posterize(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Keep the highest bits of each value; magnitude: bits, 1 to 8."""
    mask = (256 - 2**(8 - magnitudes)).to(torch.uint8)
    return images & mask.view(-1, 1, 1, 1)


def solarize(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Invert all values at or above a threshold, 0 to 256."""
    threshold = magnitudes.ceil().to(torch.int16).view(-1, 1, 1, 1)
    # The sign bit, spread by the shift, is all ones below the threshold
    above = (images - threshold).bitwise_right_shift_(15).bitwise_not_()
    return images ^ above.to(torch.uint8)


def auto_contrast(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Stretch each channel to 0..255; takes no magnitude."""
    flat = images.flatten(2)
    low, high = flat.amin(2).double(), flat.amax(2).double()
    span = high - low
    constant = span == 0
    # A number over a tensor would multiply by the rounded reciprocal
    scale = torch.where(constant, 1., torch.full_like(span, 255) / span)
    offset = torch.where(constant, 0., -low * scale)
    levels = torch.arange(256, dtype=torch.float64, device=images.device)
    table = (levels * scale[..., None]).add_(offset[..., None]).clamp_(0, 255)
    return _look_up(images, table.short().to(torch.uint8))


def equalize(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Flatten the histogram of each channel; takes no magnitude."""
    n, channels, height, width = images.shape
    index = images.flatten(2).long()
    histogram = _histogram(index)
    highest = images.flatten(2).amax(2, keepdim=True).long()
    # Doubles divide faster than integers, and as exactly
    histogram = histogram.double()
    step = ((height * width - histogram.gather(2, highest)) / 255).floor_()
    before = histogram.cumsum(2).sub_(histogram).add_((step / 2).floor_())
    table = before.div_(step).clamp_(max=255)
    levels = torch.arange(256, dtype=torch.float64, device=images.device)
    table = torch.where(step == 0, levels, table)
    return _look_up(images, table.short().to(torch.uint8), index)


def _histogram(index: Tensor) -> Tensor:
    """Pixels of each value, int32 ``(N, C, 256)``."""
    n, channels = index.shape[:2]
    rows = torch.arange(n * channels, device=index.device) * 256
    # In one dimension, the sum is twice as fast
    places = (index + rows.view(n, channels, 1)).view(-1)
    counts = torch.zeros(
        n * channels * 256, dtype=torch.int32, device=index.device)
    counts.scatter_add_(0, places, torch.ones_like(places, dtype=torch.int32))
    return counts.view(n, channels, 256)


def _look_up(images: Tensor, table: Tensor,
             index: Tensor | None = None) -> Tensor:
    """Map the values of each channel by its row of 256 values."""
    index = images.flatten(2).long() if index is None else index
    return table.gather(2, index).view(images.shape)


def brightness(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Blend with black; magnitude: share of the image, at least 0."""
    return _to_uint8(images * _factor(magnitudes))


def contrast(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Blend with the mean grey; magnitude: share of the image."""
    pixels = images[0, 0].numel()
    total = _grey(images).sum((1, 2, 3), dtype=torch.int64).double()
    mean = torch.floor(total / pixels + 0.5).float().view(-1, 1, 1, 1)
    return _blend(mean, images, magnitudes)


def color(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Blend with the grey image; magnitude: share of the image."""
    return _blend(_grey(images).float(), images, magnitudes)


def sharpness(images: Tensor, magnitudes: Tensor) -> Tensor:
    """Blend with the smoothed image; magnitude: share of the image.

    The kernel is 3x3: 5/13 in the middle and 1/13 around it. The outermost
    pixels stay as they are.
    """
    if min(images.shape[2:]) < 3:
        return images
    values = images.float()
    rows = values[:, :, :-2] + values[:, :, 1:-1] + values[:, :, 2:]
    smooth = rows[..., :-2] + rows[..., 1:-1]
    smooth += rows[..., 2:]
    inner = values[:, :, 1:-1, 1:-1]
    # The rounded quotient is never closer than 1/26 to its neighbours
    smooth = smooth.add_(inner, alpha=4).add_(6.5).mul_(1 / 13).floor_()
    out = images.clone()
    out[:, :, 1:-1, 1:-1] = _blend(smooth, inner, magnitudes)
    return out


def _grey(images: Tensor) -> Tensor:
    """Pillow's conversion to mode L, int32 ``(N, 1, H, W)``."""
    red, green, blue = images.int().split(1, 1)
    total = (red * LUMA[0]).add_(green, alpha=LUMA[1])
    total = total.add_(blue, alpha=LUMA[2]).add_(1 << 15)
    return total.bitwise_right_shift_(16)


def _factor(magnitudes: Tensor) -> Tensor:
    return magnitudes.float().view(-1, 1, 1, 1)


def _blend(start: Tensor, end: Tensor, magnitudes: Tensor) -> Tensor:
    """Interpolate in single precision, clip and truncate, as Pillow does."""
    return _to_uint8((end - start).mul_(_factor(magnitudes)).add_(start))


def _to_uint8(values: Tensor) -> Tensor:
    # On a CPU, the way over int16 is several times as fast
    return values.clamp_(0, 255).short().to(torch.uint8)
