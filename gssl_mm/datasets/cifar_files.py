"""One batch file of a CIFAR archive."""
import io
from typing import BinaryIO

import numpy as np
from mmengine.fileio import LocalBackend, get, get_file_backend

from .errors import ArchiveContentError
from .pickled_array import PickledArray
from .safe_pickle import load_pickle

_LABEL_KEYS = ('labels', 'fine_labels')
_SIDE = 32
_COLUMNS = 3 * _SIDE * _SIDE


class ArchiveFile:
    """The labels of a batch file, and its images on demand.

    Args:
        path (str): The file.

    Raises:
        UnsafePickleError: It names something other than arrays.
        BrokenPickleError: It is cut short or not a pickle.
        ArchiveContentError: It does not hold images with labels.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        entry = _load(path)
        self.data = entry.get('data')
        label_key = next((key for key in _LABEL_KEYS if key in entry), None)
        if not isinstance(self.data, PickledArray) or label_key is None:
            self._refuse(f"the keys {sorted(map(str, entry))}; 'data' and "
                         "'labels' (or 'fine_labels') are needed")
        self.labels = self._integers(entry[label_key])
        self._check_shape()

    def __len__(self) -> int:
        return len(self.labels)

    def read_into(self, images: np.ndarray, where: np.ndarray,
                  rows: np.ndarray) -> None:
        """Read some images, turning colour planes into pixels.

        Args:
            images (np.ndarray): Filled in place, (N, 32, 32, 3) uint8.
            where (np.ndarray): Positions in ``images``, (n,).
            rows (np.ndarray): Rows of the file that go there, (n,).
        """
        for group, block in self.data.chunks(rows):
            planes = block.reshape(-1, 3, _SIDE, _SIDE)
            images[where[group]] = planes.transpose(0, 2, 3, 1)

    @staticmethod
    def class_names(path: str, key: str) -> tuple[str, ...]:
        """Read the class names of an archive's ``meta`` file."""
        names = _load(path).get(key)
        if not isinstance(names, list) or not all(
                isinstance(name, str) for name in names):
            raise ArchiveContentError(
                f'{path} has no list of names under {key!r}. Give the names '
                'by metainfo=dict(classes=[...]), or correct the file.')
        return tuple(names)

    def _integers(self, labels: object) -> np.ndarray:
        labels = np.asarray(labels)
        if labels.ndim != 1 or labels.dtype.kind not in 'iu':
            self._refuse(f'labels of type {labels.dtype} and shape '
                         f'{labels.shape}; a list of integers is needed')
        return labels.astype(np.int64)

    def _check_shape(self) -> None:
        shape = self.data.shape
        if self.data.dtype != np.uint8 or shape[1:] != (_COLUMNS, ):
            self._refuse(f'data of type {self.data.dtype} and shape {shape}; '
                         f'uint8 of shape (N, {_COLUMNS}) is needed: the '
                         'planes of 32x32 RGB images')
        if shape[0] != len(self.labels):
            self._refuse(f'{shape[0]} images and {len(self.labels)} labels')

    def _refuse(self, what: str) -> None:
        raise ArchiveContentError(
            f'{self.path} holds {what}. Get the archive again, or correct the '
            'tool that wrote this copy.')


def _load(path: str) -> dict:
    entry = load_pickle(lambda: _open(path), path)
    if not isinstance(entry, dict):
        raise ArchiveContentError(
            f'{path} holds a {type(entry).__name__}, not a dict of arrays. '
            'Get the archive again.')
    return entry


def _open(path: str) -> BinaryIO:
    if isinstance(get_file_backend(path), LocalBackend):
        return open(path, 'rb')
    return io.BytesIO(get(path))


__all__ = ['ArchiveFile']
