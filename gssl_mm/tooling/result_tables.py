"""Markdown tables from results, with the papers' numbers beside them."""
import json
from collections.abc import Sequence
from pathlib import Path

from .centre_table import centre_table
from .result_pairs import (
    NOT_ALIKE,
    NOT_RUN,
    Pair,
    known_stems,
    owner,
    pair_groups,
    verdict,
)
from .result_records import Group, data_name
from .table_cells import (
    DASH,
    hours_text,
    markdown,
    schedule_text,
    seeds_text,
    summary_text,
)

ACCURACY = 'accuracy/top1'
SHOTS = ('shot/many', 'shot/medium', 'shot/few')
NOTE = ('Measured numbers: mean ± sample standard deviation over seeds, in %. '
        '"Best" is the best evaluation on the test set, as the papers report '
        'it (how many there were stands beside the schedule), "last" the last '
        'epoch, and the median is that of the last 20 evaluations where there '
        'were more than these. The paper\'s column is the paper\'s own number '
        'on the original data; nothing here is averaged with it. The '
        'difference to the baseline is that of the last epoch, over the seeds '
        'that both have, with its 95% t-interval; the claim is that the '
        "paper's own difference has the right sign.")
NOT_TESTED = 'not tested here'
# In the place of a paper: rows that no paper has
OURS = 'ours'


def _shots(group: Group) -> str:
    found = [group.metric(key, 'last') for key in SHOTS]
    if not any(found):
        return DASH
    return ' / '.join(DASH if f is None else f'{f.mean:.1f}' for f in found)


def measured_cells(group: Group, metric: str, digits: int = 2) -> list[str]:
    """Cells of a group that every kind of table shares."""
    return [
        *(summary_text(group.metric(metric, which), digits)
          for which in ('best', 'last', 'median_last20')),
        _shots(group) if metric == ACCURACY else DASH,
        seeds_text(group.seeds),
        data_name(group.runs[0]),
        schedule_text(group) + _evaluations(group, metric),
        group.places(),
        hours_text(group)
    ]


def _evaluations(group: Group, metric: str) -> str:
    """How many epochs "best" was chosen from."""
    counts = {len((run['metrics'].get(metric) or {}).get('history', ()))
              for run in group.runs} - {0}
    said = ' or '.join(map(str, sorted(counts)))
    return f', {said} evaluations' if said else ''


MEASURED = ('best', 'last', 'median of last 20', 'many / medium / few (last)',
            'seeds', 'data', 'schedule', 'hardware', 'a run')


def match_rows(groups: list[Group], rows: list[dict],
               known: Sequence[str] = ()) -> dict[str, list[Group]]:
    """Assign groups to the config stems that paper rows name.

    A tagged stem (``resnet32_cifar10lt-bf16``) belongs to the longest config
    stem that it continues after a hyphen.

    Args:
        groups (list[Group]): Measured results.
        rows (list[dict]): Rows of a table.
        known (Sequence[str]): More stems that own their runs.
    """
    known = {*known, *(s for row in rows for s in row['configs'])}
    found: dict[str, list[Group]] = {}
    for group in groups:
        stem = owner(group.stem, known)
        if stem is not None:
            found.setdefault(stem, []).append(group)
    return found


def _paper_cell(row: dict) -> str:
    if row['value'] is None:
        return DASH
    std = f' ± {row["std"]:g}' if row.get('std') is not None else ''
    return f'{row["value"]:g}{std}'


def _row_head(row: dict) -> list[str]:
    return [row['row'], row['dataset'], f'{row.get("ratio", DASH)}',
            row['what']]


def base_of(row: dict, rows: Sequence[dict]) -> dict | None:
    """The row that a row is compared with, in the same column."""
    column = [row.get(k) for k in ('dataset', 'ratio', 'what')]
    return next((
        other for other in rows if other['row'] == row.get('baseline')
        and [other.get(k) for k in ('dataset', 'ratio', 'what')] == column),
        None)


def pairs_of(row: dict, base: dict, groups: list[Group],
             known: Sequence[str]) -> list[Pair]:
    """Pairs of the recipes of two rows, the i-th of one with the other's."""
    return [pair for ours, theirs in zip(row['configs'], base['configs'],
                                         strict=False)
            for pair in pair_groups(groups, (ours, row['metric']),
                                    (theirs, base['metric']), known)]


