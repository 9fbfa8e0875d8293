"""A reader for pickles from strangers: arrays and plain containers, no code.

The archives of CIFAR are pickles, and a pickle can name any function of any
module and have it called. This reader knows the opcodes of containers, text and
numbers and the few names that NumPy's arrays are written with; it never imports
what a file names, and what it builds for those names are descriptions of its
own (:class:`PickledArray`).
"""
import io
import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

from .errors import BrokenPickleError, UnsafePickleError
from .pickled_array import PickledArray, PickledDType, RawBytes

# Strings of bytes from this size on are skipped and read when they are needed.
DEFER_BYTES = 1 << 16

_NDARRAY = object()


def _reconstruct(kind: object, shape: tuple, typecode: object) -> PickledArray:
    if kind is not _NDARRAY:
        raise BrokenPickleError('an array of an unknown class')
    return PickledArray()


def _frombuffer(raw: Any, dtype: PickledDType, shape: tuple,
                order: str) -> PickledArray:
    array = PickledArray()
    array.fill(raw, dtype, shape, order in ('F', b'F'))
    return array


def _encode(text: str, encoding: str) -> bytes:
    name = encoding.decode() if isinstance(encoding, bytes) else encoding
    if name.lower().replace('_', '-') not in ('latin1', 'latin-1'):
        raise UnsafePickleError(
            f'text is to be encoded as {name!r}; only latin-1 is accepted')
    return text.encode('latin-1')


_ALLOWED: dict[tuple[str, str], object] = {
    ('numpy', 'ndarray'): _NDARRAY,
    ('numpy', 'dtype'): PickledDType,
    ('_codecs', 'encode'): _encode,
}
for _core in ('numpy.core', 'numpy._core'):
    _ALLOWED[f'{_core}.multiarray', '_reconstruct'] = _reconstruct
    _ALLOWED[f'{_core}.numeric', '_frombuffer'] = _frombuffer
_CALLABLE = (_reconstruct, _frombuffer, _encode, PickledDType)

_OPCODES = (
    'PROTO STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT BININT '
    'BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING '
    'SHORT_BINSTRING SHORT_BINBYTES UNICODE '
    'BINUNICODE SHORT_BINUNICODE BINUNICODE8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 '
    'TUPLE3 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS '
    'EMPTY_SET ADDITEMS FROZENSET PUT BINPUT LONG_BINPUT GET BINGET '
    'LONG_BINGET MEMOIZE STACK_GLOBAL').split()
# These build objects, by name or by number, or ask the reader for one.
_REFUSED = (
    'INST OBJ NEWOBJ NEWOBJ_EX EXT1 EXT2 EXT4 PERSID BINPERSID NEXT_BUFFER '
    'READONLY_BUFFER').split()


def _code(name: str) -> int:
    return ord(getattr(pickle, name))


