"""What a level of RandAugment means: the tables of three published codes."""
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor

from .operations import OPERATIONS, SIGNED

LEVELS = 10
ENHANCEMENTS = ('Color', 'Contrast', 'Brightness', 'Sharpness')
# All operations of FixMatch's RandAugment, drawn with equal probability
POOL = tuple(name for name in OPERATIONS if name != 'Invert')

# Operation -> magnitude of an integer level; lengths are those of the images
LevelTable = dict[str, Callable[[int, int, int], float]]

_COMMON: LevelTable = {
    'Solarize': lambda level, h, w: 256 - int(level * 256 / LEVELS),
    'Rotate': lambda level, h, w: int(level * 30 / LEVELS),
    'ShearX': lambda level, h, w: level * 0.3 / LEVELS,
    'ShearY': lambda level, h, w: level * 0.3 / LEVELS,
}
LEVEL_TABLES: dict[str, LevelTable] = {
    'fm': {
        **_COMMON,
        **dict.fromkeys(ENHANCEMENTS,
                        lambda level, h, w: level * 1.8 / LEVELS + 0.1),
        'Posterize': lambda level, h, w: 4 - int(level * 4 / LEVELS),
        'TranslateX': lambda level, h, w: level,
        'TranslateY': lambda level, h, w: level,
    },
    'kk': {
        **_COMMON,
        **dict.fromkeys(ENHANCEMENTS,
                        lambda level, h, w: level * 0.9 / LEVELS + 0.05),
        'Posterize': lambda level, h, w: 4 + int(level * 4 / LEVELS),
        'TranslateX': lambda level, h, w: int(level * 0.3 / LEVELS * w),
        'TranslateY': lambda level, h, w: int(level * 0.3 / LEVELS * h),
    },
}
# Operation -> (lowest, highest) of a uniform magnitude; for translations
# shares of the side
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(ENHANCEMENTS, (0.05, 0.95)),
    'Posterize': (4, 8),
    'Solarize': (0, 256),
    'Rotate': (-30, 30),
    **dict.fromkeys(['ShearX', 'ShearY', 'TranslateX', 'TranslateY'],
                    (-0.3, 0.3)),
}


@lru_cache
def level_magnitudes(table: str, height: int, width: int) -> Tensor:
    """Magnitudes of all operations at all levels.

    Args:
        table (str): ``'fm'`` or ``'kk'``.
        height (int): Of the images.
        width (int): Of the images.

    Returns:
        Tensor: float64 ``(operations, 10)``, column l for level l; 0 for an
        operation without magnitude.
    """
    entries = LEVEL_TABLES[table]
    return torch.tensor(
        [[entries[name](level, height, width) if name in entries else 0
          for level in range(LEVELS)] for name in OPERATIONS],
        dtype=torch.float64)


def from_levels(table: str, operations: Tensor, levels: Tensor,
                negative: Tensor, size: tuple[int, int]) -> Tensor:
    """Magnitudes of integer levels, with a sign where the operation has one.

    Args:
        table (str): ``'fm'`` or ``'kk'``.
        operations (Tensor): int64, positions in ``OPERATIONS``.
        levels (Tensor): int64 in 0..9, of the same shape.
        negative (Tensor): bool, of the same shape.
        size (tuple[int, int]): (height, width) of the images.

    Returns:
        Tensor: float64 of the same shape.
    """
    values = level_magnitudes(table, *size)[operations, levels]
    signed = operations >= OPERATIONS.index(SIGNED[0])
    return torch.where(signed & negative, -values, values)


def from_uniform(operations: Tensor, share: Tensor,
                 size: tuple[int, int]) -> Tensor:
    """Magnitudes at a share of the ranges of ``'ly'``.

    Args:
        operations (Tensor): int64, positions in ``OPERATIONS``.
        share (Tensor): float64 in [0, 1), of the same shape.
        size (tuple[int, int]): (height, width) of the images.

    Returns:
        Tensor: float64 of the same shape.
    """
    low, high = _ranges(*size)[operations].unbind(-1)
    values = low + (high - low) * share
    bits = operations == OPERATIONS.index('Posterize')
    return torch.where(bits, values.floor(), values)


@lru_cache
def _ranges(height: int, width: int) -> Tensor:
    sides = {'TranslateX': width, 'TranslateY': height}
    return torch.tensor(
        [[bound * sides.get(name, 1) for bound in RANGES.get(name, (0, 0))]
         for name in OPERATIONS], dtype=torch.float64)
