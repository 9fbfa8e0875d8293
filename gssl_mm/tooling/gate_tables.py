"""Markdown of the studies of gates, for the generated documents."""
import json
from pathlib import Path
from typing import Any

from .paired_stats import PairedDifference
from .result_pairs import NEEDED_SEEDS, NOT_SUPPORTED, SUPPORTED, verdict
from .result_records import Summary
from .table_cells import DASH, markdown, summary_text

NOT_STUDIED = 'Not run yet.'


def _spread(found: dict | None, digits: int = 2) -> str:
    if not found or found.get('mean') is None:
        return DASH
    return summary_text(
        Summary(found['mean'], found['sd'], found['n']), digits)


def _tasks(found: dict, digits: int) -> str:
    return ', '.join(f'{task} {_spread(value, digits)}'
                     for task, value in found.items()) or DASH


def _total(gate: dict) -> str:
    """Sum of the tasks' mean weights."""
    means = [found['mean'] for found in gate.values() if found]
    return f'{sum(means):.2f}' if means else DASH


def _difference(found: dict | None) -> str:
    if not found:
        return DASH
    return PairedDifference(**found).text()


def _shots(metrics: dict) -> str:
    return ' / '.join(_spread(dict(metrics[name], sd=None), 1)
                      if 'mean' in metrics[name] else DASH
                      for name in ('many', 'medium', 'few'))


def _collapse(row: dict) -> str:
    steps = row['collapsed_at']
    done = [step for step in steps.values() if step is not None]
    if not steps:
        return DASH
    if not done:
        return 'no'
    return (f'{len(done)} of {len(steps)}, at iteration '
            f'{min(done)} to {max(done)}')


def _row(row: dict, references: list[str]) -> list[str]:
    ratio = row.get('step_time_ratio')
    return [
        f'`{row["stem"]}`', str(len(row['seeds'])),
        _spread(row['metrics']['top1']), _spread(row['metrics']['top1_best']),
        _shots(row['metrics']),
        *(_difference(row['differences'].get(name, {}).get('top1'))
          for name in references),
        _tasks(row['gate'], 3), _total(row['gate']),
        _tasks(row['agreement'], 3),
        _tasks(row['pretext_accuracy'], 1), _collapse(row),
        DASH if ratio is None else f'{ratio:.3f}'
    ]


def decided(rows: list[dict], reference: str) -> str:
    """Say plainly which gates differ from the reference.

    Args:
        rows (list[dict]): Of a study.
        reference (str): Name of the variant that they are compared with.
    """
    names: dict[str, list[str]] = {}
    for row in rows:
        found = row['differences'].get(reference, {}).get('top1')
        if row['variant'] != reference and found is not None:
            word = verdict(PairedDifference(**found), 'up')
            names.setdefault(word, []).append(f'`{row["variant"]}`')
    better, worse = (names.pop(word, []) for word in (SUPPORTED, NOT_SUPPORTED))
    parts = [f'{word}: {", ".join(found) or "none"}' for word, found in (
        ('Better', better), ('worse', worse),
        ('undecided', sum(names.values(), [])))]
    return (f'{"; ".join(parts)} (top-1 of the last epoch against '
            f'`{reference}`; decided only where the paired 95% t-interval over '
            f'{NEEDED_SEEDS} seeds or more excludes zero).')


def study_table(content: dict[str, Any]) -> str:
    """One study: what was run, the table, the verdicts."""
    setting, references = content['setting'], content['against']
    if setting is None:
        return f'### {content["experiment"]}\n\n{NOT_STUDIED}'
    place = '; '.join(setting['hardware'])
    commits = ', '.join(commit[:8] for commit in setting['commits'])
    precision = ', bf16' if setting['amp'] else ''
    said = (f'{setting["data"]}, {setting["max_epochs"]} epochs, batch '
            f'{setting["total_batch_size"]}{precision}; {place}; commit '
            f'{commits or "unknown"}. Mean ± sample standard '
            'deviation over seeds, in %; gates, agreements and pretext '
            'accuracies are means over the last epoch.')
    header = ['run', 'seeds', 'last', 'best', 'many / medium / few (last)',
              *(f'last minus `{name}` [95%]' for name in references),
              'gate weights', 'their sum', 'agreement', 'pretext accuracies',
              'one task at 0.9 in the first epoch', 'step time ratio']
    rows = [_row(row, references) for row in content['rows'] if row['seeds']]
    said_of = [decided(content['rows'], name) for name in references]
    return '\n\n'.join([f'### {content["experiment"]}', said,
                        markdown(header, rows), *said_of])


def gate_study_tables(folder: Path) -> str:
    """Write a section for each study in a folder.

    Args:
        folder (Path): ``results/gate_study``.

    Returns:
        str: Markdown; a sentence where there is none.
    """
    found = [study_table(json.loads(path.read_text()))
             for path in sorted(folder.glob('*.json'))]
    return '\n\n'.join(found) or NOT_STUDIED


__all__ = ['decided', 'gate_study_tables', 'study_table']