class _Unpickler(pickle._Unpickler):
    """The interpreter's own reader with its opcodes cut down to a list."""

    def __init__(self, file: BinaryIO, opener: Callable) -> None:
        super().__init__(file, fix_imports=False, encoding='bytes')
        self.file, self.opener = file, opener

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ALLOWED:
            raise UnsafePickleError(f'it asks for {module}.{name}')
        return _ALLOWED[module, name]

    def load_refused(self) -> None:
        raise UnsafePickleError('it asks for an object to be built')

    def load_unknown(self) -> None:
        raise BrokenPickleError('a byte that is no opcode of a pickle')

    def load_global(self) -> None:
        module, name = self.readline(), self.readline()
        if not name.endswith(b'\n'):
            raise EOFError('the file ends inside a name')
        self.append(
            self.find_class(module[:-1].decode(), name[:-1].decode()))

    def load_frame_header(self) -> None:
        # Frames only group reads; without them large arrays can be skipped.
        self.read(8)

    def load_reduce(self) -> None:
        args = self.stack.pop()
        if not any(self.stack[-1] is func for func in _CALLABLE):
            raise BrokenPickleError('it calls what is no function')
        self.stack[-1] = self.stack[-1](*args)

    def load_build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], PickledArray | PickledDType):
            raise BrokenPickleError('it sets the state of a plain value')
        self.stack[-1].set_state(state)

    def load_bytes(self, header: str) -> None:
        size, = struct.unpack(header, self.read(struct.calcsize(header)))
        if size < 0:
            raise BrokenPickleError('a string of negative length')
        if size < DEFER_BYTES:
            self.append(self.read(size))
            return
        self.append(RawBytes(self.opener, self.file.tell(), size))
        self.file.seek(size, io.SEEK_CUR)

    dispatch = dict.fromkeys(range(256), load_unknown)
    dispatch.update(dict.fromkeys(map(_code, _REFUSED), load_refused))
    dispatch.update((_code(name), pickle._Unpickler.dispatch[_code(name)])
                    for name in _OPCODES)
    dispatch[_code('GLOBAL')] = load_global
    dispatch[_code('FRAME')] = load_frame_header
    dispatch[_code('REDUCE')] = load_reduce
    dispatch[_code('BUILD')] = load_build
    for _name, _header in (('BINSTRING', '<i'), ('BINBYTES', '<I'),
                           ('BINBYTES8', '<Q'), ('BYTEARRAY8', '<Q')):
        dispatch[_code(_name)] = (
            lambda self, header=_header: self.load_bytes(header))


def _plain(value: Any, seen: dict[int, Any]) -> Any:
    """Decode Python 2's strings and refuse what is no plain value."""
    if isinstance(value, bytes):
        return value.decode('latin-1')
    if isinstance(value, dict | list | tuple | set | frozenset):
        # A container that is named many times is walked once.
        if id(value) not in seen:
            seen[id(value)] = _plain_container(value, seen)
        return seen[id(value)]
    if any(value is name for name in _ALLOWED.values()):
        raise BrokenPickleError('it holds a bare NumPy class')
    return value


def _plain_container(value: Any, seen: dict[int, Any]) -> Any:
    if isinstance(value, dict):
        return {
            _plain(key, seen): _plain(item, seen)
            for key, item in value.items()
        }
    return type(value)(_plain(item, seen) for item in value)


def load_pickle(opener: Callable[[], BinaryIO], path: str) -> Any:
    """Read a pickle of arrays and plain containers.

    Accepted are the dialects that array archives are found in: protocol 2 as
    written by Python 2 (bytes as latin-1 strings, ``numpy.core``) and by Python
    3 (``_codecs.encode``), protocols 3 to 5, and both of NumPy's module names.

    Args:
        opener (Callable): Returns a new binary file that can seek.
        path (str): The name of the file, for messages.

    Returns:
        Any: The containers, text as ``str``, arrays as :class:`PickledArray`,
        whose large ones are still on the disk.

    Raises:
        UnsafePickleError: The file names anything else; nothing of it ran.
        BrokenPickleError: The file is cut short or no such pickle.

    Example:
        >>> entry = load_pickle(lambda: open(path, 'rb'), path)
        >>> images = numpy.asarray(entry['data'])
    """
    try:
        with opener() as file:
            return _plain(_Unpickler(file, opener).load(), {})
    except UnsafePickleError as error:
        raise UnsafePickleError(
            f'{path} is refused: {error}. Only NumPy arrays, numbers, text and '
            'plain containers are read, and nothing in the file was run. Do '
            'not load it elsewhere; get the archive from its publisher.'
        ) from None
    except (EOFError, LookupError, TypeError, ValueError, AttributeError,
            OverflowError, RecursionError, MemoryError, struct.error,
            pickle.UnpicklingError) as error:
        raise BrokenPickleError(
            f'{path} cannot be read as an archive of arrays '
            f'({type(error).__name__}: {error}). It may be cut short or not '
            'the expected file: delete it and get it again.') from error


__all__ = ['DEFER_BYTES', 'load_pickle']
