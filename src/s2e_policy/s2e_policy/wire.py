"""Finds the files an ONNX graph wants to read, without building the graph.

An ONNX file may keep tensors in other files. A bundle from elsewhere could name any file of the
machine there, so the names are read first, by walking the protobuf wire format (field numbers
from onnx.proto3), and only then is the graph opened.
"""

from __future__ import annotations

from collections.abc import Iterator

from s2e_policy.errors import PolicyError

_EXTERNAL = 'external'
_CHILDREN: dict[str, dict[int, str]] = {
    'model': {7: 'graph', 25: 'function'},
    'function': {7: 'node'},
    'graph': {1: 'node', 5: 'tensor', 15: 'sparse'},
    'node': {5: 'attribute'},
    'attribute': {5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse'},
    'sparse': {1: 'tensor', 2: 'tensor'},
    'tensor': {13: _EXTERNAL},
}
_MAX_DEPTH = 32


def external_locations(model: bytes) -> set[str]:
    """List the file names in which a graph's tensors lie.

    Args:
        model: Bytes of a ``.onnx`` file.

    Raises:
        PolicyError: The bytes are no protobuf message or nest too deeply.
    """
    found: set[str] = set()
    _walk(memoryview(model), 'model', found, 0)
    return found


def _walk(data: memoryview, kind: str, found: set[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise PolicyError(f'ONNX graph: nesting may be {_MAX_DEPTH} deep, got more')
    children = _CHILDREN[kind]
    for number, payload in _fields(data):
        child = children.get(number)
        if child is None or payload is None:
            continue
        if child == _EXTERNAL:
            entry = {n: bytes(p) for n, p in _fields(payload) if p is not None}
            if entry.get(1) == b'location':
                found.add(entry.get(2, b'').decode('utf-8', 'replace'))
        else:
            _walk(payload, child, found, depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Yield field numbers with the bytes of length-delimited fields, None for the others."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            _, position = _varint(data, position)
            yield number, None
            continue
        if wire == 2:
            size, position = _varint(data, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise PolicyError(f'ONNX graph: wire type {wire} is not protobuf')
        if position + size > len(data):
            raise PolicyError('ONNX graph: a field runs past the end of the file')
        yield number, data[position:position + size] if wire == 2 else None
        position += size


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise PolicyError('ONNX graph: a number runs past the end of the file')
