"""What an attack left of a model: predictions, files, accuracies."""
from __future__ import annotations

import hashlib
import io
import json
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dist import all_gather_object
from mmengine.logging import MMLogger
from torch import Tensor, nn

from gssl_mm.atomic_io import atomic_write
from gssl_mm.models.attacks import Attack

_KEY = 'fingerprint'


class AttackRecord(NamedTuple):
    """Predictions on attacked images, a row an image.

    Attributes:
        index (np.ndarray): Positions in the dataset, int64 ``(N,)``.
        label (np.ndarray): True classes, int64 ``(N,)``.
        pred_label (np.ndarray): Predicted classes, int64 ``(N,)``.
        pred_score (np.ndarray): Probabilities, float32 ``(N, K)``.
        linf (np.ndarray): Largest change of a pixel, float32 ``(N,)``.
        l2 (np.ndarray): Norm of the change, float32 ``(N,)``.
        seconds (float): What making it took.
    """

    index: np.ndarray
    label: np.ndarray
    pred_label: np.ndarray
    pred_score: np.ndarray
    linf: np.ndarray
    l2: np.ndarray
    seconds: float = 0.

    @property
    def correct(self) -> np.ndarray:
        """Whether each prediction is right, bool ``(N,)``."""
        return self.label == self.pred_label

    def save(self, path: Path, fingerprint: str) -> None:
        """Write an npz file, all of it or nothing."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **self._asdict(),
                            **{_KEY: np.array(fingerprint)})
        atomic_write(path, buffer.getvalue())


def make_record(index: np.ndarray, labels: Tensor, logits: Tensor,
                moved: Tensor) -> AttackRecord:
    """Make the record of a batch.

    Args:
        index (np.ndarray): Positions in the dataset, ``(N,)``.
        labels (Tensor): int64 ``(N,)``.
        logits (Tensor): Of the attacked images, ``(N, K)``.
        moved (Tensor): Attacked less clean pixels, ``(N, C, H, W)``.
    """
    moved = moved.flatten(1).float()
    values = (labels, logits.argmax(1), logits.float().softmax(1),
              moved.abs().amax(1), moved.norm(dim=1))
    return AttackRecord(index, *(v.cpu().numpy() for v in values))


def gather_records(parts: list[AttackRecord]) -> AttackRecord:
    """Join the records of all batches and processes, an image once.

    Samplers repeat images to give every process equally many; rows are told
    apart by their position in the dataset.
    """
    everything = [part for process in all_gather_object(parts)
                  for part in process if len(part.index)]
    if not everything:
        empty = np.empty(0, np.int64)
        size = np.empty(0, np.float32)
        return AttackRecord(empty, empty, empty, size[:, None], size, size)
    *columns, _ = zip(*everything, strict=True)
    columns = [np.concatenate(column) for column in columns]
    _, first = np.unique(columns[0], return_index=True)
    return AttackRecord(*(column[first] for column in columns))


def load_record(path: Path, fingerprint: str) -> AttackRecord | None:
    """Read a record that was made under the same conditions.

    Returns:
        AttackRecord, optional: None if there is none, or of other conditions.
    """
    logger = MMLogger.get_current_instance()
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file[_KEY]) == fingerprint:
                return AttackRecord(*(file[k] for k in AttackRecord._fields))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        logger.warning(f'{path} is not a whole record and is made anew: '
                       f'{error}')
        return None
    logger.info(f'{path} is of another model, attack or data: made anew.')
    return None


def digest(*parts: Any) -> str:
    """Hash arrays, and whatever JSON can write."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            total.update(str((part.dtype, part.shape)).encode())
            total.update(np.ascontiguousarray(part).tobytes())
        else:
            total.update(json.dumps(part, sort_keys=True,
                                    default=str).encode())
    return total.hexdigest()


def model_digest(model: nn.Module) -> str:
    """Hash parameters and buffers, also those that are not saved."""
    total = hashlib.sha256()
    for name, value in chain(model.named_parameters(), model.named_buffers()):
        total.update(name.encode())
        value = value.detach().cpu().contiguous().flatten()
        total.update(value.view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def plain_settings(attack: Any) -> dict:
    """Config of an attack, or the switches of a built one, as plain types."""
    if isinstance(attack, Attack):
        switches = {k: v for k, v in vars(attack).items() if k[0] != '_'}
        return dict(switches, type=type(attack).__name__)
    return attack.to_dict() if hasattr(attack, 'to_dict') else dict(attack)
