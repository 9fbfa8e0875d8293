"""What a run logged, its resumptions joined."""
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import HalfWrittenLogError, RunLogError

_NOT_SCALARS = ('step', 'iter', 'epoch')


@dataclass
class RunLog:
    """Scalars of a run.

    Args:
        train (dict): Key to {iteration: value}, ascending.
        val (dict): Key to {step: value}; the step is the epoch, or the
            iteration in runs counted in iterations.
        epochs (dict): Iteration to 1-based epoch, of the logged ones.
        resumed (list[int]): First logged iteration of every log but the first.
        cut (list[Path]): Logs whose last line was still being written.
    """

    train: dict[str, dict[int, float]] = field(default_factory=dict)
    val: dict[str, dict[int, float]] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    resumed: list[int] = field(default_factory=list)
    cut: list[Path] = field(default_factory=list)

    @property
    def epoch_length(self) -> float | None:
        """Iterations an epoch, from the first one logged in two epochs."""
        firsts: dict[int, int] = {}
        for step, epoch in sorted(self.epochs.items()):
            firsts.setdefault(epoch, step)
        if not firsts:
            return None
        low, high = min(firsts), max(firsts)
        if low == high:
            return max(self.epochs) / high
        return (firsts[high] - firsts[low]) / (high - low)

    @property
    def last_epoch(self) -> int:
        """The last epoch of which anything was logged."""
        tested = [step for series in self.val.values() for step in series]
        return max([*self.epochs.values(), *(tested if self.epochs else ())],
                   default=0)


def find_logs(source: str | Path) -> list[Path]:
    """Scalar logs of a work dir, oldest first, or the file given."""
    source = Path(source)
    if source.is_file():
        return [source]
    return sorted(source.glob('*/vis_data/scalars.json')) or sorted(
        source.glob('vis_data/scalars.json'))


def read_rows(path: Path) -> tuple[list[dict], bool]:
    """Rows of a log, and whether its last line is incomplete.

    A run that is writing or was killed leaves its last line incomplete; that
    is no error as long as a line before it is whole.

    Raises:
        HalfWrittenLogError: No line is whole, or one before the last is not.
    """
    lines = [line for line in path.read_text(errors='replace').splitlines()
             if line.strip('\0 \t')]
    rows, broken = [], []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            broken.append(number)
    if broken and (not rows or broken != [len(lines)]):
        raise HalfWrittenLogError(
            f'{path} is damaged: line {broken[0]} of {len(lines)} is no JSON '
            'object. Only the last line of a run that is going on or was '
            'killed may be incomplete. Restore the file, or move its folder '
            'out of the work dir.')
    return rows, bool(broken)


def read_log(source: str | Path) -> RunLog:
    """Read the scalars of a run; where its logs overlap, the later counts.

    Args:
        source (str | Path): A work dir, or a ``scalars.json``.

    Raises:
        RunLogError: There is no log, or none with a scalar yet.
        HalfWrittenLogError: A log is damaged.
    """
    log, paths = RunLog(), find_logs(source)
    for path in paths:
        rows, cut = read_rows(path)
        if cut:
            log.cut.append(path)
        _add(log, rows)
    if not log.train and not log.val:
        raise RunLogError(
            f'{source} holds no log of a run: {len(paths)} */vis_data/'
            'scalars.json found, without a scalar. Give the work dir of a '
            'run that has logged its first iterations.')
    return log


def _add(log: RunLog, rows: list[dict]) -> None:
    trained = [row for row in rows if 'iter' in row and 'step' in row]
    tested = [row for row in rows if 'iter' not in row and 'step' in row]
    if trained:
        if log.epochs:
            log.resumed.append(trained[0]['step'])
        _drop_after(log.train, trained[0]['step'])
        _drop_after({'': log.epochs}, trained[0]['step'])
    if tested:
        _drop_after(log.val, tested[0]['step'])
    for row in trained:
        log.epochs[row['step']] = row.get('epoch', 1)
        _keep(log.train, row)
    for row in tested:
        _keep(log.val, row)


def _drop_after(series: dict[str, dict], step: int) -> None:
    for points in series.values():
        for old in [s for s in points if s >= step]:
            del points[old]


def _keep(series: dict[str, dict], row: dict[str, Any]) -> None:
    for key, value in row.items():
        if key not in _NOT_SCALARS and isinstance(value, int | float):
            series.setdefault(key, {})[row['step']] = float(value)


__all__ = ['RunLog', 'find_logs', 'read_log', 'read_rows']
