"""Reads the NumPy arrays of a pickle without running what the pickle says.

A pickle is a program. Of its instructions only those that build plain values, tuples, lists,
dictionaries and arrays are understood here; every name it asks for must be one of the few below,
and stands for a function of this file, never for the named object. Memory stays within the size
of the file: arrays are views of bytes that are in it.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from s2e_training.errors import TrainingError

MAX_BYTES = 200_000_000
"""A day of poses at 4 Hz has 10 MB."""
MAX_OPCODES = 5_000_000
"""A list of positions as plain floats takes about 3 instructions each."""
KINDS = 'biuf'
"""Kinds of NumPy types that are numbers."""
OPCODES = frozenset([
    'PROTO', 'FRAME', 'STOP', 'MARK', 'POP', 'POP_MARK', 'PUT', 'BINPUT', 'LONG_BINPUT',
    'MEMOIZE', 'GET', 'BINGET', 'LONG_BINGET', 'NONE', 'NEWTRUE', 'NEWFALSE', 'INT', 'BININT',
    'BININT1', 'BININT2', 'LONG', 'LONG1', 'FLOAT', 'BINFLOAT', 'STRING', 'BINSTRING',
    'SHORT_BINSTRING', 'UNICODE', 'BINUNICODE', 'SHORT_BINUNICODE', 'BINBYTES', 'SHORT_BINBYTES',
    'BINBYTES8', 'BYTEARRAY8', 'EMPTY_LIST', 'APPEND', 'APPENDS', 'LIST', 'EMPTY_TUPLE', 'TUPLE',
    'TUPLE1', 'TUPLE2', 'TUPLE3', 'EMPTY_DICT', 'DICT', 'SETITEM', 'SETITEMS', 'GLOBAL',
    'STACK_GLOBAL', 'REDUCE', 'BUILD',
])
"""Left out above all: INST, OBJ, NEWOBJ, EXT*, PERSID, DUP: arrays never use them."""


class _Type:
    """Stands for numpy.dtype: remembers a plain numeric type."""

    def __init__(self, *given: Any) -> None:
        name = given[0] if given else None
        if isinstance(name, bytes):
            name = name.decode('ascii')
        if not isinstance(name, str) or len(name) > 8:
            raise TrainingError(f'a number type must have a short name, got {name!r}')
        try:
            self.value = np.dtype(name)
        except TypeError as error:
            raise TrainingError(f'{name!r} is no number type') from error
        if self.value.kind not in KINDS or self.value.hasobject:
            raise TrainingError(f'arrays must be of numbers, got {name!r}')

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ('<', '>', '|', '='):
            raise TrainingError(f'a number type must state its byte order, got {state!r:.60}')
        if state[1] in '<>':
            self.value = self.value.newbyteorder(state[1])


class _Array:
    """Stands for an array that is being rebuilt."""

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise TrainingError('an array must have a state of 5 entries')
        _, shape, kind, fortran, data = state
        self.value = _array(data, kind, shape, 'F' if fortran else 'C')


def _array(data: Any, kind: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(kind, _Type) or not isinstance(data, (bytes, bytearray, str)):
        raise TrainingError('an array must be bytes of a number type')
    if not isinstance(shape, tuple) or not 0 <= len(shape) <= 4 or not all(
        isinstance(n, int) and 0 <= n <= MAX_BYTES for n in shape
    ):
        raise TrainingError(f'an array must have up to 4 sizes, got {shape!r:.60}')
    raw = data.encode('latin-1') if isinstance(data, str) else data
    count = 1
    for n in shape:
        count *= n
    if count * kind.value.itemsize != len(raw) or kind.value.itemsize == 0:
        raise TrainingError(
            f'an array of shape {shape} and type {kind.value} needs '
            f'{count * kind.value.itemsize} bytes, got {len(raw)}'
        )
    return np.frombuffer(raw, kind.value).reshape(shape, order='F' if order == 'F' else 'C')


def _reconstruct(*given: Any) -> _Array:
    return _Array()


def _scalar(kind: Any, data: Any = b'') -> Any:
    return _array(data, kind, (), 'C').item()


def _encode(text: Any, codec: Any = 'latin1') -> bytes:
    if not isinstance(text, str) or codec not in ('latin1', 'latin-1'):
        raise TrainingError('bytes of an old pickle must be latin1 text')
    return text.encode('latin-1')


def _no_bytes(*given: Any) -> bytes:
    if given:
        raise TrainingError('calls bytes with arguments, which is refused')
    return b''


def _no_call(*given: Any) -> None:
    raise TrainingError('calls numpy.ndarray, which is refused')


class _Callable:
    """A function that a pickle may call but not change."""

    __slots__ = ('_run',)
    _run: Callable[..., Any]

    def __init__(self, run: Callable[..., Any]) -> None:
        object.__setattr__(self, '_run', run)

    def __call__(self, *given: Any) -> Any:
        return self._run(*given)

    def __setattr__(self, name: str, value: Any) -> None:
        raise TrainingError(f'changes {name} of a function, which is refused')

    def __setstate__(self, state: Any) -> None:
        raise TrainingError('changes a function, which is refused')


_CORES = ('numpy.core', 'numpy._core')
ALLOWED = {
    ('numpy', 'ndarray'): _Callable(_no_call),
    ('numpy', 'dtype'): _Callable(_Type),
    ('__builtin__', 'bytes'): _Callable(_no_bytes),  # how protocol 2 writes empty bytes
    ('_codecs', 'encode'): _Callable(_encode),
    **{(f'{core}.multiarray', '_reconstruct'): _Callable(_reconstruct) for core in _CORES},
    **{(f'{core}.multiarray', 'scalar'): _Callable(_scalar) for core in _CORES},
    **{(f'{core}.numeric', '_frombuffer'): _Callable(_array) for core in _CORES},
}
"""Names a pickle may ask for, and what stands for them."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of an allowed name."""
        if (module, name) not in ALLOWED:
            raise TrainingError(f'asks for {module}.{name}, which is refused; nothing was run')
        return ALLOWED[module, name]


