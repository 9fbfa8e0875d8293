"""Sections that need the models: attention, embeddings, errors, calibration."""
import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np

from ..cam_grid import caption, overlay
from ..embedding import NEIGHBOURS
from ..run_record import RunRecord
from .blocks import Html, chip, details, grid, reason, table
from .looks import Looks
from .shapes import (
    confusion_chart,
    reliability_chart,
    scatter_chart,
    worst_confusions,
)

PICTURE = 112
DRAWN_CLASSES = 30


def _reasons(looks: Looks, runs: Sequence[RunRecord], *parts: str) -> str:
    whole = reason(looks.missing) if looks.missing else ''
    return whole + ''.join(
        reason(f'{runs[place].name}: {found.missing[part]}')
        for place, found in looks.runs.items() for part in ('model', *parts)
        if part in found.missing)


def checkpoints(looks: Looks, runs: Sequence[RunRecord]) -> str:
    """Which weights were looked at."""
    return ', '.join(f'{found.checkpoint} of {runs[place].name}'
                     for place, found in looks.runs.items()
                     if found.checkpoint)


def picture(array: np.ndarray) -> str:
    """An ``img`` element with the picture in it, uint8 ``(H, W, 3)``."""
    from PIL import Image
    image = Image.fromarray(array)
    if max(image.size) > PICTURE or min(image.size) < PICTURE:
        image = image.resize((PICTURE, PICTURE), Image.Resampling.BICUBIC)
    data = io.BytesIO()
    image.save(data, 'JPEG', quality=88)
    text = base64.b64encode(data.getvalue()).decode()
    return (f'<img src="data:image/jpeg;base64,{text}" width="{PICTURE}" '
            f'height="{PICTURE}" alt="">')


def attention(looks: Looks, runs: Sequence[RunRecord]) -> list[str]:
    """The grid of images and models."""
    there = {p: f.maps for p, f in looks.runs.items() if f.maps is not None}
    missing = _reasons(looks, runs, 'attention')
    if not there:
        return [missing]
    shown, columns = looks.shown, []
    plain = shown.images.permute(0, 2, 3, 1).numpy()
    columns.append(('image', -1, [
        (picture(a), t) for a, t in zip(plain, shown.titles, strict=True)]))
    for place, maps in there.items():
        mixed = overlay(shown.images, maps.maps)
        columns.append((maps.name, place, [
            (picture(a), caption(shown, maps, i))
            for i, a in enumerate(mixed)]))
    head = ''.join(
        f'<th scope="col" data-run="{place}">'
        f'{chip(name, place) if place >= 0 else name}</th>'
        for name, place, _ in columns)
    rows = ['<tr>' + ''.join(
        f'<td data-run="{place}">{cells[i][0]}<span class="'
        f'{"wrong" if cells[i][1].endswith("✗") else ""}">'
        f'{escape(cells[i][1])}</span></td>'
        for _, place, cells in columns) + '</tr>' for i in range(len(plain))]
    # Two halves side by side where there is room, below each other else
    half = -(-len(rows) // 2)
    tables = ''.join(
        f'<div class="wide"><table class="pictures"><thead><tr>{head}</tr>'
        f'</thead><tbody>{"".join(part)}</tbody></table></div>'
        for part in (rows[:half], rows[half:]) if part)
    return [f'<div class="pair">{tables}</div>{missing}']


def embeddings(looks: Looks, runs: Sequence[RunRecord]) -> list[str]:
    """Scatter plots with the numbers beside."""
    there = {p: f.embedding for p, f in looks.runs.items()
             if f.embedding is not None}
    missing = _reasons(looks, runs, 't-SNE')
    if not there:
        return [missing]
    samples = looks.samples
    labels = samples.labels.numpy()
    names = [samples.class_name(c) for c in range(int(labels.max()) + 1)]
    charts = [scatter_chart(e.name, e.points, labels, names, p)
              for p, e in there.items()]
    keys = ('silhouette', 'knn_accuracy', 'silhouette_2d', 'top1')
    header = ['run', 'silhouette of the feature',
              f'{NEIGHBOURS}-nearest-neighbour accuracy (%)',
              'silhouette of the picture', 'top-1 of the classifier (%)']
    rows = [[Html(chip(e.name, p)), *(e.numbers[k] for k in keys)]
            for p, e in there.items()]
    return [table(header, rows, 3, 'embeddings'), grid(*charts), missing]


def errors(looks: Looks, runs: Sequence[RunRecord]) -> list[str]:
    """Confusion matrices, and the pairs confused most."""
    charts, rows = [], []
    for place, found in looks.runs.items():
        if found.confusion is None:
            continue
        names = [looks.samples.class_name(c)
                 for c in range(len(found.confusion))]
        if len(names) <= DRAWN_CLASSES:
            charts.append(confusion_chart(
                f'{runs[place].name}: % of the true class', found.confusion,
                names, place))
        rows += [[Html(chip(runs[place].name, place)), *pair]
                 for pair in worst_confusions(found.confusion, names)]
    listed = table(['run', 'true class', 'taken for', '% of the true class'],
                   rows, 1, 'confusions') if rows else ''
    if charts:
        listed = details('The pairs confused most', listed)
    return [grid(*charts), listed, _reasons(looks, runs, 'predictions')]


def calibrations(looks: Looks, runs: Sequence[RunRecord]) -> list[str]:
    """Reliability diagrams with ECE and NLL."""
    there = {p: f.calibration for p, f in looks.runs.items()
             if f.calibration is not None}
    rows = [[Html(chip(runs[p].name, p)), numbers['ece'], numbers['nll']]
            for p, (_, numbers) in there.items()]
    listed = table(['run', 'ECE (%)', 'NLL (nats)'], rows,
                   name='calibration') if rows else ''
    return [listed, grid(*(reliability_chart(
        f'{runs[p].name}: accuracy', bins, p)
        for p, (bins, _) in there.items()))]


__all__ = [
    'attention', 'calibrations', 'checkpoints', 'embeddings', 'errors'
]
