"""Decoded images in one file that every process maps into its memory."""
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from mmengine.logging import MMLogger
from mmengine.utils import ProgressBar

from gssl_mm.atomic_io import TEMPORARY_SUFFIX, sync_directory

from .image_cache_file import (
    BrokenCacheError,
    CacheWriteError,
    StaleCacheError,
    fingerprint,
    map_images,
    read_facts,
    write_at,
    write_facts,
    write_header,
)

_BLOCK = 256


class ImageCache:
    """A file with the decoded images of a data set, made at the first use.

    The file is a ``.npy`` array that any program can read, followed by a line
    that says which data it was made from. It appears under its name complete
    or not at all: it is written under a name of its own and renamed. One
    process makes it while others that ask for it wait; where files can't be
    locked (some network drives) each makes its own, and the last rename counts.
    A process that dies leaves no lock, and the next one removes what it left.

    Images are decoded in threads: decoders leave the interpreter's lock, and
    threads die with their process.

    Args:
        path (str | PathLike): The file.
        identity (str): Digest of the data, see :func:`fingerprint`.
        shape (tuple): (N, H, W, 3).
        rebuild_stale (bool): Whether to make a cache of other data anew
            instead of refusing it. Defaults to False.

    Raises:
        StaleCacheError: The file was made from other data.
        BrokenCacheError: The file is no cache, or was cut off.
        CacheWriteError: The file can't be written.

    Example:
        >>> import tempfile
        >>> cache = ImageCache(
        ...     f'{tempfile.mkdtemp()}/two.npy', 'digest', (2, 4, 4, 3))
        >>> cache.open(lambda number: np.full((4, 4, 3), number)).shape
        (2, 4, 4, 3)
    """

    def __init__(self, path: str | os.PathLike, identity: str, shape: tuple,
                 rebuild_stale: bool = False) -> None:
        self.path = Path(path)
        self.identity = identity
        self.shape = tuple(int(side) for side in shape)
        self.rebuild_stale = rebuild_stale

    def open(self, decode: Callable[[int], np.ndarray],
             workers: int | None = None) -> np.memmap:
        """Map the images, after making the file where there is none.

        Args:
            decode (Callable): Takes the number of an image and returns it,
                (H, W, 3) uint8. Called from several threads.
            workers (int, optional): Number of threads. Defaults to None, the
                processors that this process may use.

        Returns:
            np.memmap: (N, H, W, 3) uint8, read-only.
        """
        if not self._usable():
            with self._alone() as alone:
                # Another process may have made it while this one waited
                if not self._usable():
                    self._make(decode, workers or usable_cpus(), alone)
        return map_images(self.path)

    def _usable(self) -> bool:
        """Whether the file is there and was made from this data."""
        if not self.path.exists():
            return False
        found = read_facts(self.path)
        if found == dict(identity=self.identity, shape=list(self.shape)):
            return True
        if not self.rebuild_stale:
            raise StaleCacheError(
                f'{self.path} was made from another version of the data: it '
                f'has {found["shape"][0]:,} images with the digest '
                f'{found["identity"][:12]}, the files now are '
                f'{self.shape[0]:,} with {self.identity[:12]}. Delete it or '
                'set rebuild_stale=True to make it anew; set another '
                'cache_dir to keep it')
        return False

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Wait for the right to write; the kernel frees it at any death.

        Yields:
            bool: Whether it is certain that no other process writes.
        """
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(
                self.path.with_name(f'.{self.path.name}.lock'),
                os.O_RDWR | os.O_CREAT, 0o666)
        try:
            yield self._locked(descriptor)
        finally:
            os.close(descriptor)

    def _locked(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log(f'{self.path} is being made by another process: waiting.')
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            return False
        return True

    def _make(self, decode: Callable, workers: int, alone: bool) -> None:
        if alone:
            for left in self.path.parent.glob(
                    f'.{self.path.name}.*{TEMPORARY_SUFFIX}'):
                left.unlink(missing_ok=True)
        _log(f'Decoding {self.shape[0]:,} images once, in {workers} threads, '
             f'to {self.path} ({self._mebibytes} MiB).')
        with self._explained():
            descriptor, temporary = tempfile.mkstemp(
                TEMPORARY_SUFFIX, f'.{self.path.name}.', self.path.parent)
        try:
            with os.fdopen(descriptor, 'wb') as file:
                self._fill(file, decode, workers)
            with self._explained():
                os.chmod(temporary, 0o644)
                os.replace(temporary, self.path)
                sync_directory(self.path.parent)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def _fill(self, file: BinaryIO, decode: Callable, workers: int) -> None:
        """Write a header, images in any order, and last the facts."""
        with self._explained():
            start = write_header(file, self.shape)
        size = int(np.prod(self.shape[1:]))

        def work(first: int) -> int:
            last = min(first + _BLOCK, self.shape[0])
            block = np.empty((last - first, *self.shape[1:]), np.uint8)
            for place, number in enumerate(range(first, last)):
                block[place] = decode(number)
            with self._explained():
                write_at(file.fileno(), block, start + first * size)
            return last - first

        _run(work, range(0, self.shape[0], _BLOCK), self.shape[0], workers)
        with self._explained():
            write_facts(file, dict(identity=self.identity, shape=self.shape))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn an error of the file system into one that says what to do."""
        try:
            yield
        except OSError as error:
            raise CacheWriteError(
                f'Could not write the image cache {self.path} ({error}); it '
                f'takes {self._mebibytes} MiB. Free space there, or set '
                'cache_dir to a folder that can be written, or cache=False to '
                'decode the files in every run') from error

    @property
    def _mebibytes(self) -> str:
        return f'{np.prod(self.shape) / 2**20:,.1f}'


def _run(work: Callable[[int], int], starts: range, total: int,
         workers: int) -> None:
    """Run blocks in threads under a progress bar; stop at the first error."""
    bar = ProgressBar(total, file=sys.stderr)
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done in pool.map(work, starts):
                bar.update(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            sys.stderr.write('\n')


def usable_cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _log(text: str) -> None:
    MMLogger.get_current_instance().info(text)


__all__ = [
    'BrokenCacheError', 'CacheWriteError', 'ImageCache', 'StaleCacheError',
    'fingerprint', 'usable_cpus'
]
