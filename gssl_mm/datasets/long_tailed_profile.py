"""How many samples of a class a long-tailed subset keeps, and which."""
import math

import numpy as np

from .errors import EmptyClassError

PROFILES = ('exp', 'step')


def check_profile(ratio: float, profile: str) -> None:
    """Refuse a ratio outside (0, 1] and an unknown profile."""
    if not isinstance(ratio, int | float) or not 0 < ratio <= 1:
        raise ValueError(
            'imbalance_ratio is the smallest over the largest class and lies '
            f'in (0, 1], got {ratio!r}. For an imbalance factor of 100 give '
            '0.01.')
    if profile not in PROFILES:
        raise ValueError(
            f'profile is one of {", ".join(PROFILES)}, got {profile!r}')


def profile_counts(available: np.ndarray, ratio: float,
                   profile: str) -> np.ndarray:
    """Number of samples that the profile asks for, class by class.

    Args:
        available (np.ndarray): Samples of every class, (C,) integer.
        ratio (float): Smallest over largest class, in (0, 1].
        profile (str): 'exp' or 'step'.

    Returns:
        np.ndarray: Counts, (C,) int64, which may exceed ``available`` where
        the classes differ in size.

    Raises:
        EmptyClassError: A class would be left without a sample.
    """
    missing = np.flatnonzero(available == 0)
    if len(missing) or not len(available):
        raise EmptyClassError(
            f'The classes {missing.tolist()} have no sample in the wrapped '
            'dataset. Correct its class names, or its indices and filter.')
    largest = int(available.sum()) / len(available)
    counts = [
        int(largest * factor)
        for factor in _factors(len(available), ratio, profile)
    ]
    if min(counts) < 1:
        raise EmptyClassError(
            f'imbalance_ratio={ratio} leaves class {counts.index(0)} without '
            f'a sample: the largest class has {int(largest)}. The smallest '
            f'ratio that works is {_smallest_ratio(largest)!r}.')
    return np.array(counts, np.int64)


def _factors(num_classes: int, ratio: float, profile: str) -> list[float]:
    if num_classes == 1:
        return [1.0]
    if profile == 'exp':
        return [ratio**(c / (num_classes - 1.0)) for c in range(num_classes)]
    head = num_classes // 2
    return [1.0] * head + [ratio] * (num_classes - head)


def _smallest_ratio(largest: float) -> float:
    """Smallest ratio of four significant digits that keeps a sample."""
    digits = 3 - math.floor(math.log10(1 / largest))
    step = 10.0**-digits
    return round(math.ceil(round(1 / largest / step, 9)) * step, digits)


def select_classes(labels: np.ndarray, counts: np.ndarray,
                   seed: int) -> np.ndarray:
    """Choose samples as the authors of LDAM do, bit for bit.

    Args:
        labels (np.ndarray): Labels in file order, (N,) integer.
        counts (np.ndarray): Samples to keep of every class, (C,).
        seed (int): Seed of NumPy's legacy generator.

    Returns:
        np.ndarray: Positions, class after class, int64.
    """
    generator = np.random.RandomState(seed)
    kept = []
    for label, count in enumerate(counts):
        positions = np.flatnonzero(labels == label)
        generator.shuffle(positions)
        kept.append(positions[:count])
    return np.concatenate(kept)


__all__ = [
    'PROFILES', 'check_profile', 'profile_counts', 'select_classes'
]
