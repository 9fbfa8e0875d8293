"""Runs that may be compared, their paired difference, and the verdict on it."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from .paired_stats import PairedDifference, paired_by_seed
from .result_files import ResultFileError
from .result_records import Group

NEEDED_SEEDS = 5
SUPPORTED, NOT_SUPPORTED = 'supported', 'not supported'
UNDECIDED, NOT_RUN = 'undecided at this scale', 'not run'
# Said beside the last word where both sides exist
NOT_ALIKE = 'both were run, not alike'
DIRECTIONS = ('up', 'down', 'near')
RULE = (f'Fixed before any comparison: *{SUPPORTED}* or *{NOT_SUPPORTED}* '
        "only if the 95% t-interval of the paired difference over at least "
        f'{NEEDED_SEEDS} seeds excludes zero in or against the claimed '
        'direction (a claim that two numbers are near: lies within the stated '
        f'margin, or outside of it); else *{UNDECIDED}*. Differences are those '
        'of the last epoch, of equal seeds, data, length, batch, precision '
        'and options on both sides. Of step times the rounds of a benchmark '
        'stand for seeds.')


@dataclass(frozen=True)
class Pair:
    """Two groups that differ in their configs alone.

    Args:
        ours (Group): What the claim is about.
        base (Group): What it is compared with.
        difference (PairedDifference, optional): Over the seeds of both; None
            without a shared seed.
    """

    ours: Group
    base: Group
    difference: PairedDifference | None


def verdict(difference: PairedDifference | None, direction: str,
            margin: float = 0.) -> str:
    """Judge a claim by the fixed rule, see :data:`RULE`.

    Args:
        difference (PairedDifference, optional): Ours less the base.
        direction (str): ``'up'`` (ours is higher), ``'down'`` or ``'near'``
            (they differ by at most ``margin``).
        margin (float): Only for ``'near'``. Defaults to 0.

    Returns:
        str: One of the four words.

    Raises:
        ValueError: There is no such direction, or near has no margin.
    """
    if direction not in DIRECTIONS or (direction == 'near' and margin <= 0):
        raise ValueError(
            f'direction must be one of {list(DIRECTIONS)}, near with a '
            f'positive margin, but got {direction!r} with {margin}')
    if difference is None:
        return NOT_RUN
    if difference.n < NEEDED_SEEDS or difference.low is None:
        return UNDECIDED
    low, high = difference.low, difference.high
    if direction == 'down':
        low, high = -high, -low
    if direction == 'near':
        inside = -margin < low and high < margin
        outside = low > margin or high < -margin
    else:
        inside, outside = low > 0, high < 0
    return SUPPORTED if inside else NOT_SUPPORTED if outside else UNDECIDED


def owner(stem: str, known: Sequence[str]) -> str | None:
    """The longest known stem that a tagged one continues after a hyphen."""
    found = [k for k in known if stem == k or stem.startswith(f'{k}-')]
    return max(found, key=len, default=None)


def owned(groups: Iterable[Group], stem: str,
          known: Sequence[str]) -> dict[tuple, list[Group]]:
    """Groups of a stem by what a partner must share: tag and conditions."""
    found: dict[tuple, list[Group]] = {}
    for group in groups:
        if owner(group.stem, known) == stem:
            key = (group.stem.removeprefix(stem), group.comparable)
            found.setdefault(key, []).append(group)
    return found


def refuse_versions(found: Iterable[Sequence[Group]]) -> None:
    """See that runs which are compared are of one version of their config.

    Args:
        found (Iterable[Sequence[Group]]): Groups of one recipe each, with the
            same tag and conditions.

    Raises:
        ResultFileError: There is more than one group in a place.
    """
    for alike in found:
        if len(alike) > 1:
            raise ResultFileError(
                f'the runs of {alike[0].stem} are of {len(alike)} versions of '
                'its config, and can\'t be compared with those of another '
                'one. Run all of its seeds alike, or move one version away.')


def pair_groups(groups: Sequence[Group], ours: tuple[str, str],
                base: tuple[str, str], known: Sequence[str],
                which: str = 'last') -> list[Pair]:
    """Pairs of groups of two recipes, with the paired difference of each.

    Args:
        groups (Sequence[Group]): Everything measured.
        ours (tuple[str, str]): Config stem and metric.
        base (tuple[str, str]): Config stem and metric.
        known (Sequence[str]): Stems that own their runs.
        which (str): ``'last'`` or ``'best'``. Defaults to 'last'.

    Returns:
        list[Pair]: One for each tag and conditions that both were run in; tags
        differ neither in name nor place, so that a variant is compared with
        the same variant.

    Raises:
        ResultFileError: One of the recipes was run with two versions of its
            config: which one is meant can't be known.
    """
    known = {*known, ours[0], base[0]}
    mine, theirs = (owned(groups, stem, known) for stem in (ours[0], base[0]))
    shared = sorted(set(mine) & set(theirs))
    if ours[0] != base[0]:
        # Two metrics of one recipe are compared within each of its versions
        for side in (mine, theirs):
            refuse_versions(side[key] for key in shared)
    found = [Pair(a, b, paired_by_seed(a.by_seed(ours[1], which),
                                       b.by_seed(base[1], which)))
             for key in shared
             for a, b in product(mine[key], theirs[key])
             if ours[0] != base[0] or a is b]
    return [pair for pair in found if pair.difference is not None]


def known_stems(papers: dict) -> list[str]:
    """Every config stem that a row of the papers names."""
    return sorted({stem for table in papers.values() for row in table['rows']
                   for stem in row['configs']})


__all__ = [
    'DIRECTIONS', 'NEEDED_SEEDS', 'NOT_ALIKE', 'NOT_RUN', 'NOT_SUPPORTED',
    'RULE',
    'SUPPORTED', 'UNDECIDED', 'Pair', 'known_stems', 'owned', 'owner',
    'pair_groups', 'refuse_versions', 'verdict'
]
