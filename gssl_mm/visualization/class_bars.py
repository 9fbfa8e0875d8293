"""Accuracy of every class beside its number of training images."""
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .errors import HalfWrittenLogError, RunLogError
from .style import GREY, PALETTE, new_figure, save_figure

FEW_BELOW, MANY_ABOVE = 20, 100


def read_per_class(path: str | Path) -> tuple[list[str], list[int], list]:
    """Read the table that ``ShotAccuracy(per_class_csv=True)`` writes.

    Returns:
        tuple: Class names, training counts, accuracies in percent (nan where
        nothing was tested).

    Raises:
        RunLogError: There is no such table.
        HalfWrittenLogError: It was cut off, or is another table.
    """
    if not Path(path).is_file():
        raise RunLogError(
            f'there is no {path}. A run writes it with the evaluator '
            "dict(type='gssl_mm.ShotAccuracy', per_class_csv=True).")
    with open(path, newline='') as file:
        rows = list(csv.DictReader(file))
    try:
        table = ([row['name'] or row['class'] for row in rows],
                 [int(row['train_count']) for row in rows],
                 [float(row['accuracy']) for row in rows])
    except (KeyError, TypeError, ValueError) as error:
        raise HalfWrittenLogError(
            f'{path} is cut off or no table of classes: {error!r}. Test the '
            'checkpoint again to write it anew.') from error
    return table


def plot_class_tables(runs: dict[str, str | Path],
                      path: str | Path) -> list[Path]:
    """Plot the tables of work dirs; as :func:`plot_class_accuracy`.

    Args:
        runs (dict): Run name to work dir.
        path (str | Path): Where to.

    Raises:
        RunLogError: A run has no table, or one of other classes.
    """
    tables = {name: read_per_class(Path(folder) / 'per_class_accuracy.csv')
              for name, folder in runs.items()}
    names, counts, _ = next(iter(tables.values()))
    other = [name for name, table in tables.items() if table[0] != names]
    if other:
        raise RunLogError(f'{other[0]} has other classes than '
                          f'{next(iter(tables))}: draw them apart.')
    return plot_class_accuracy(
        names, counts, {name: t[2] for name, t in tables.items()}, path)


def plot_class_accuracy(names: Sequence[str], counts: Sequence[int],
                        accuracies: dict[str, Sequence[float]],
                        path: str | Path) -> list[Path]:
    """Plot accuracies a class over the training counts.

    Args:
        names (Sequence[str]): Class names, in label order.
        counts (Sequence[int]): Training images a class.
        accuracies (dict): Method name to accuracies in percent, a class each.
        path (str | Path): Where to; PNG and SVG are written.

    Returns:
        list[Path]: The files written.
    """
    figure, (top, bottom) = new_figure(
        max(6.4, .28 * len(names) + 2), 5, 2, 1, sharex=True,
        height_ratios=[2, 1])
    place, width = np.arange(len(names)), .8 / max(1, len(accuracies))
    for number, (method, values) in enumerate(accuracies.items()):
        shift = (number - (len(accuracies) - 1) / 2) * width
        top.bar(place + shift, values, width, label=method,
                color=PALETTE[number % len(PALETTE)])
    top.set(ylabel='test accuracy (%)', ylim=(0, 100))
    top.legend(frameon=False, fontsize='small', ncols=len(accuracies),
               loc='lower right', bbox_to_anchor=(1, 1))
    bottom.bar(place, counts, .8, color=GREY)
    bottom.set(ylabel='training images', yscale='log')
    for limit in (FEW_BELOW, MANY_ABOVE):
        bottom.axhline(limit, color='black', linewidth=.6, linestyle=':')
    shown = len(names) <= 40
    bottom.set_xticks(place if shown else place[::10])
    bottom.set_xticklabels(names if shown else names[::10], rotation=60,
                           ha='right', fontsize=7)
    for axes in (top, bottom):
        axes.spines[['top', 'right']].set_visible(False)
    return save_figure(figure, path)


__all__ = ['plot_class_accuracy', 'plot_class_tables', 'read_per_class']
