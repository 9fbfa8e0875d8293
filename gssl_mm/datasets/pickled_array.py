"""Arrays found in a pickle, described but not yet read.

The restricted unpickler builds these in place of NumPy's own objects: no code
of NumPy runs on what a stranger's file says before the description was checked,
and the bytes of a large array stay on the disk until the rows that are kept
are known.
"""
import io
import math
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from .errors import BrokenPickleError

_DTYPE = re.compile(r'[|<>=]?[biuf][1248]')


class RawBytes:
    """A run of bytes inside a file, or in memory.

    Args:
        opener (Callable): Returns a new binary file to seek in.
        offset (int): Where the bytes begin.
        size (int): How many there are.
    """

    def __init__(self, opener: Callable[[], BinaryIO], offset: int,
                 size: int) -> None:
        self.opener, self.offset, self.size = opener, offset, size

    @classmethod
    def of(cls, data: bytes) -> 'RawBytes':
        """Wrap bytes that are in memory already."""
        return cls(lambda: io.BytesIO(data), 0, len(data))

    def windows(self, starts: list[int], size: int) -> Iterator[bytes]:
        """Read windows of at most ``size`` bytes, opening the file once."""
        with self.opener() as file:
            for start in starts:
                file.seek(self.offset + start)
                yield file.read(min(size, self.size - start))


class PickledDType:
    """The element type of a :class:`PickledArray`, checked by name."""

    def __init__(self, name: str, align: object = 0,
                 copy: object = 1) -> None:
        if isinstance(name, bytes):
            name = name.decode('ascii')
        if not _DTYPE.fullmatch(name):
            raise BrokenPickleError(
                f'arrays of {name!r} are not accepted, only booleans, '
                'integers and floats')
        self.dtype = np.dtype(name)

    def set_state(self, state: tuple) -> None:
        """Take the byte order that a pickle sends after the name."""
        order = state[1]
        order = order.decode('ascii') if isinstance(order, bytes) else order
        if order in ('<', '>'):
            self.dtype = self.dtype.newbyteorder(order)


class PickledArray:
    """A numeric array whose bytes are read on demand.

    Args:
        raw (RawBytes): The bytes of the elements. Default: none yet.
        dtype (np.dtype | str): Their type. Default: 'u1'.
        shape (tuple[int, ...]): The shape of the array.
        fortran (bool): Whether the first index runs fastest.
    """

    def __init__(self,
                 raw: RawBytes | None = None,
                 dtype: np.dtype | str = 'u1',
                 shape: tuple[int, ...] = (0, ),
                 fortran: bool = False) -> None:
        self.raw, self.dtype = raw, np.dtype(dtype)
        self.shape, self.fortran = shape, fortran

    def set_state(self, state: tuple) -> None:
        """Take NumPy's array state ``(version, shape, dtype, order, raw)``."""
        shape, dtype, fortran, raw = state[-4:]
        if not isinstance(dtype, PickledDType):
            raise BrokenPickleError('an array comes without a plain dtype')
        self.fill(raw, dtype, shape, bool(fortran))

    def fill(self, raw: RawBytes | bytes | str, dtype: PickledDType,
             shape: tuple[int, ...], fortran: bool) -> None:
        """Check the description against the number of bytes and keep it."""
        if isinstance(raw, str):
            raw = raw.encode('latin-1')
        if isinstance(raw, bytes | bytearray):
            raw = RawBytes.of(raw)
        shape = tuple(shape)
        needed = math.prod(shape) * dtype.dtype.itemsize
        if not isinstance(raw, RawBytes) or raw.size != needed or any(
                side < 0 for side in shape):
            raise BrokenPickleError(
                f'an array of shape {shape} and type {dtype.dtype} needs '
                f'{needed} bytes, got {getattr(raw, "size", type(raw))}')
        self.__init__(raw, dtype.dtype, shape, fortran)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        data = b''
        if self.raw is not None:
            data, = self.raw.windows([0], self.raw.size)
        if len(data) != math.prod(self.shape) * self.dtype.itemsize:
            raise BrokenPickleError('the file ends inside an array')
        array = np.frombuffer(data, self.dtype).reshape(
            self.shape, order='F' if self.fortran else 'C')
        return array.astype(dtype) if dtype is not None else array.copy()

    def chunks(self,
               rows: np.ndarray,
               size: int = 512) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read some rows of a 2-D array, a window of the file at a time.

        Args:
            rows (np.ndarray): The rows wanted, in any order, repeats allowed.
            size (int): Rows a window; windows without a wanted row are
                skipped. Default: 512.

        Yields:
            tuple[np.ndarray, np.ndarray]: Positions in ``rows`` and the rows
            that belong there, (n,) and (n, columns).

        Raises:
            BrokenPickleError: The file ends before the last row.
        """
        if self.fortran or self.raw is None:
            yield np.arange(len(rows)), np.asarray(self)[rows]
            return
        order = np.argsort(rows, kind='stable')
        windows, first = np.unique(rows[order] // size, return_index=True)
        groups = np.split(order, first[1:]) if len(order) else []
        width = self.shape[1] * self.dtype.itemsize
        reader = self.raw.windows((windows * size * width).tolist(),
                                  size * width)
        for window, group, data in zip(windows, groups, reader, strict=True):
            block = np.frombuffer(data[:len(data) // width * width],
                                  self.dtype).reshape(-1, self.shape[1])
            local = rows[group] - window * size
            if len(local) and local.max() >= len(block):
                raise BrokenPickleError('the file ends inside an array')
            yield group, block[local]


__all__ = ['PickledArray', 'PickledDType', 'RawBytes']
