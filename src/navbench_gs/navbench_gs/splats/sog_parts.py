"""What versions 1 and 2 of SOG share: sections of meta.json, images, positions, rotations."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.fileset import FileSet
from navbench_gs.splats.image_codec import decode_rgba
from navbench_gs.splats.quaternion_code import unpack_smallest_three
from navbench_gs.splats.validation import finite_numbers, require

MAX_PALETTE = 65536
PALETTE_COLUMNS = 64
BYTES_PER_PIXEL = 8
"""An image file takes no more than this and `IMAGE_OVERHEAD`: its pixels are 4 bytes each."""
IMAGE_OVERHEAD = 1 << 20
LARGEST_TAG = 252
"""Alpha of a rotation pixel is this plus the index of the largest component."""

Uint8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Section:
    """One entry of meta.json: its raw mapping, named for messages."""

    source: str
    key: str
    values: dict[str, object]

    def file(self, index: int, count: int) -> str:
        """Return one of the `count` image names of the section."""
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
        """Return a list of `length` finite numbers."""
        return finite_numbers(self.values.get(name), length, self.source, f'{self.key}.{name}')

    def codebook(self) -> NDArray[np.float32]:
        """Return the 256 values that bytes stand for."""
        # Values beyond float32 become infinite, which the check on the cloud refuses.
        with np.errstate(over='ignore'):
            return self.numbers('codebook', 256).astype(np.float32)


def parse_json(data: bytes, source: str) -> dict[str, object]:
    """Parse a JSON object of a splat file; SplatFormatError when it is none."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SplatFormatError(f'{source}: must be JSON, got {str(error)[:80]}') from error
    require(isinstance(value, dict), source, 'must hold a JSON object', type(value).__name__)
    return dict(value)


def section(meta: dict[str, object], key: str, source: str) -> Section:
    """Return the section `key` of meta.json; SplatFormatError when it is no object."""
    value = meta.get(key)
    require(isinstance(value, dict), source, f'{key} must be an object', type(value).__name__)
    return Section(source, key, dict(value) if isinstance(value, dict) else {})


@dataclass(frozen=True)
class ImageReader:
    """Reads the per-gaussian images of one data set."""

    files: FileSet
    prefix: str
    count: int

    def pixels(self, name: str) -> Uint8:
        """Return the first `count` pixels of an image, `[count, 4]` RGBA."""
        source = f'{self.files.name}/{self.prefix}{name}'
        # Encoders pad the last rows only; twice the count still bounds a crafted image.
        limit = 2 * self.count + 65536
        image = self.image(name, limit)
        held = image.shape[0] * image.shape[1]
        require(held >= self.count, source, f'the image must hold {self.count} pixels', held)
        return image.reshape(-1, 4)[: self.count]

    def image(self, name: str, max_pixels: int) -> Uint8:
        """Return a whole image, `[H, W, 4]` RGBA."""
        source = f'{self.files.name}/{self.prefix}{name}'
        limit = BYTES_PER_PIXEL * max_pixels + IMAGE_OVERHEAD
        return decode_rgba(self.files.read(self.prefix + name, limit), source, max_pixels)

    def palette(self, name: str, width: int, rows: int) -> Uint8:
        """Return a whole image of the given width and at least `rows` rows, `[H, W, 4]` RGBA."""
        source = f'{self.files.name}/{self.prefix}{name}'
        image = self.image(name, width * (rows + PALETTE_COLUMNS))
        fits = image.shape[1] == width and image.shape[0] >= rows
        require(fits, source, f'the palette must be {width} x {rows}', image.shape[1::-1])
        return image


def read_means(section: Section, reader: ImageReader) -> NDArray[np.float32]:
    """Return the positions `[N, 3]`: 16 bits per axis in the domain sign(x) ln(|x| + 1)."""
    low, high = section.numbers('mins', 3), section.numbers('maxs', 3)
    # |x| <= 1e7 m is ln(1e7 + 1) = 16.1 in the log domain; exp of more could overflow.
    worst = float(max(np.abs(low).max(), np.abs(high).max()))
    require(worst <= 17.0, section.source, 'means.mins and maxs must stay within +-17', worst)
    fine = reader.pixels(section.file(0, 2))[:, :3].astype(np.uint16)
    coarse = reader.pixels(section.file(1, 2))[:, :3].astype(np.uint16)
    fraction = (fine | (coarse << 8)).astype(np.float64) / 65535.0
    values = low + (high - low) * fraction
    return (np.sign(values) * np.expm1(np.abs(values))).astype(np.float32)


def read_quats(section: Section, reader: ImageReader) -> NDArray[np.float32]:
    """Return the rotations `[N, 4]` (wxyz)."""
    pixels = reader.pixels(section.file(0, 1))
    largest = pixels[:, 3].astype(np.int64) - LARGEST_TAG
    valid = largest >= 0
    require(
        bool(valid.all()), section.source, 'quats alpha must be 252..255', pixels[~valid, 3][:1]
    )
    three = (pixels[:, :3] / np.float32(127.5) - np.float32(1.0)) * np.float32(np.sqrt(0.5))
    return unpack_smallest_three(three, largest).astype(np.float32)


def palette_colours(
    image: Uint8, labels: Uint8, values: NDArray[np.float32], size: int, source: str
) -> NDArray[np.float32]:
    """Look the SH bands above the constant one up, `[N, 3 | 8 | 15, 3]`.

    Args:
        image: `[rows, 64 K, 4]` palette, K pixels per entry.
        labels: `[N, 4]` low and high byte of each gaussian's entry in the first two channels.
        values: `[256]` what a byte of the palette stands for.
        size: number of entries.
        source: file name for messages.
    """
    width = image.shape[1] // PALETTE_COLUMNS
    entries = image[:, :, :3].reshape(-1, width, 3)
    index = labels[:, 0].astype(np.int64) | (labels[:, 1].astype(np.int64) << 8)
    worst = int(index.max(initial=0))
    require(worst < size, source, f'shN labels must stay below {size}', worst)
    return np.asarray(values[entries][index])
