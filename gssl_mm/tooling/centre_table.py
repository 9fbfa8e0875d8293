"""What the ball's centre alone changes in robust accuracies."""
from collections.abc import Sequence

from .paired_stats import PairedDifference, paired_by_seed
from .result_records import Group, data_name
from .table_cells import (
    DASH,
    markdown,
    schedule_text,
    seeds_text,
    summary_text,
)

KEYS = tuple((f'robust/{name}/top1', f'robust/{name}-noised/top1')
             for name in ('pgd20', 'pgd100'))
NOTE = (
    'The same weights under the same attack, from the same random starts: '
    'around the clean image, and as released, where the random start moves '
    'the centre too (D10), so that an image may end up two radii away. The '
    'difference is what the centre alone explains. AutoAttack is the standard '
    'one, around the clean image, on the first images of the test set. In %, '
    'last epoch.')


def _cells(group: Group, keys: Sequence[str]) -> tuple[list[str],
                                                       PairedDifference | None]:
    clean, noised = (group.by_seed(key, 'last') for key in keys)
    apart = paired_by_seed(clean, noised)
    return [summary_text(group.metric(keys[0], 'last')),
            summary_text(group.metric(keys[1], 'last')),
            DASH if apart is None else apart.text()], apart


def _paper_gain(papers: dict) -> float:
    """Largest gain over PGD training in the paper's table."""
    rows = [r for r in papers['gssl-table2']['rows']
            if r['value'] is not None and 'noised' in r['metric']]
    base = {r['what']: r['value'] for r in rows if r['row'] == 'PGD'}
    return max(r['value'] - base[r['what']] for r in rows)


def centre_table(groups: list[Group], papers: dict) -> str:
    """Both protocols of every run that was attacked in both.

    Args:
        groups (list[Group]): Measured results.
        papers (dict): Content of ``paper_rows.json``.

    Returns:
        str: Markdown, closed by what the differences mean for the paper.
    """
    lines, moved = [], []
    for group in groups:
        columns, apart = zip(*(_cells(group, keys) for keys in KEYS),
                             strict=True)
        if not any(apart):
            continue
        moved += [a.mean for a in apart if a is not None]
        lines.append([
            f'`{group.stem}`', summary_text(group.metric(
                'accuracy/top1', 'last')), *columns[0], *columns[1],
            summary_text(group.metric('robust/autoattack/top1', 'last')),
            seeds_text(group.seeds), data_name(group.runs[0]),
            schedule_text(group)])
    header = ['run', 'clean']
    for name in ('PGD-20', 'PGD-100'):
        header += [f'{name}, clean centre', f'{name}, as released',
                   'difference']
    header += ['AutoAttack', 'seeds', 'data', 'schedule']
    parts = [NOTE, markdown(header, lines), _meaning(moved, papers)]
    return '\n\n'.join(part for part in parts if part)


def _meaning(moved: list[float], papers: dict) -> str:
    if not moved:
        return ''
    span = f'{min(moved):+.2f} to {max(moved):+.2f}'
    return ('With the clean image in the centre the robust accuracy of one '
            f'and the same of these networks differs by {span} points. The '
            "largest gain over PGD training in the paper's table, of other "
            'networks that were not tested here, is '
            f'{_paper_gain(papers):.1f} points.')


__all__ = ['centre_table']
