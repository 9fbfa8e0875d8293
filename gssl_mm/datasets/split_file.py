"""Which samples are labelled: chosen by a seed, kept in a file."""
import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gssl_mm.atomic_io import atomic_write

from .errors import SplitMismatchError, TooFewLabelsError
from .label_utils import count_labels
from .long_tailed_profile import select_classes

FORMAT = 'gssl_mm/semi-supervised-split/1'


class Split(NamedTuple):
    """A choice of labelled samples and the data that it is of.

    Args:
        labeled (np.ndarray): Positions of the labelled samples, class after
            class, (n,) int64.
        seed (int, optional): What they were chosen by; None for a split that
            somebody else chose.
        num_samples (int): Samples of the whole set.
        labels_sha256 (str): Digest of all labels in file order, which tells
            data sets apart and not the encodings of their images.
    """

    labeled: np.ndarray
    seed: int | None
    num_samples: int
    labels_sha256: str

    @property
    def facts(self) -> dict:
        """What a result says about it: seed, number and digest."""
        return dict(
            seed=self.seed, labeled=len(self.labeled),
            labeled_sha256=digest_labels(self.labeled))


def digest_labels(labels: np.ndarray) -> str:
    """SHA-256 of integers in their order, the same on every machine."""
    data = np.ascontiguousarray(labels, dtype='<i8').tobytes()
    return hashlib.sha256(data).hexdigest()


def choose_split(labels: np.ndarray, num_classes: int, num_labeled: int,
                 seed: int) -> Split:
    """Choose the same number of samples of every class.

    The positions of a class in file order are shuffled by NumPy's legacy
    generator, classes in ascending order, and the first ones are taken: a
    smaller split of the same seed is a part of a larger one.

    Args:
        labels (np.ndarray): Labels in file order, (N,) integer.
        num_classes (int): Number of classes C.
        num_labeled (int): Labelled samples, a multiple of C.
        seed (int): Seed of the choice.

    Returns:
        Split: The choice.

    Raises:
        TooFewLabelsError: ``num_labeled`` is less than C, no multiple of it,
            or more than the smallest class allows.
        LabelError: A label is outside [0, C).
    """
    counts = count_labels(labels, num_classes)
    _check_number(num_labeled, num_classes, counts)
    # A number from the command line may be 4e3
    each = np.full(num_classes, int(num_labeled) // num_classes)
    return Split(select_classes(labels, each, seed), seed, len(labels),
                 digest_labels(labels))


def _check_number(num_labeled: int, num_classes: int,
                  counts: np.ndarray) -> None:
    most = int(counts.min()) * num_classes if len(counts) else 0
    allowed = (f'Allowed are the multiples of {num_classes} from '
               f'{num_classes} to {most}.')
    if not num_classes or num_labeled < num_classes:
        raise TooFewLabelsError(
            f'num_labeled={num_labeled} is fewer than one labelled image for '
            f'each of the {num_classes} classes. {allowed}')
    if num_labeled % num_classes:
        raise TooFewLabelsError(
            f'num_labeled={num_labeled} cannot be shared equally among '
            f'{num_classes} classes. {allowed}')
    if num_labeled > most:
        raise TooFewLabelsError(
            f'num_labeled={num_labeled} needs {num_labeled // num_classes} '
            f'samples of each class, but class {int(counts.argmin())} has '
            f'{int(counts.min())}. {allowed}')


def write_split(path: str | os.PathLike, split: Split) -> None:
    """Write an index file, all of it or nothing."""
    content = dict(format=FORMAT, **split._asdict())
    content['labeled'] = split.labeled.tolist()
    atomic_write(path, f'{json.dumps(content)}\n'.encode())


def read_split(path: str | os.PathLike) -> Split:
    """Read an index file.

    Raises:
        FileNotFoundError: There is none.
        SplitMismatchError: It is no index file of this package.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'There is no index file {path}. Give num_labeled as well, and '
            'the split chosen by split_seed is written there; or set '
            'index_file=None.')
    try:
        content = json.loads(path.read_text())
        if content.pop('format') != FORMAT:
            raise ValueError('unknown format')
        split = Split(**content)
        labeled = np.array(split.labeled)
        if labeled.ndim != 1 or labeled.dtype.kind != 'i':
            raise ValueError('labeled is no list of positions')
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SplitMismatchError(
            f'{path} is not an index file of {FORMAT!r}: {error}. Write one '
            'with SemiSupervisedSplit.save().') from error
    return split._replace(labeled=labeled.astype(np.int64))


def check_split(split: Split, labels: np.ndarray, num_labeled: int | None,
                source: str, seed: int | None = None) -> None:
    """Refuse a split of other data or of another size.

    Args:
        split (Split): As read.
        labels (np.ndarray): Labels of the data at hand in file order.
        num_labeled (int, optional): What the config asks for, None for
            whatever the file holds.
        source (str): The file, for the message.
        seed (int, optional): What the config asks for. Defaults to None,
            whatever the file was chosen by.

    Raises:
        SplitMismatchError: It does not fit.
    """
    if split.num_samples != len(labels):
        raise SplitMismatchError(
            f'{source} splits a set of {split.num_samples} samples, but this '
            f'one has {len(labels)}. Use the index file of this data set, or '
            'set index_file=None.')
    if split.labels_sha256 != digest_labels(labels):
        raise SplitMismatchError(
            f'{source} was made for data with other labels or another order '
            f'of samples (digest {split.labels_sha256[:12]}, here '
            f'{digest_labels(labels)[:12]}). Use the index file of this data '
            'set, or set index_file=None.')
    inside = (split.labeled >= 0) & (split.labeled < len(labels))
    if not inside.all() or len(np.unique(split.labeled)) < len(split.labeled):
        raise SplitMismatchError(
            f'{source} repeats a position or has one outside [0, '
            f'{len(labels)}): it was damaged. Write it anew.')
    if num_labeled not in (None, len(split.labeled)):
        raise SplitMismatchError(
            f'{source} has {len(split.labeled)} labelled samples, but '
            f'num_labeled={num_labeled} was asked for. Leave num_labeled out '
            'to take the file\'s, or name another file.')
    if None not in (seed, split.seed) and seed != split.seed:
        raise SplitMismatchError(
            f'{source} was chosen by seed {split.seed}, but split_seed={seed} '
            'was asked for. Set split_seed=None to take the file\'s, or name '
            'another file.')


__all__ = [
    'FORMAT', 'Split', 'check_split', 'choose_split', 'digest_labels',
    'read_split', 'write_split'
]
