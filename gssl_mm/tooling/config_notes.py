"""What was measured with a config, written into its docstring."""
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from .result_records import Group, data_name, model_options, other_options
from .result_tables import ACCURACY
from .table_cells import hours_text, schedule_text

WIDTH = 79
NOTE = re.compile(r'^Measured here.*?(?=^Run: )', re.DOTALL | re.MULTILINE)


def _measured_as_it_is(group: Group, stem: str) -> bool:
    return group.first('config') == stem and not model_options(group.runs[0])


def _line(group: Group) -> str:
    changed = other_options(group.runs[0])
    changed = f'with {", ".join(changed)}; ' if changed else ''
    cost = '' if group.hours() is None else f'{hours_text(group)} a run '
    seeds = ', '.join(map(str, group.seeds))
    return textwrap.fill(
        f'{group.metric(ACCURACY, "last").text()} ({schedule_text(group)}; '
        f'{data_name(group.runs[0])}; {changed}'
        f'seed{"s" * (len(group.runs) > 1)} {seeds}; {cost}on '
        f'{group.places()}): {group.stem}',
        WIDTH, initial_indent='- ', subsequent_indent='  ',
        break_long_words=False, break_on_hyphens=False)


def measured_note(stem: str, groups: Iterable[Group]) -> str:
    """What the docstring of a config says about its results.

    Args:
        stem (str): Name of the config.
        groups (Iterable[Group]): All that was measured. Runs whose command
            line changed the model are not the config's; what else it changed
            is said.

    Returns:
        str: The paragraph, with a line break at its end: top-1 accuracy of
        the last epoch in %, what was trained how, and the cost of a run on
        named hardware.
    """
    lines = [_line(group) for group in groups
             if _measured_as_it_is(group, stem)
             and group.metric(ACCURACY, 'last')]
    if not lines:
        return 'Measured here: not yet.\n'
    return '\n'.join(
        ['Measured here, top-1 of the last epoch (docs/results.md says what',
         "the end of a run's name has that this config has not):", *lines, ''])


def renewed_config(path: Path, groups: Iterable[Group]) -> str:
    """Text of a config whose docstring says what was measured with it.

    Args:
        path (Path): The file. A docstring without the paragraph is kept.
        groups (Iterable[Group]): All that was measured.
    """
    text = path.read_text()
    return NOTE.sub(
        lambda _: measured_note(path.stem, groups), text, count=1)


__all__ = ['measured_note', 'renewed_config']
