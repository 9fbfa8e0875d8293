"""What the demo shows of its two runs: a table, three figures, a verdict."""
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MARGIN = 20.


@dataclass
class DemoRun:
    """A finished run.

    Args:
        title (str): Name of the method.
        work_dir (Path): Where it wrote ``result.json``, its log and
            ``per_class_accuracy.csv``.
        pretext (dict): Task to accuracy on test images in percent; empty
            without pretext tasks.
        chance (dict): Task to chance accuracy in percent.
    """

    title: str
    work_dir: Path
    pretext: dict[str, float] = field(default_factory=dict)
    chance: dict[str, float] = field(default_factory=dict)

    @property
    def result(self) -> dict:
        """Content of ``result.json``."""
        return json.loads((self.work_dir / 'result.json').read_text())

    def last(self, metric: str) -> float | None:
        """A test metric after the last epoch, None for nan."""
        return self.result['metrics'].get(metric, {}).get('last')

    def failed_tasks(self) -> list[str]:
        """Pretext tasks less than 20 points better than chance."""
        return [name for name, value in self.pretext.items()
                if not value >= self.chance[name] + MARGIN]


def _number(value: float | None, digits: int = 1) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


def accuracy_rows(runs: Sequence[DemoRun]) -> list[list[str]]:
    """Test accuracies in percent, a row a method."""
    keys = ('accuracy/top1', 'shot/many', 'shot/medium', 'shot/few')
    return [[run.title, *(_number(run.last(key)) for key in keys)]
            for run in runs]


def task_rows(run: DemoRun) -> list[list[str]]:
    """Gate weight and accuracy of each pretext task, a row a task."""
    last = run.result['train_last']
    return [[name, _number(last.get(f'gate_{name}'), 3), _number(value),
             _number(last.get(f'acc_{name}')), _number(run.chance[name])]
            for name, value in run.pretext.items()]


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(
        header, *rows, strict=True)]
    lines = ['  '.join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(
                           zip(line, widths, strict=True)))
             for line in (header, ['-' * w for w in widths], *rows)]
    return '\n'.join(line.rstrip() for line in lines)


def describe(runs: Sequence[DemoRun]) -> str:
    """Write the demo's tables."""
    parts = [text_table(
        ['test accuracy (%), last epoch', 'all', 'many', 'medium', 'few'],
        accuracy_rows(runs))]
    for run in runs:
        if run.pretext:
            parts.append(text_table(
                [f'{run.title}: pretext task', 'gate', 'test acc (%)',
                 'train acc (%)', 'chance (%)'], task_rows(run)))
    return '\n\n'.join(parts)


def verdict(runs: Sequence[DemoRun]) -> str:
    """Say whether every pretext task was learned."""
    failed = [name for run in runs for name in run.failed_tasks()]
    if failed:
        return (f'FAILED: {", ".join(failed)} did not beat chance by '
                f'{MARGIN:.0f} points on test images.')
    return (f'Every pretext task beats chance by {MARGIN:.0f} points or more '
            'on test images (each transformed once, fixed draws).')


def draw_figures(runs: Sequence[DemoRun], out: Path) -> list[Path]:
    """Write the gate curve and the accuracies of each class."""
    from gssl_mm.visualization import (
        plot_class_accuracy,
        plot_gate_curves,
        read_gate_curve,
        read_per_class,
    )
    tables = {run.title: read_per_class(
        run.work_dir / 'per_class_accuracy.csv') for run in runs}
    names, counts, _ = next(iter(tables.values()))
    files = plot_class_accuracy(
        names, counts, {title: t[2] for title, t in tables.items()},
        out / 'class_accuracy.png')
    gated = {run.title: read_gate_curve(run.work_dir, 'epoch')
             for run in runs if run.pretext}
    return files + plot_gate_curves(
        gated, out / 'gate.png', 'epoch', 'gate weights')


__all__ = ['DemoRun', 'describe', 'draw_figures', 'text_table', 'verdict']
