"""The header of a binary little-endian .ply, and rows of scalar properties below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.validation import check_count, require

MAGIC = b'ply'
MAX_HEADER_BYTES = 16384
_TYPES = {
    'float': '<f4', 'float32': '<f4', 'double': '<f8', 'float64': '<f8',
    'uchar': 'u1', 'uint8': 'u1', 'char': 'i1', 'int8': 'i1',
    'short': '<i2', 'int16': '<i2', 'ushort': '<u2', 'uint16': '<u2',
    'int': '<i4', 'int32': '<i4', 'uint': '<u4', 'uint32': '<u4',
}  # fmt: skip


@dataclass(frozen=True)
class PlyElement:
    """A table of the file: its name, number of rows, their layout and where they start."""

    name: str
    count: int
    row: np.dtype[np.void]
    offset: int

    @property
    def names(self) -> tuple[str, ...]:
        """Property names in file order."""
        return self.row.names or ()


def read_header(path: Path) -> dict[str, PlyElement]:
    """Read the header of a file and check that all its rows are there.

    Raises:
        SplatFormatError: the header breaks a rule, or the file is shorter than it says.
    """
    try:
        size = path.stat().st_size
        with path.open('rb') as stream:
            elements = parse_header(stream.read(MAX_HEADER_BYTES), path.name)
    except OSError as error:
        raise SplatFormatError(f'{path.name}: the file must be readable, got {error}') from error
    for element in elements.values():
        needed = element.offset + element.count * element.row.itemsize
        rule = f'{element.count} {element.name} rows need {needed} bytes'
        require(size >= needed, path.name, rule, f'{size} bytes')
    return elements


def parse_header(data: bytes, source: str) -> dict[str, PlyElement]:
    """Parse the first bytes of a file into its elements, in file order.

    Raises:
        SplatFormatError: the header breaks a rule of the format or of this reader.
    """
    end = data.find(b'end_header', 0, MAX_HEADER_BYTES)
    require(end >= 0, source, f'end_header must come within {MAX_HEADER_BYTES} bytes', 'none')
    newline = data.find(b'\n', end, end + 16)
    require(newline >= 0, source, 'end_header must end its line', 'end of file')
    lines = data[:end].decode('ascii', errors='replace').split('\n')
    words = [line.split() for line in lines if line.strip()]
    formats = [line[1:] for line in words if line[0] == 'format']
    known = formats == [['binary_little_endian', '1.0']]
    require(known, source, 'format must be binary_little_endian 1.0', formats)
    counts: dict[str, int] = {}
    fields: dict[str, list[tuple[str, str]]] = {}
    for line in words:
        if line[0] == 'element':
            name, count = _parse_element(line, source)
            require(name not in counts, source, 'elements must differ', name)
            counts[name], fields[name] = count, []
        elif line[0] == 'property' and fields:
            scalar = len(line) == 3 and line[1] in _TYPES
            require(scalar, source, 'properties must be scalars', ' '.join(line)[:60])
            last = next(reversed(fields.values()))
            last.append((line[2], _TYPES[line[1]]))
    require('vertex' in counts, source, 'there must be a vertex element', list(counts))
    return _lay_out(counts, fields, newline + 1, source)


def _parse_element(line: list[str], source: str) -> tuple[str, int]:
    shaped = len(line) == 3 and line[2].isascii() and line[2].isdigit()
    require(shaped, source, 'an element must have a name and a count', ' '.join(line)[:60])
    # Nine digits hold any permitted count; longer text is not worth converting.
    require(len(line[2]) <= 9, source, f'the {line[1][:20]} count must be sane', line[2][:20])
    return line[1], check_count(int(line[2]), source)


def _lay_out(
    counts: dict[str, int], fields: dict[str, list[tuple[str, str]]], offset: int, source: str
) -> dict[str, PlyElement]:
    elements = {}
    for name, count in counts.items():
        names = [field for field, _ in fields[name]]
        require(bool(names), source, f'{name} must have properties', 'none')
        require(len(set(names)) == len(names), source, f'{name} properties must differ', names[:8])
        row = np.dtype(fields[name])
        elements[name] = PlyElement(name, count, row, offset)
        offset += count * row.itemsize
    return elements


def read_rows(path: Path, element: PlyElement) -> NDArray[np.void]:
    """Read the rows of an element whose length `read_header` has checked."""
    return np.fromfile(path, dtype=element.row, count=element.count, offset=element.offset)
