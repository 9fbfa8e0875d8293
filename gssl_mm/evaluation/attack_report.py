"""Accuracies of attack records, and the files that hold them."""
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from gssl_mm.atomic_io import atomic_write

from .attack_records import AttackRecord
from .utils import write_csv


def percent(flags: np.ndarray) -> float:
    """Share of True in percent, nan of nothing."""
    return float(100 * flags.mean()) if len(flags) else math.nan


def class_accuracy(record: AttackRecord, num_classes: int) -> np.ndarray:
    """Accuracy of each class in percent, nan where there is no image."""
    counts = np.bincount(record.label, minlength=num_classes)
    right = np.bincount(record.label[record.correct], minlength=num_classes)
    return 100 * right / np.where(counts, counts, np.nan)


def summarise_attack(record: AttackRecord, num_classes: int,
                     **more: Any) -> dict:
    """What is kept of an attack beside its record.

    Args:
        record (AttackRecord): Of all processes.
        num_classes (int): Classes of the model.
        **more (Any): Added to the summary.

    Returns:
        dict: The seconds it took when it was made, number of images and of
        right ones, accuracy and that of each class in percent, and the largest
        change of an image in both norms.
    """
    return dict(
        more, seconds=float(record.seconds), images=len(record.index),
        right=int(record.correct.sum()), top1=percent(record.correct),
        per_class=class_accuracy(record, num_classes).tolist(),
        max_linf=float(record.linf.max(initial=0)),
        max_l2=float(record.l2.max(initial=0)))


def write_report(folder: Path, records: dict[str, AttackRecord],
                 classes: tuple | None, summary: dict) -> None:
    """Write ``robust_accuracy.csv`` and ``summary.json``.

    Args:
        folder (Path): Where to.
        records (dict[str, AttackRecord]): The clean test first.
        classes (tuple, optional): Names of the classes.
        summary (dict): Content of the JSON file; nan becomes null.
    """
    size = next(iter(records.values())).pred_score.shape[1]
    columns = [class_accuracy(record, size) for record in records.values()]
    write_csv(folder / 'robust_accuracy.csv', ('class', *records),
              zip(classes or range(size), *columns, strict=False))
    text = json.dumps(_without_nan(summary), indent=2, default=str)
    atomic_write(folder / 'summary.json', f'{text}\n'.encode())


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
