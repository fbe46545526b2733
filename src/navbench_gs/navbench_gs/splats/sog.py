"""PlayCanvas SOG version 2: quantised attributes in lossless images, described by meta.json.

Format: developer.playcanvas.com, user manual, "The SOG Format". Images hold one gaussian per
pixel in row-major order; `means` are 16-bit in a symmetric log domain, `scales` and colours
index 256-entry codebooks, rotations store the three smaller components, higher SH bands index
a palette of whole coefficient sets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.fileset import FileSet
from navbench_gs.splats.image_codec import decode_rgba
from navbench_gs.splats.validation import (
    check_count,
    cloud_from_file_values,
    finite_numbers,
    require,
)

MAX_META_BYTES = 4 * 1024 * 1024
MAX_PALETTE = 65536
PALETTE_COLUMNS = 64
SMALLEST_THREE = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Components stored in R, G, B when component 0..3 (wxyz) is the largest."""
LARGEST_TAG = 252
"""Alpha of a rotation pixel is this plus the index of the largest component."""

Uint8 = NDArray[np.uint8]


@dataclass(frozen=True)
class _Section:
    """One entry of meta.json: its raw mapping, named for messages."""

    source: str
    key: str
    values: dict[str, object]

    def file(self, index: int, count: int) -> str:
        files = self.values.get('files')
        named = (
            isinstance(files, list)
            and len(files) == count
            and all(isinstance(name, str) for name in files)
        )
        require(named, self.source, f'{self.key}.files must name {count} images', repr(files)[:80])
        assert isinstance(files, list)
        return str(files[index])

    def numbers(self, name: str, length: int) -> NDArray[np.float64]:
        return finite_numbers(self.values.get(name), length, self.source, f'{self.key}.{name}')


