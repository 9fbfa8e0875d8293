"""The file format of :class:`~gssl_mm.datasets.image_cache.ImageCache`.

A ``.npy`` array, (N, H, W, 3) uint8, followed by a line of JSON, its length and
an end mark, which are written last.
"""
import hashlib
import json
import mmap
import os
from typing import BinaryIO

import numpy as np

MAGIC = b'gssl_mm images 1'
_TAIL = 8 + len(MAGIC)


class StaleCacheError(ValueError):
    """A cache was made from another version of the data."""


class BrokenCacheError(ValueError):
    """A file that should be a cache is none, or was cut off."""


class CacheWriteError(OSError):
    """A cache can't be written where it should be."""


def write_header(file: BinaryIO, shape: tuple) -> int:
    """Write the header of an array; return where its values begin."""
    np.lib.format.write_array_header_1_0(
        file, dict(descr='|u1', fortran_order=False, shape=shape))
    file.flush()
    return file.tell()


def write_facts(file: BinaryIO, facts: dict) -> None:
    """Complete a file and force it to the device."""
    file.seek(0, os.SEEK_END)
    line = json.dumps(facts).encode()
    file.write(line + len(line).to_bytes(8, 'little') + MAGIC)
    file.flush()
    os.fsync(file.fileno())


def write_at(descriptor: int, data: np.ndarray, offset: int) -> None:
    """Write all bytes of an array; a device that is full writes some."""
    view = memoryview(data).cast('B')
    while len(view):
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def read_facts(path: str | os.PathLike) -> dict:
    """Read what a cache says of itself, after checking that it is whole.

    Args:
        path (str | PathLike): The file.

    Returns:
        dict: ``identity`` (str) and ``shape`` (list of four).

    Raises:
        BrokenCacheError: The file is no cache, or was cut off.
    """
    try:
        with open(path, 'rb') as file:
            file.seek(-_TAIL, os.SEEK_END)
            length = int.from_bytes(file.read(8), 'little')
            if file.read() != MAGIC:
                raise ValueError('it does not end as one')
            end = file.seek(-_TAIL - length, os.SEEK_END)
            facts = json.loads(file.read(length))
            values = end - _skip_header(file)
            if values != int(np.prod(facts['shape'])):
                raise ValueError(f'it has {values:,} bytes of pixels')
    except (OSError, ValueError, KeyError) as error:
        raise BrokenCacheError(
            f'{path} is no complete image cache ({error}). Delete it: it will '
            'be made anew') from error
    return facts


def _skip_header(file: BinaryIO) -> int:
    file.seek(0)
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    return file.tell()


def map_images(path: str | os.PathLike) -> np.memmap:
    """Map the images of a complete cache, read-only, (N, H, W, 3) uint8."""
    shape = tuple(read_facts(path)['shape'])
    with open(path, 'rb') as file:
        start = _skip_header(file)
    return np.memmap(path, np.uint8, 'r', start, shape)


def is_mapped(images: np.ndarray | None) -> bool:
    """Whether an array shows a part of a mapped file."""
    while images is not None and not isinstance(images, mmap.mmap):
        images = getattr(images, 'base', None)
    return images is not None


def fingerprint(root: str, files: list[str], labels: list[int]) -> str:
    """Digest of the names, sizes and labels of files, in their order.

    Contents are not read: that would take as long as decoding. Sizes are those
    of local files; times are left out, since copies have others.

    Args:
        root (str): Folder of the data, which is not part of the names.
        files (list[str]): Paths.
        labels (list[int]): One for each.
    """
    digest = hashlib.sha256()
    for file, label in zip(files, labels, strict=True):
        try:
            size = os.stat(file).st_size
        except OSError:  # missing, or not on this machine
            size = -1
        name = file.removeprefix(root).lstrip('/')
        digest.update(f'{name}\t{size}\t{label}\n'.encode())
    return digest.hexdigest()


__all__ = [
    'BrokenCacheError', 'CacheWriteError', 'StaleCacheError', 'fingerprint',
    'is_mapped', 'map_images', 'read_facts', 'write_at', 'write_facts',
    'write_header'
]
