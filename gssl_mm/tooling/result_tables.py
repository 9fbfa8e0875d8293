"""Markdown tables from results, with the papers' numbers beside them."""
import json
from collections.abc import Sequence
from pathlib import Path

from .result_records import Group, Summary, data_name

DASH = '–'
SHOTS = ('shot/many', 'shot/medium', 'shot/few')
NOTE = ('Measured numbers: mean ± sample standard deviation over seeds, in %. '
        '"Best" is the best epoch on the test set, as the papers report it, '
        '"last" the last epoch. The paper\'s column is the paper\'s own number '
        'on the original data; nothing here is averaged with it.')


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; pipes in cells are escaped."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(
        '| ' + ' | '.join(str(c).replace('|', r'\|') for c in line) + ' |'
        for line in lines)


def _text(value: Summary | None, digits: int = 2) -> str:
    return DASH if value is None else value.text(digits)


def _schedule(group: Group) -> str:
    parts = [f'{group.first("max_epochs", "?")} epochs']
    if group.first('total_batch_size'):
        parts.append(f'batch {group.first("total_batch_size")}')
    if group.first('amp'):
        parts.append('bf16')
    if group.first('compile'):
        parts.append('compiled')
    return ', '.join(parts)


def _shots(group: Group) -> str:
    found = [group.metric(key, 'last') for key in SHOTS]
    if not any(found):
        return DASH
    return ' / '.join(DASH if f is None else f'{f.mean:.1f}' for f in found)


def _hours(group: Group) -> str:
    hours = group.hours()
    return DASH if hours is None else f'{hours:.2f} h'


def measured_cells(group: Group, metric: str) -> list[str]:
    """Cells of a group that every kind of table shares."""
    return [
        _text(group.metric(metric, 'best')),
        _text(group.metric(metric, 'last')),
        _text(group.metric(metric, 'median_last20')),
        _shots(group),
        f'{len(group.runs)} ({", ".join(map(str, group.seeds))})',
        data_name(group.runs[0]),
        _schedule(group),
        group.places(),
        _hours(group)
    ]


MEASURED = ('best', 'last', 'median of last 20', 'many / medium / few (last)',
            'seeds', 'data', 'schedule', 'hardware', 'a run')


def match_rows(groups: list[Group], rows: list[dict]
               ) -> dict[str, list[Group]]:
    """Assign groups to the config stems that paper rows name.

    A tagged stem (``resnet32_cifar10lt-bf16``) belongs to the longest config
    stem that it continues after a hyphen.
    """
    known = sorted({s for row in rows for s in row['configs']}, key=len,
                   reverse=True)
    found: dict[str, list[Group]] = {}
    for group in groups:
        for stem in known:
            if group.stem == stem or group.stem.startswith(f'{stem}-'):
                found.setdefault(stem, []).append(group)
                break
    return found


def _paper_cell(row: dict) -> str:
    if row['value'] is None:
        return DASH
    std = f' ± {row["std"]:g}' if row.get('std') is not None else ''
    return f'{row["value"]:g}{std}'


def _row_head(row: dict) -> list[str]:
    return [row['row'], row['dataset'], f'{row.get("ratio", DASH)}',
            row['what']]


def paper_table(table: dict, groups: list[Group]) -> str:
    """One table of a paper: its numbers, and what was measured here.

    Args:
        table (dict): A table of ``paper_rows.json``.
        groups (list[Group]): Measured results.

    Returns:
        str: Markdown; a row of the paper that was not run keeps dashes.
    """
    found = match_rows(groups, table['rows'])
    header = ['method', 'data set', 'ratio', 'metric', "paper's", 'run',
              *MEASURED]
    lines = []
    for row in table['rows']:
        head = [*_row_head(row), _paper_cell(row)]
        hits = [g for stem in row['configs'] for g in found.get(stem, [])]
        if row['metric'] is None or not hits:
            if row['value'] is not None:
                lines.append([*head, *[DASH] * (1 + len(MEASURED))])
            continue
        lines += [[*head, f'`{g.stem}`', *measured_cells(g, row['metric'])]
                  for g in hits]
    title = f'{table["title"]} (paper: {table["paper"]}).'
    return f'{title} {NOTE}\n\n{markdown(header, lines)}'


def all_table(groups: list[Group], metric: str = 'accuracy/top1') -> str:
    """Every group that was measured, whatever table it belongs to."""
    lines = [[f'`{g.stem}`', *measured_cells(g, metric)] for g in groups]
    return f'{NOTE}\n\n{markdown(["run", *MEASURED], lines)}'


def gate_table(groups: list[Group]) -> str:
    """Gate weights and pretext accuracies, means over the last epoch."""
    lines = []
    for group in groups:
        gates = group.train_keys('gate_')
        accs = group.train_keys('acc_')
        if gates or accs:
            lines.append([
                f'`{group.stem}`', data_name(group.runs[0]),
                _schedule(group), str(len(group.runs)),
                _listed(group, gates, 3), _listed(group, accs, 1)])
    header = ['run', 'data', 'schedule', 'seeds', 'gate weights',
              'pretext accuracies (training, %)']
    return ('Means over the last epoch and over seeds.\n\n'
            + markdown(header, lines))


def _listed(group: Group, keys: list[str], digits: int) -> str:
    parts = [f'{key.split("_", 1)[1]} {_text(group.train(key), digits)}'
             for key in keys]
    return ', '.join(parts) or DASH


def read_paper_rows(path: Path) -> dict:
    """Read the papers' tables: name to title, paper and rows."""
    return json.loads(path.read_text())


def table_names(papers: dict) -> list[str]:
    """Names that a generated block may have."""
    return ['all', 'gates', 'speed', *papers]


def render(name: str, groups: list[Group], papers: dict) -> str:
    """Write the table of a block.

    Raises:
        KeyError: There is no table of this name.
    """
    if name == 'all':
        return all_table(groups)
    if name == 'gates':
        return gate_table(groups)
    return paper_table(papers[name], groups)


__all__ = [
    'all_table', 'gate_table', 'markdown', 'match_rows', 'paper_table',
    'read_paper_rows', 'render', 'table_names'
]