def parse_json(data: bytes, source: str) -> dict[str, object]:
    """Parse a JSON object of a splat file; SplatFormatError when it is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SplatFormatError(f'{source}: must be JSON, got {str(error)[:80]}') from error
    require(isinstance(value, dict), source, 'must hold a JSON object', type(value).__name__)
    return dict(value)


def _section(meta: dict[str, object], key: str, source: str) -> _Section:
    value = meta.get(key)
    require(isinstance(value, dict), source, f'{key} must be an object', type(value).__name__)
    return _Section(source, key, dict(value) if isinstance(value, dict) else {})


def read_sog(files: FileSet, meta_name: str = 'meta.json') -> GaussianCloud:
    """Read one SOG version 2 data set.

    Args:
        files: folder or archive that holds the images.
        meta_name: the description's name in it; image names are relative to its folder.

    Raises:
        SplatFormatError: the data break a rule of the format.
    """
    source = f'{files.name}/{meta_name}'
    meta = parse_json(files.read(meta_name, MAX_META_BYTES), source)
    version = meta.get('version')
    require(version == 2, source, 'version must be 2', repr(version)[:20])
    count = check_count(meta.get('count'), source)
    folder = meta_name.rpartition('/')[0]
    reader = _ImageReader(files, f'{folder}/' if folder else '', count)
    colours, opacities = _read_sh0(_section(meta, 'sh0', source), reader)
    if meta.get('shN') is not None:
        rest = _read_palette(_section(meta, 'shN', source), reader)
        sh = np.concatenate([colours[:, None, :], rest], axis=1)
    else:
        sh = colours[:, None, :]
    return cloud_from_file_values(
        source,
        _read_means(_section(meta, 'means', source), reader),
        _read_quats(_section(meta, 'quats', source), reader),
        _read_scales(_section(meta, 'scales', source), reader),
        opacities,
        sh,
    )


@dataclass(frozen=True)
class _ImageReader:
    """Reads the per-gaussian images of one data set."""

    files: FileSet
    prefix: str
    count: int

    def pixels(self, name: str) -> Uint8:
        """Return the first `count` pixels of an image, `[count, 4]` RGBA."""
        source = f'{self.files.name}/{self.prefix}{name}'
        # Encoders pad the last rows only; twice the count still bounds a crafted image.
        limit = 2 * self.count + 65536
        image = decode_rgba(self.files.read(self.prefix + name), source, limit)
        held = image.shape[0] * image.shape[1]
        require(held >= self.count, source, f'the image must hold {self.count} pixels', held)
        return image.reshape(-1, 4)[: self.count]

    def palette(self, name: str, width: int, rows: int) -> Uint8:
        """Return a whole image of the given width and at least `rows` rows, `[H, W, 4]` RGBA."""
        source = f'{self.files.name}/{self.prefix}{name}'
        limit = width * (rows + PALETTE_COLUMNS)
        image = decode_rgba(self.files.read(self.prefix + name), source, limit)
        fits = image.shape[1] == width and image.shape[0] >= rows
        require(fits, source, f'the palette must be {width} x {rows}', image.shape[1::-1])
        return image


def _read_means(section: _Section, reader: _ImageReader) -> NDArray[np.float32]:
    low, high = section.numbers('mins', 3), section.numbers('maxs', 3)
    # |x| <= 1e7 m is ln(1e7 + 1) = 16.1 in the log domain; exp of more could overflow.
    worst = float(max(np.abs(low).max(), np.abs(high).max()))
    require(worst <= 17.0, section.source, 'means.mins and maxs must stay within +-17', worst)
    fine = reader.pixels(section.file(0, 2))[:, :3].astype(np.uint16)
    coarse = reader.pixels(section.file(1, 2))[:, :3].astype(np.uint16)
    fraction = (fine | (coarse << 8)).astype(np.float64) / 65535.0
    values = low + (high - low) * fraction
    return (np.sign(values) * np.expm1(np.abs(values))).astype(np.float32)


def _read_quats(section: _Section, reader: _ImageReader) -> NDArray[np.float32]:
    pixels = reader.pixels(section.file(0, 1))
    largest = pixels[:, 3].astype(np.int64) - LARGEST_TAG
    valid = largest >= 0
    require(
        bool(valid.all()), section.source, 'quats alpha must be 252..255', pixels[~valid, 3][:1]
    )
    three = (pixels[:, :3] / np.float32(127.5) - np.float32(1.0)) * np.float32(np.sqrt(0.5))
    quats = np.empty((len(pixels), 4), dtype=np.float32)
    rows = np.arange(len(pixels))
    quats[rows[:, None], SMALLEST_THREE[largest]] = three
    quats[rows, largest] = np.sqrt(np.maximum(0.0, 1.0 - (three * three).sum(axis=1)))
    return quats


def _read_scales(section: _Section, reader: _ImageReader) -> NDArray[np.float32]:
    codebook = section.numbers('codebook', 256).astype(np.float32)
    return np.asarray(codebook[reader.pixels(section.file(0, 1))[:, :3]])


def _read_sh0(
    section: _Section, reader: _ImageReader
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    codebook = section.numbers('codebook', 256).astype(np.float32)
    pixels = reader.pixels(section.file(0, 1))
    return codebook[pixels[:, :3]], pixels[:, 3].astype(np.float32) / np.float32(255.0)


def _read_palette(section: _Section, reader: _ImageReader) -> NDArray[np.float32]:
    """Return the SH bands above the constant one, `[N, 3 | 8 | 15, 3]`."""
    bands, size = section.values.get('bands'), section.values.get('count')
    source = section.source
    require(bands in (1, 2, 3), source, 'shN.bands must be 1, 2 or 3', repr(bands)[:20])
    sized = isinstance(size, int) and 0 < size <= MAX_PALETTE
    require(sized, source, f'shN.count must lie in 1..{MAX_PALETTE}', repr(size)[:20])
    assert isinstance(bands, int)
    assert isinstance(size, int)
    width = (bands + 1) ** 2 - 1
    codebook = section.numbers('codebook', 256).astype(np.float32)
    rows = -(-size // PALETTE_COLUMNS)
    image = reader.palette(section.file(0, 2), PALETTE_COLUMNS * width, rows)
    entries = image[:rows, :, :3].reshape(rows * PALETTE_COLUMNS, width, 3)
    pixels = reader.pixels(section.file(1, 2))
    labels = pixels[:, 0].astype(np.int64) | (pixels[:, 1].astype(np.int64) << 8)
    worst = int(labels.max(initial=0))
    require(worst < size, source, f'shN labels must stay below {size}', worst)
    return np.asarray(codebook[entries][labels])