def _judged(group: Group, row: dict, base: dict | None,
            pairs: list[Pair], base_runs: bool) -> list[str]:
    """The two cells that compare a group with the baseline's."""
    found = next((p.difference for p in pairs if p.ours is group), None)
    digits = row.get('digits', 2)
    text = DASH if found is None else (
        f'{found.text(digits)} (to {base["row"]}, n = {found.n})')
    if base is None or None in (row['value'], base['value']) or (
            row['value'] == base['value']):
        return [text, DASH]
    word = verdict(found, 'up' if row['value'] > base['value'] else 'down')
    if word == NOT_RUN:
        word = NOT_ALIKE if base_runs else NOT_TESTED
    return [text, word]


def paper_table(table: dict, groups: list[Group],
                known: Sequence[str] = ()) -> str:
    """One table of a paper: its numbers, and what was measured here.

    Args:
        table (dict): A table of ``paper_rows.json``.
        groups (list[Group]): Measured results.
        known (Sequence[str]): Config stems of the other tables.

    Returns:
        str: Markdown; a row of the paper, or of a table of our own, that was
        not run keeps dashes.
    """
    found = match_rows(groups, table['rows'], known)
    header = ['method', 'data set', 'ratio', 'metric', "paper's", 'run',
              *MEASURED, 'difference to the baseline', 'claim']
    lines = []
    for row in table['rows']:
        head = [*_row_head(row), _paper_cell(row)]
        base = base_of(row, table['rows'])
        hits = [g for stem in row['configs'] for g in found.get(stem, [])
                if row['metric'] and g.by_seed(row['metric'], 'last')]
        if not hits:
            if row['value'] is not None or table['paper'] == OURS:
                lines.append([*head, *[DASH] * (2 + len(MEASURED)),
                              DASH if base is None else NOT_TESTED])
            continue
        pairs = [] if base is None else pairs_of(row, base, groups, known)
        base_runs = base is not None and any(
            found.get(stem) for stem in base['configs'])
        lines += [[*head, f'`{g.stem}`',
                   *measured_cells(g, row['metric'], row.get('digits', 2)),
                   *_judged(g, row, base, pairs, base_runs)] for g in hits]
    source = 'not from a paper' if table['paper'] == OURS else (
        f'paper: {table["paper"]}')
    return f'{table["title"]} ({source}).\n\n{markdown(header, lines)}'


def all_table(groups: list[Group], metric: str = ACCURACY) -> str:
    """Every group that was measured, whatever table it belongs to."""
    lines = [[f'`{g.stem}`', *measured_cells(g, metric)] for g in groups]
    return markdown(['run', *MEASURED], lines)


def gate_table(groups: list[Group]) -> str:
    """Gate weights and pretext accuracies, means over the last epoch."""
    lines = []
    for group in groups:
        gates = group.train_keys('gate_')
        accs = group.train_keys('acc_')
        if gates or accs:
            lines.append([
                f'`{group.stem}`', data_name(group.runs[0]),
                schedule_text(group), str(len(group.runs)),
                _listed(group, gates, 3), _listed(group, accs, 1)])
    header = ['run', 'data', 'schedule', 'seeds', 'gate weights',
              'pretext accuracies (training, %)']
    return ('Means over the last epoch and over seeds.\n\n'
            + markdown(header, lines))


def _listed(group: Group, keys: list[str], digits: int) -> str:
    parts = [f'{key.split("_", 1)[1]} {summary_text(group.train(key), digits)}'
             for key in keys]
    return ', '.join(parts) or DASH


def read_paper_rows(path: Path) -> dict:
    """Read the papers' tables: name to title, paper and rows."""
    return json.loads(path.read_text())


def table_names(papers: dict) -> list[str]:
    """Names of the tables that :func:`render` writes."""
    return ['reading', 'all', 'gates', 'centre', *papers]


def render(name: str, groups: list[Group], papers: dict) -> str:
    """Write the table of a block.

    Raises:
        KeyError: There is no table of this name.
    """
    if name == 'reading':
        return NOTE
    if name == 'all':
        return all_table(groups)
    if name == 'gates':
        return gate_table(groups)
    if name == 'centre':
        return centre_table(groups, papers)
    return paper_table(papers[name], groups, known_stems(papers))


__all__ = [
    'all_table', 'base_of', 'gate_table', 'match_rows', 'pairs_of',
    'paper_table', 'read_paper_rows', 'render', 'table_names'
]
