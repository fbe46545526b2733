"""PlayCanvas SOG version 2: quantised attributes in lossless images, described by meta.json.

Format: developer.playcanvas.com, user manual, "The SOG Format". Images hold one gaussian per
pixel in row-major order; `means` are 16-bit in a symmetric log domain, `scales` and colours
index 256-entry codebooks, rotations store the three smaller components, higher SH bands index
a palette of whole coefficient sets.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.fileset import FileSet
from navbench_gs.splats.sog_parts import (
    MAX_PALETTE,
    PALETTE_COLUMNS,
    ImageReader,
    Section,
    palette_colours,
    parse_json,
    read_means,
    read_quats,
    section,
)
from navbench_gs.splats.sog_v1 import read_sog_v1
from navbench_gs.splats.validation import check_count, cloud_from_file_values, require

MAX_META_BYTES = 4 * 1024 * 1024


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
    if version is None and isinstance(meta.get('means'), dict):
        return read_sog_v1(files, meta_name, meta)
    require(version == 2, source, 'version must be 2', repr(version)[:20])
    count = check_count(meta.get('count'), source)
    folder = meta_name.rpartition('/')[0]
    reader = ImageReader(files, f'{folder}/' if folder else '', count)
    colours, opacities = _read_sh0(section(meta, 'sh0', source), reader)
    if meta.get('shN') is not None:
        rest = _read_palette(section(meta, 'shN', source), reader)
        sh = np.concatenate([colours[:, None, :], rest], axis=1)
    else:
        sh = colours[:, None, :]
    return cloud_from_file_values(
        source,
        read_means(section(meta, 'means', source), reader),
        read_quats(section(meta, 'quats', source), reader),
        _read_scales(section(meta, 'scales', source), reader),
        opacities,
        sh,
    )


def _read_scales(section: Section, reader: ImageReader) -> NDArray[np.float32]:
    codebook = section.codebook()
    return np.asarray(codebook[reader.pixels(section.file(0, 1))[:, :3]])


def _read_sh0(
    section: Section, reader: ImageReader
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    codebook = section.codebook()
    pixels = reader.pixels(section.file(0, 1))
    return codebook[pixels[:, :3]], pixels[:, 3].astype(np.float32) / np.float32(255.0)


def _read_palette(section: Section, reader: ImageReader) -> NDArray[np.float32]:
    """Return the SH bands above the constant one, `[N, 3 | 8 | 15, 3]`."""
    bands, size = section.values.get('bands'), section.values.get('count')
    source = section.source
    require(bands in (1, 2, 3), source, 'shN.bands must be 1, 2 or 3', repr(bands)[:20])
    sized = isinstance(size, int) and 0 < size <= MAX_PALETTE
    require(sized, source, f'shN.count must lie in 1..{MAX_PALETTE}', repr(size)[:20])
    assert isinstance(bands, int)
    assert isinstance(size, int)
    width = (bands + 1) ** 2 - 1
    codebook = section.codebook()
    rows = -(-size // PALETTE_COLUMNS)
    image = reader.palette(section.file(0, 2), PALETTE_COLUMNS * width, rows)[:rows]
    return palette_colours(image, reader.pixels(section.file(1, 2)), codebook, size, source)
