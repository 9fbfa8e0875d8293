"""Any set of runs against one of them."""
from collections.abc import Sequence

from .errors import OptionError
from .paired_stats import paired_by_seed
from .result_pairs import refuse_versions
from .result_records import Group, data_name
from .table_cells import (
    DASH,
    markdown,
    schedule_text,
    seeds_text,
    summary_text,
)

NOTE = ('Paired differences to `{base}` over the seeds that both have, with '
        '95% t-interval. Runs on other data, or with another schedule, batch '
        'or precision, have no difference.')


def compare_table(groups: Sequence[Group], baseline: str,
                  metric: str = 'accuracy/top1') -> str:
    """Mean, deviation and paired difference of every group.

    Args:
        groups (Sequence[Group]): Measured results.
        baseline (str): Stem of the group that the others are compared with.
        metric (str): As in the results. Defaults to 'accuracy/top1'.

    Returns:
        str: Markdown.

    Raises:
        OptionError: No group has this stem.
        ResultFileError: There are two versions of the baseline's config.
    """
    bases: dict[tuple, list[Group]] = {}
    for group in groups:
        if group.stem == baseline:
            bases.setdefault(group.comparable, []).append(group)
    if not bases:
        names = sorted({g.stem for g in groups})
        raise OptionError(f'there is no run {baseline!r}. Allowed: '
                          f'{", ".join(names) or "none: nothing was run"}.')
    refuse_versions(bases.values())
    header = ['run', 'last', 'difference, last', 'best', 'difference, best',
              'pairs', 'seeds', 'data', 'schedule']
    lines = [_line(g, *bases.get(g.comparable, [None]), metric)
             for g in groups]
    return f'{NOTE.format(base=baseline)}\n\n{markdown(header, lines)}'


def _line(group: Group, base: Group | None, metric: str) -> list[str]:
    cells, pairs = [f'`{group.stem}`'], 0
    for which in ('last', 'best'):
        apart = None if base is None or base is group else paired_by_seed(
            group.by_seed(metric, which), base.by_seed(metric, which))
        cells += [summary_text(group.metric(metric, which)),
                  DASH if apart is None else apart.text()]
        pairs = pairs if apart is None else apart.n
    return [*cells, str(pairs or DASH), seeds_text(group.seeds),
            data_name(group.runs[0]), schedule_text(group)]


__all__ = ['compare_table']
