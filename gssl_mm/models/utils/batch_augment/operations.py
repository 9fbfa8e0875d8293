"""Names of the operations of AutoAugment and RandAugment, and their runner."""
from collections.abc import Callable

import torch
from torch import Tensor

from .affine import affine_nearest, fixed_point_coefficients
from .colors import (
    auto_contrast,
    brightness,
    color,
    contrast,
    equalize,
    invert,
    posterize,
    sharpness,
    solarize,
)

KERNELS: dict[str, Callable[[Tensor, Tensor], Tensor] | None] = {
    'Identity': None,
    'Invert': invert,
    'AutoContrast': auto_contrast,
    'Equalize': equalize,
    'Posterize': posterize,
    'Solarize': solarize,
    'Color': color,
    'Contrast': contrast,
    'Brightness': brightness,
    'Sharpness': sharpness,
    # One kernel from here on
    'ShearX': None,
    'ShearY': None,
    'TranslateX': None,
    'TranslateY': None,
    'Rotate': None,
}
OPERATIONS = tuple(KERNELS)
FIRST_AFFINE = OPERATIONS.index('ShearX')
SIGNED = OPERATIONS[FIRST_AFFINE:]


def apply_operations(images: Tensor, operations: Tensor, magnitudes: Tensor,
                     fill: Tensor) -> Tensor:
    """Run a chain of operations on every image of a batch.

    The images are sorted by the operation they drew, so that an operation is a
    few tensor operations on the part of the batch that drew it; what they drew
    is on the CPU, so that the device is not waited for.

    Args:
        images (Tensor): uint8 ``(N, 3, H, W)``, R, G, B.
        operations (Tensor): int64 ``(N, K)`` on the CPU, positions in
            ``OPERATIONS``, run from the first column to the last.
        magnitudes (Tensor): float64 ``(N, K)`` on the CPU, in the unit of the
            operation.
        fill (Tensor): uint8 ``(3,)`` on the device of the images: colour of
            what an affine operation brings in from outside.

    Returns:
        Tensor: uint8 ``(N, 3, H, W)``; the input is not modified.
    """
    columns = operations.size(1)
    orders = operations.argsort(0)
    back = orders.argsort(0)
    moves = [orders[:, 0]]
    moves += [back[:, k - 1][orders[:, k]] for k in range(1, columns)]
    moves.append(back[:, -1])
    values = fixed_point_coefficients(
        operations.gather(0, orders) - FIRST_AFFINE,
        magnitudes.gather(0, orders), *images.shape[2:])
    # One copy to the device: all numbers are integers below 2 ** 53 or floats
    packed = torch.cat([torch.stack(moves, 1).double(), values.flatten(1)], 1)
    packed = packed.to(images.device, non_blocking=True)
    steps = packed[:, :columns + 1].long().unbind(1)
    values = packed[:, columns + 1:].view_as(values).unbind(1)
    for k in range(columns):
        images = images.index_select(0, steps[k])
        counts = torch.bincount(
            operations[:, k], minlength=len(OPERATIONS)).tolist()
        _run_sorted(images, counts, values[k], fill)
    return images.index_select(0, steps[-1])


def _run_sorted(images: Tensor, counts: list[int], values: Tensor,
                fill: Tensor) -> None:
    """Run one operation an image, in place, on a batch sorted by them."""
    start = 0
    for kernel, count in zip(
            list(KERNELS.values())[:FIRST_AFFINE], counts, strict=False):
        part = slice(start, start + count)
        if kernel is not None and count:
            images[part] = kernel(images[part], values[part, 0])
        start += count
    if start < len(images):
        images[start:] = affine_nearest(
            images[start:], values[start:].int(), fill)