def read_pickled_arrays(path: Path) -> dict[str, Any]:
    """Read a dictionary of arrays, numbers, strings and lists.

    Raises:
        TrainingError: Too large, damaged, or it asks for anything but number arrays.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise TrainingError(f'{path}: may have {MAX_BYTES} bytes, got {size}')
        data = path.read_bytes()
    except OSError as error:
        raise TrainingError(f'{path}: cannot be read: {error.strerror}') from error
    try:
        _check_opcodes(data)
        value = _Unpickler(io.BytesIO(data), encoding='latin1').load()
        found = _Unwrap()(value)
    except TrainingError as error:
        raise TrainingError(f'{path}: pickle {error}') from error
    except Exception as error:  # a damaged pickle raises nearly anything
        raise TrainingError(f'{path}: is no readable pickle: {error!r:.200}') from error
    if not isinstance(found, dict):
        raise TrainingError(f'{path}: must hold a dictionary, got {type(found).__name__}')
    return found


def _check_opcodes(data: bytes) -> None:
    """Walk the program without running it."""
    for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name not in OPCODES:
            raise TrainingError(f'uses the instruction {opcode.name}, which is refused')
        if number > MAX_OPCODES:
            raise TrainingError(f'may have {MAX_OPCODES} instructions, has more')
        # The C unpickler's memo grows to the largest index: 4 GB for one wild number.
        if opcode.name in ('PUT', 'BINPUT', 'LONG_BINPUT') and int(argument or 0) > number:
            raise TrainingError(f'numbers its memory wildly: {argument} at instruction {number}')


class _Unwrap:
    """Replaces stand-ins by what they hold; counts, since shared lists multiply when copied."""

    def __init__(self) -> None:
        self._left = MAX_OPCODES

    def __call__(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if depth > 8 or self._left < 0:
            raise TrainingError(f'is nested more than 8 deep or holds over {MAX_OPCODES} values')
        if isinstance(value, _Array):
            if value.value is None:
                raise TrainingError('holds an array without content')
            return value.value
        if isinstance(value, dict):
            return {str(key): self(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self(item, depth + 1) for item in value]
        if value is None or isinstance(value, (bool, int, float, str, bytes, np.ndarray)):
            return value
        raise TrainingError(f'holds a {type(value).__name__}, which is no number')
