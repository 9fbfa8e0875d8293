"""Drawings that are no line charts: classes, confusions, embeddings."""
import math
from collections.abc import Sequence
from html import escape

import numpy as np

from ..embedding import CLASS_COLOURS
from .charts import RUN_COLOURS, Scale, number

WRITTEN = 12
SIDE = 360


def class_chart(names: Sequence[str], counts: Sequence[int],
                accuracies: dict[int, Sequence[float]]) -> str:
    """Accuracy of every class: a row a class, a dot a run.

    Args:
        names (Sequence[str]): Of the classes.
        counts (Sequence[int]): Training images a class.
        accuracies (dict): Number of the run to percent, a class each.
    """
    left, right, row = 96, 62, 22 if len(names) <= 30 else 13
    width, top = 380, 22
    height = top + row * len(names) + 6
    x = Scale(0, 100, left, width - right)
    parts = []
    for tick in (0, 25, 50, 75, 100):
        parts.append(
            f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="{top - 4}" '
            f'y2="{height}"/><text x="{x(tick)}" y="12" text-anchor="middle">'
            f'{tick}%</text>')
    parts.append(f'<text x="{width}" y="12" text-anchor="end">images</text>')
    for place, (name, count) in enumerate(zip(names, counts, strict=True)):
        y = top + row * (place + .5)
        small = ' class="small"' if row < 20 else ''
        parts.append(
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end"{small}>'
            f'{escape(_short(name))}</text><text x="{width}" y="{y + 4:.1f}" '
            f'text-anchor="end"{small}>{count:,}</text>')
        parts.append(_dots(x, y, place, name, accuracies))
    return (f'<figure class="chart tall"><figcaption>Test accuracy of each '
            f'class, and its training images</figcaption>'
            f'<svg viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="accuracy of each class">{"".join(parts)}</svg>'
            '</figure>')


def _short(name: str) -> str:
    return name if len(name) <= 14 else f'{name[:13]}…'


def _dots(x: Scale, y: float, place: int, name: str,
          accuracies: dict[int, Sequence[float]]) -> str:
    found = {run: values[place] for run, values in accuracies.items()
             if math.isfinite(values[place])}
    if not found:
        return ''
    span = '' if len(found) < 2 else (
        f'<line class="span" x1="{x(min(found.values())):.1f}" '
        f'x2="{x(max(found.values())):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
    return span + ''.join(
        f'<g class="dot c{run % RUN_COLOURS}" data-run="{run}"><title>'
        f'{escape(name)}: {value:.1f}%</title>'
        f'{_mark(run, x(value), y)}</g>' for run, value in found.items())


def _mark(run: int, x: float, y: float) -> str:
    """A shape a run, so that colour is not needed."""
    if run % 3 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    if run % 3 == 1:
        return (f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" '
                'height="8"/>')
    return (f'<path d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>')


def confusion_chart(title: str, counts: np.ndarray, names: Sequence[str],
                    run: int) -> str:
    """A confusion matrix; each row in percent of its class.

    Args:
        title (str): Above it.
        counts (ndarray): ``(K, K)``, a true class a row.
        names (Sequence[str]): Of the classes.
        run (int): Number of the run.
    """
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    left, top, cell = 84, 4, (SIDE - 90) / len(names)
    parts = []
    for i, name in enumerate(names):
        at = top + cell * (i + .5)
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" '
                     f'text-anchor="end">{escape(_short(name))}</text>')
        along, below = left + cell * (i + .5), top + cell * len(names) + 12
        parts.append(
            f'<text transform="translate({along + 3:.1f} {below:.1f}) '
            f'rotate(-60)" text-anchor="end">{escape(_short(name))}</text>')
        parts += [_cell(left + cell * j, top + cell * i, cell, share[i, j],
                        f'{name} taken for {names[j]}', len(names))
                  for j in range(len(names))]
    height = top + cell * len(names) + 76
    return (f'<figure class="chart matrix" data-run="{run}"><figcaption>'
            f'{escape(title)}</figcaption><svg viewBox="0 0 {SIDE} '
            f'{height:.0f}" role="img" aria-label="confusion matrix">'
            f'{"".join(parts)}</svg></figure>')


