"""How many training images each class has."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .class_bars import FEW_BELOW, MANY_ABOVE
from .style import GREY, PALETTE, new_figure, save_figure


def read_class_counts(cfg: Any) -> tuple[list[str], np.ndarray]:
    """Class names and training counts of a config's data.

    Args:
        cfg (Config): With a ``train_dataloader``.
    """
    from .samples import labels_of, plain_dataset
    dataset = plain_dataset(cfg, 'train')
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    counts = getattr(dataset, 'class_counts', None)
    if counts is None:
        counts = np.bincount(labels_of(dataset),
                             minlength=len(classes or ()))
    names = [str(c) for c in classes or range(len(counts))]
    return names, np.asarray(counts)


def plot_class_counts(counts: dict[str, Sequence[int]],
                      path: str | Path, log: bool = False) -> list[Path]:
    """Draw the class distribution of data sets, as in Figure 5 of G-SSL.

    Args:
        counts (dict): Data set to training images a class, any order; drawn
            in descending order.
        path (str | Path): Where to; PNG and SVG are written.
        log (bool): Logarithmic axis. Defaults to False.

    Returns:
        list[Path]: The files written.
    """
    cols = min(3, len(counts))
    rows = -(-len(counts) // cols)
    figure, axes = new_figure(3.6 * cols, 2.7 * rows, rows, cols,
                              squeeze=False)
    for panel in axes.flat[len(counts):]:
        panel.set_axis_off()
    for place, (panel, (name, values)) in enumerate(zip(
            axes.flat, counts.items(), strict=False)):
        values = np.sort(np.asarray(values))[::-1]
        panel.bar(np.arange(len(values)), values, .9,
                  color=PALETTE[place % len(PALETTE)])
        _limits(panel, values)
        ratio = values.min() / max(1, values.max())
        panel.set_title(f'{name}\n{values.sum():,} images, {len(values)} '
                        f'classes, least / most {ratio:.3g}', fontsize=8)
        panel.set(xlabel='class, by size', ylabel='training images',
                  yscale='log' if log else 'linear')
        panel.spines[['top', 'right']].set_visible(False)
    return save_figure(figure, path)


def _limits(panel: Any, values: np.ndarray) -> None:
    for limit in (FEW_BELOW, MANY_ABOVE):
        if values.min() < limit < values.max():
            panel.axhline(limit, color=GREY, linewidth=.8, linestyle=':')


__all__ = ['plot_class_counts', 'read_class_counts']
