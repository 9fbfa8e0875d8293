"""The curves of a study of gates, a panel for each gate."""
import json
from pathlib import Path
from typing import Any

from .errors import RunLogError
from .style import GREY, PALETTE, new_figure, save_figure

# Prefix of the curves: what the axis is called, and its limits
QUANTITIES = {
    'gate': ('gate weight', (0, None)),
    'agree': ('agreement', (None, None)),
    'acc': ('pretext accuracy, %', (0, 100)),
    'ce': ('pretext loss', (0, None)),
}
# Axis: which curves of the study
PARTS = {'iter': 'first_epoch', 'epoch': 'epochs'}
COLUMNS = 4


class NoStudyError(RunLogError):
    """A file is no study of gates, or holds no curve of the kind."""


def read_study_curves(path: str | Path, axis: str = 'epoch',
                      quantity: str = 'gate') -> dict[str, dict[str, list]]:
    """Read curves, means over seeds, that ``gate_study.py`` has written.

    Args:
        path (str | Path): The JSON file of the study.
        axis (str): ``'iter'`` for every iteration of the first epoch,
            ``'epoch'`` for means over epochs. Defaults to ``'epoch'``.
        quantity (str): ``'gate'``, ``'agree'``, ``'acc'`` (accuracies of the
            tasks) or ``'ce'`` (their losses). Defaults to ``'gate'``.

    Returns:
        dict: Variant to task to values. Variants without such curves are left
        out.

    Raises:
        NoStudyError: The file is no study, or has no such curves.
    """
    prefix = f'{quantity}_'
    try:
        rows = json.loads(Path(path).read_text())['rows']
        found = {row['variant']: {key.removeprefix(prefix): values
                                  for key, values in row[PARTS[axis]].items()
                                  if key.startswith(prefix)}
                 for row in rows}
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise NoStudyError(
            f'{path} is no study of gates, or can\'t be read. Give the JSON '
            'file that tools/benchmarks/gate_study.py has written.'
        ) from error
    found = {variant: tasks for variant, tasks in found.items() if tasks}
    if not found:
        raise NoStudyError(
            f'{path} has no curves {prefix}*: a study has them where the work '
            'dirs of its runs were still there when it was written.')
    return found


def plot_study_curves(curves: dict[str, dict[str, list]], path: str | Path,
                      axis: str = 'epoch', quantity: str = 'gate',
                      title: str = '') -> list[Path]:
    """Plot the curves, a panel for each gate; colour tells the task.

    Args:
        curves (dict): From :func:`read_study_curves`.
        path (str | Path): Where to; PNG and SVG are written.
        axis (str): As it was read.
        quantity (str): As it was read.
        title (str): Defaults to none.

    Returns:
        list[Path]: The files written.
    """
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure, grid = new_figure(2.1 * columns + 1.2, 1.7 * rows + .6, rows,
                              columns, sharex=True, sharey=True, squeeze=False)
    tasks = list(dict.fromkeys(t for found in curves.values() for t in found))
    panels = list(grid.flat)
    for panel, (variant, found) in zip(panels, curves.items(), strict=False):
        _draw(panel, found, tasks)
        panel.set_title(variant, fontsize='small')
    for panel in panels[len(curves):]:
        panel.set_visible(False)
    label, limits = QUANTITIES[quantity]
    panels[0].set_ylim(*limits)
    figure.supylabel(label, fontsize='medium')
    figure.supxlabel('iteration of the first epoch' if axis == 'iter'
                     else 'epoch', fontsize='medium')
    figure.suptitle(title)
    handles = [panels[0].plot([], [], color=_colour(n), label=task)[0]
               for n, task in enumerate(tasks)]
    figure.legend(handles=handles, loc='outside right center', frameon=False,
                  fontsize='small')
    return save_figure(figure, path)


def _colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def _draw(panel: Any, found: dict[str, list], tasks: list[str]) -> None:
    for task, values in found.items():
        drawn = [float('nan') if v is None else v for v in values]
        panel.plot(range(1, len(drawn) + 1), drawn, linewidth=1.4,
                   color=_colour(tasks.index(task)))
    panel.axhline(0, color=GREY, linewidth=.6, zorder=0)
    panel.spines[['top', 'right']].set_visible(False)


__all__ = [
    'QUANTITIES', 'NoStudyError', 'plot_study_curves', 'read_study_curves'
]
