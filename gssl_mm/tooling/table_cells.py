"""Pieces of Markdown that all generated tables share."""
from collections.abc import Sequence

from .result_records import Group, Summary, by_iteration, model_options

DASH = '–'


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; pipes in cells are escaped."""
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join(
        '| ' + ' | '.join(str(c).replace('|', r'\|') for c in line) + ' |'
        for line in lines)


def summary_text(value: Summary | None, digits: int = 2) -> str:
    """A mean with its deviation, a dash for none."""
    return DASH if value is None else value.text(digits)


def schedule_text(group: Group) -> str:
    """Epochs (or iterations), batch, precision and a changed model."""
    parts = [f'{group.first("max_epochs", "?")} epochs']
    if by_iteration(group.runs[0]):
        parts = [f'{group.first("max_iters"):,} iterations']
    if group.first('total_batch_size'):
        parts.append(f'batch {group.first("total_batch_size")}')
    if group.first('amp'):
        parts.append('bf16')
    if group.first('compile'):
        parts.append('compiled')
    parts += [f'`{option}`' for option in model_options(group.runs[0])]
    return ', '.join(parts)


def hours_text(group: Group) -> str:
    """Mean duration of a run, a dash where none was recorded."""
    hours = group.hours()
    return DASH if hours is None else f'{hours:.2f} h'


def seeds_text(seeds: Sequence[int]) -> str:
    """Number of seeds, and which."""
    return f'{len(seeds)} ({", ".join(map(str, seeds))})'


__all__ = [
    'DASH', 'hours_text', 'markdown', 'schedule_text', 'seeds_text',
    'summary_text'
]
