"""Stand-ins that let the weights-only unpickler read the host's logs.

A checkpoint of the host holds, beside tensors and plain containers, log
histories (``HistoryBuffer``) made of numpy arrays. The names that such a pickle
uses are mapped to the harmless stand-ins of this module: ``getattr`` looks
nothing up, an array is rebuilt from checked bytes, and no numpy object ever
takes a state that the file chose. (numpy's own ``dtype.__setstate__`` accepts
flags, with which a file can make numpy treat bytes as object pointers.)
"""
import re
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer

_PLAIN_DTYPE = re.compile(r'[biuf](1|2|4|8)|c(8|16)')


class RefusedContentError(ValueError):
    """The pickle uses an allowed name for something that is not allowed."""


class PlainDtype:
    """A fixed-size number format: a letter, a size, an order of bytes."""

    def __init__(self, text: str, align: Any = False, copy: Any = False):
        if not isinstance(text, str) or not _PLAIN_DTYPE.fullmatch(text):
            raise RefusedContentError(
                f'array of type {text!r}; numbers and booleans are allowed')
        self.dtype = np.dtype(text)

    def __setstate__(self, state: tuple) -> None:
        order, rest = state[1], tuple(state[2:5])
        if order not in ('<', '>', '|', '=') or rest != (None, None, None):
            raise RefusedContentError('structured or unknown array type')
        self.dtype = self.dtype.newbyteorder(order)


class PlainArray:
    """The content of a pickled array, as numpy would have restored it."""

    def __init__(self, subtype: Any, shape: Any = (0, ), code: Any = b'b'):
        if subtype is not PlainArray:
            raise RefusedContentError('subclass of numpy.ndarray')
        self.value = np.zeros(0)

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, PlainDtype):
            raise RefusedContentError('array without a plain number type')
        values = np.frombuffer(bytes(data), dtype.dtype)
        order = 'F' if fortran else 'C'
        self.value = values.reshape(shape, order=order).copy(order=order)


def plain_scalar(dtype: PlainDtype, data: bytes) -> np.generic:
    """Rebuild one numpy number from its bytes."""
    if not isinstance(dtype, PlainDtype):
        raise RefusedContentError('numpy number without a plain type')
    return np.frombuffer(bytes(data), dtype.dtype, count=1)[0]


class PlainHistory(HistoryBuffer):
    """A log history that restores its numbers and nothing else.

    The host's class takes over any table of statistics functions that the file
    brings; here only the histories and the length limit are read.
    """

    def __setstate__(self, state: dict) -> None:
        HistoryBuffer.__init__(self, max_length=int(state['max_length']))
        self._log_history = _history(state['_log_history'])
        self._count_history = _history(state['_count_history'])
        self.__class__ = HistoryBuffer


def _history(value: Any) -> np.ndarray:
    if not isinstance(value, PlainArray) or value.value.ndim != 1:
        raise RefusedContentError('log history that is not an array of numbers')
    return value.value


def statistics_name(owner: Any, name: Any) -> str:
    """Stand in for ``getattr`` on a log history, without a look-up."""
    if owner is not PlainHistory or not isinstance(name, str):
        raise RefusedContentError('getattr on what is no log history')
    return name


def empty_bytes() -> bytes:
    """Stand in for ``bytes``, which a file calls for an empty array."""
    return b''


def replace_arrays(value: Any) -> Any:
    """Put numpy arrays where the unpickler left their stand-ins."""
    if isinstance(value, PlainArray):
        return value.value
    if isinstance(value, dict):
        for key in value:
            value[key] = replace_arrays(value[key])
    elif isinstance(value, list):
        value[:] = [replace_arrays(item) for item in value]
    elif type(value) is tuple:
        return tuple(replace_arrays(item) for item in value)
    return value


def _allow_list() -> list[tuple[Any, str]]:
    # The second item is the name in the file, the first what stands for it.
    allowed = [
        (PlainHistory, 'mmengine.logging.history_buffer.HistoryBuffer'),
        (PlainArray, 'numpy.ndarray'), (PlainDtype, 'numpy.dtype'),
        (statistics_name, 'builtins.getattr'),
        (empty_bytes, 'builtins.bytes')]
    for core in ('numpy.core', 'numpy._core'):
        allowed += [(PlainArray, f'{core}.multiarray._reconstruct'),
                    (plain_scalar, f'{core}.multiarray.scalar')]
    return allowed


ALLOW_LIST = _allow_list()

__all__ = ['ALLOW_LIST', 'RefusedContentError', 'replace_arrays']