def _cell(x: float, y: float, size: float, value: float, words: str,
          classes: int) -> str:
    dark = value > 45
    text = '' if classes > WRITTEN or value < .5 else (
        f'<text class="{"on" if dark else ""}" x="{x + size / 2:.1f}" '
        f'y="{y + size / 2 + 3.5:.1f}" text-anchor="middle">{value:.0f}</text>')
    return (f'<g><title>{escape(words)}: {value:.1f}%</title>'
            f'<rect class="cell" x="{x:.1f}" y="{y:.1f}" width="{size:.1f}" '
            f'height="{size:.1f}" fill-opacity="{value / 100:.3f}"/>{text}</g>')


def worst_confusions(counts: np.ndarray, names: Sequence[str], limit: int = 8
                     ) -> list[list]:
    """The largest shares outside the diagonal: true, taken for, percent."""
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    share = np.where(np.eye(len(share), dtype=bool), 0, share)
    order = np.argsort(share, axis=None)[::-1][:limit]
    pairs = zip(*np.unravel_index(order, share.shape), strict=True)
    return [[names[i], names[j], float(share[i, j])] for i, j in pairs
            if share[i, j] > 0]


def scatter_chart(title: str, points: np.ndarray, labels: np.ndarray,
                  names: Sequence[str], run: int) -> str:
    """An embedding; names of classes stand on their medians.

    Args:
        title (str): Above it.
        points (ndarray): ``(N, 2)``.
        labels (ndarray): int64 ``(N,)``.
        names (Sequence[str]): Of all classes.
        run (int): Number of the run.
    """
    low, high = points.min(0), points.max(0)
    places = 8 + (points - low) / np.maximum(high - low, 1e-9) * (SIDE - 16)
    dots, words = [], []
    for order, label in enumerate(np.unique(labels)):
        mine = places[labels == label]
        path = ''.join(f'M{x:.1f} {y:.1f}h0' for x, y in mine)
        square = ' square' if order % 2 else ''
        dots.append(
            f'<path class="cloud{square}" data-class="{label}" d="{path}" '
            f'stroke="{CLASS_COLOURS[order % len(CLASS_COLOURS)]}"/>')
        if len(names) <= 20:
            x, y = np.median(mine, 0)
            words.append(f'<text data-class="{label}" x="{x:.1f}" '
                         f'y="{y:.1f}" text-anchor="middle">'
                         f'{escape(str(names[label]))}</text>')
    return (f'<figure class="chart scatter" data-run="{run}"><figcaption>'
            f'{escape(title)}</figcaption><svg viewBox="0 0 {SIDE} {SIDE}" '
            f'role="img" aria-label="t-SNE">{"".join(dots + words)}</svg>'
            '</figure>')


def reliability_chart(title: str, bins: dict[str, np.ndarray],
                      run: int) -> str:
    """Accuracy over confidence: bars, the diagonal, a dot a bin."""
    left, top, bottom, width, height = 40, 8, 30, 360, 250
    x = Scale(0, 1, left, width - 8)
    y = Scale(0, 1, height - bottom, top)
    parts = [f'<line class="grid" x1="{left}" x2="{width - 8}" y1="{y(t)}" '
             f'y2="{y(t)}"/><text x="{left - 6}" y="{y(t) + 4}" '
             f'text-anchor="end">{number(t)}</text><text x="{x(t)}" '
             f'y="{height - 14}" text-anchor="middle">{number(t)}</text>'
             for t in (0, .25, .5, .75, 1)]
    parts.append(f'<line class="level" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" '
                 f'y2="{y(1)}"/>')
    for low, high, count, right, sure in zip(
            *(bins[k] for k in ('lower', 'upper', 'count', 'accuracy',
                                'confidence')), strict=True):
        if count:
            parts.append(
                f'<g class="c{run % RUN_COLOURS}"><title>confidence '
                f'{sure:.2f}, accuracy {right:.2f}, {count} images</title>'
                f'<rect class="bar" x="{x(low) + 1:.1f}" y="{y(right):.1f}" '
                f'width="{x(high) - x(low) - 2:.1f}" '
                f'height="{y(0) - y(right):.1f}"/><circle class="mean" '
                f'cx="{x(sure):.1f}" cy="{y(sure):.1f}" r="3"/></g>')
    parts.append(f'<text x="{(left + width) / 2}" y="{height - 1}" '
                 'text-anchor="middle">confidence</text>')
    return (f'<figure class="chart" data-run="{run}"><figcaption>'
            f'{escape(title)}</figcaption><svg viewBox="0 0 {width} {height}" '
            f'role="img" aria-label="reliability diagram">{"".join(parts)}'
            '</svg></figure>')


__all__ = [
    'class_chart', 'confusion_chart', 'reliability_chart', 'scatter_chart',
    'worst_confusions'
]
