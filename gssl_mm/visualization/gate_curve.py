"""Gate weights over training, read from what a run logged."""
from pathlib import Path
from typing import Any

from .run_log import find_logs, read_rows
from .style import GREY, LINES, PALETTE, new_figure, save_figure

PREFIX = 'gate_'


class NoGateLoggedError(ValueError):
    """A folder holds no log with gate weights."""


def read_gate_curve(source: str | Path, axis: str = 'iter'
                    ) -> dict[str, tuple[list, list]]:
    """Read the gate weights that a run logged.

    A resumed run has several logs; where they overlap the later one counts.

    Args:
        source (str | Path): A work dir, or a ``scalars.json``.
        axis (str): ``'iter'`` or ``'epoch'``: epochs count in fractions where
            iterations are logged.

    Returns:
        dict: Task name to (positions, weights), both lists of numbers.

    Raises:
        NoGateLoggedError: There is no log, or none with gate weights.
        HalfWrittenLogError: A log is damaged.
    """
    points: dict[str, dict[float, float]] = {}
    logs = find_logs(source)
    for path in logs:
        rows = [r for r in read_rows(path)[0]
                if any(k.startswith(PREFIX) for k in r)]
        if rows:
            _drop_after(points, rows[0].get('step', 0))
        for row in rows:
            for key, value in row.items():
                if key.startswith(PREFIX):
                    series = points.setdefault(key[len(PREFIX):], {})
                    series[row['step']] = (row.get('epoch'), value)
    if not points:
        raise NoGateLoggedError(
            f'{source} has no log with {PREFIX}* ({len(logs)} scalars.json '
            'found). Give the work dir of a run with a GatedMultiTaskHead.')
    return {name: _series(found, axis) for name, found in points.items()}


def _drop_after(points: dict[str, dict], step: float) -> None:
    for series in points.values():
        for old in [s for s in series if s >= step]:
            del series[old]


def _series(found: dict[float, tuple], axis: str) -> tuple[list, list]:
    steps = sorted(found)
    values = [found[step][1] for step in steps]
    if axis == 'iter':
        return steps, values
    return _epochs(steps, [found[step][0] for step in steps]), values


def _epochs(steps: list, epochs: list) -> list[float]:
    """Spread the logged steps of the 1-based epochs evenly."""
    last, epoch = steps[-1], epochs[-1]
    if epoch is None:
        return list(steps)
    # Steps an epoch from the first step logged in each of two epochs
    firsts = {}
    for step, number in zip(steps, epochs, strict=True):
        firsts.setdefault(number, step)
    if len(firsts) > 1:
        low, high = min(firsts), max(firsts)
        length = (firsts[high] - firsts[low]) / (high - low)
    else:
        length = last / epoch
    return [step / length for step in steps]


def plot_gate_curves(runs: dict[str, dict], path: str | Path,
                     axis: str = 'iter', title: str = '') -> list[Path]:
    """Plot gate weights of one or more runs.

    Colour tells the task, line style the run.

    Args:
        runs (dict): Run name to what :func:`read_gate_curve` returns.
        path (str | Path): Where to; PNG and SVG are written.
        axis (str): ``'iter'`` or ``'epoch'``. Defaults to ``'iter'``.
        title (str): Defaults to none.

    Returns:
        list[Path]: The files written.
    """
    figure, axes = new_figure(6.4 + 1.6 * (len(runs) > 1), 3.6)
    tasks = list(dict.fromkeys(t for run in runs.values() for t in run))
    for number, (name, run) in enumerate(runs.items()):
        for task, (x, y) in run.items():
            label = task if len(runs) == 1 else f'{task}, {name}'
            axes.plot(x, y, label=label, linewidth=1.6,
                      linestyle=LINES[number % len(LINES)],
                      color=PALETTE[tasks.index(task) % len(PALETTE)])
    _label(axes, axis, title, len(tasks))
    figure.legend(loc='outside right center', frameon=False, fontsize='small')
    return save_figure(figure, path)


def _label(axes: Any, axis: str, title: str, num_tasks: int) -> None:
    if num_tasks > 1:
        axes.axhline(1 / num_tasks, color=GREY, linewidth=.8, zorder=0)
    axes.set(xlabel='iteration' if axis == 'iter' else 'epoch',
             ylabel='gate weight', ylim=(0, None), title=title)
    axes.margins(x=.01)
    axes.spines[['top', 'right']].set_visible(False)


__all__ = [
    'NoGateLoggedError', 'find_logs', 'plot_gate_curves', 'read_gate_curve'
]
