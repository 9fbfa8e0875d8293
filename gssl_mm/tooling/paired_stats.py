"""Means, deviations and paired differences of few runs, without SciPy."""
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PairedDifference:
    """Difference of two measurements of the same seeds.

    Args:
        n (int): Number of pairs.
        mean (float): Mean of ``a - b``.
        sd (float, optional): Sample standard deviation (n - 1) of the
            differences; None for one pair.
        low (float, optional): Lower end of the t-interval of the mean; None
            for one pair.
        high (float, optional): Its upper end.
        confidence (float): Coverage of the interval.
    """

    n: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None
    confidence: float = 0.95

    def text(self, digits: int = 2) -> str:
        """Markdown: ``+0.52 [+0.11, +0.93]``, a mean alone for one pair."""
        mean = f'{self.mean:+.{digits}f}'
        if self.low is None:
            return mean
        return f'{mean} [{self.low:+.{digits}f}, {self.high:+.{digits}f}]'


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean.

    Raises:
        ValueError: There is no value, or one is not finite.
    """
    return statistics.fmean(_finite(values))


def sample_sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation (n - 1), None for a single value.

    Raises:
        ValueError: There is no value, or one is not finite.
    """
    kept = _finite(values)
    return statistics.stdev(kept) if len(kept) > 1 else None


def _finite(values: Sequence[float]) -> list[float]:
    kept = [float(v) for v in values]
    if not kept or not all(map(math.isfinite, kept)):
        raise ValueError(
            f'one or more finite numbers are needed, but got {kept}. Leave '
            'out runs that did not finish.')
    return kept


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function, by Lentz's continued fraction."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    if x <= 0:
        return 0.
    log_front = (math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
                 + a * math.log(x) + b * math.log1p(-x))
    tiny, c = 1e-300, 1.
    d = 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    fraction = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = fraction
        for part in (even, odd):
            d = 1 / ((1 + part * d) or tiny)
            c = (1 + part / c) or tiny
            fraction *= c * d
        if abs(fraction - before) <= 1e-15 * abs(fraction):
            break
    return math.exp(log_front) * fraction / a


def t_quantile(probability: float, freedom: float) -> float:
    r"""Quantile of Student's t distribution.

    Bisection on the distribution function
    :math:`F(t) = 1 - \frac12 I_{\nu / (\nu + t^2)}(\nu / 2, 1 / 2)`, t >= 0.

    Args:
        probability (float): In (0, 1).
        freedom (float): Degrees of freedom, positive.

    Returns:
        float: t with F(t) = ``probability``.

    Raises:
        ValueError: A number is outside its range.
    """
    if not 0 < probability < 1 or not freedom > 0:
        raise ValueError(
            'a probability in (0, 1) and positive degrees of freedom are '
            f'needed, but got {probability} and {freedom}')
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    tail = 2 * (1 - probability)
    low, high = 0., 1.
    while _two_tails(high, freedom) > tail:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if _two_tails(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _two_tails(t: float, freedom: float) -> float:
    return _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def paired_difference(a: Sequence[float], b: Sequence[float],
                      confidence: float = 0.95) -> PairedDifference:
    r"""Mean of ``a - b`` with Student's t interval.

    .. math:: \bar d \pm t_{n - 1,\, (1 + c) / 2}\; s_d / \sqrt n

    Args:
        a (Sequence[float]): One number a seed.
        b (Sequence[float]): Of the same seeds in the same order.
        confidence (float): Coverage c, in (0, 1). Defaults to 0.95.

    Returns:
        PairedDifference: Without deviation and interval for one pair.

    Raises:
        ValueError: Lengths differ, a number is not finite, there is no pair,
            or ``confidence`` is outside (0, 1).

    Example:
        >>> paired_difference([2., 4.], [1., 1.]).mean
        2.0
    """
    if len(a) != len(b):
        raise ValueError(f'pairs are needed, but got {len(a)} numbers and '
                         f'{len(b)}: give those of the same seeds')
    if not 0 < confidence < 1:
        raise ValueError(f'confidence must be in (0, 1), but got {confidence}')
    apart = [x - y for x, y in zip(_finite(a), _finite(b), strict=True)]
    centre, sd = mean(apart), sample_sd(apart)
    if sd is None:
        return PairedDifference(1, centre, None, None, None, confidence)
    n = len(apart)
    half = t_quantile((1 + confidence) / 2, n - 1) * sd / math.sqrt(n)
    return PairedDifference(n, centre, sd, centre - half, centre + half,
                            confidence)


def paired_by_seed(a: Mapping[int, float], b: Mapping[int, float],
                   confidence: float = 0.95) -> PairedDifference | None:
    """Paired difference over the seeds that both have.

    Args:
        a (Mapping[int, float]): Seed to number.
        b (Mapping[int, float]): Seed to number.
        confidence (float): Coverage of the interval. Defaults to 0.95.

    Returns:
        PairedDifference, optional: None where no seed is in both.
    """
    shared = sorted(set(a) & set(b))
    if not shared:
        return None
    return paired_difference([a[s] for s in shared], [b[s] for s in shared],
                             confidence)


__all__ = [
    'PairedDifference', 'mean', 'paired_by_seed', 'paired_difference',
    'sample_sd', 't_quantile'
]
