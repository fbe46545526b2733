"""PlayCanvas SOG version 1: as version 2, with linear ranges in place of codebooks."""

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
    read_means,
    read_quats,
    section,
)
from navbench_gs.splats.validation import (
    check_count,
    cloud_from_file_values,
    finite_numbers,
    require,
)


def read_sog_v1(files: FileSet, meta_name: str, meta: dict[str, object]) -> GaussianCloud:
    """Read a SOG version 1 data set whose meta.json (without a version) is already parsed.

    Raises:
        SplatFormatError: the data break a rule of the format.
    """
    source = f'{files.name}/{meta_name}'
    means = section(meta, 'means', source)
    shape = means.values.get('shape')
    shaped = isinstance(shape, list) and len(shape) == 2
    require(shaped, source, 'means.shape must be [count, 3]', repr(shape)[:40])
    assert isinstance(shape, list)
    count = check_count(shape[0], source)
    folder = meta_name.rpartition('/')[0]
    reader = ImageReader(files, f'{folder}/' if folder else '', count)
    look = _between(section(meta, 'sh0', source), reader, 4)
    sh = [look[:, None, :3]]
    if meta.get('shN') is not None:
        sh.append(_read_palette(section(meta, 'shN', source), reader))
    with np.errstate(over='ignore'):
        opacities = 1.0 / (1.0 + np.exp(-look[:, 3].astype(np.float64)))
    return cloud_from_file_values(
        source,
        read_means(means, reader),
        read_quats(section(meta, 'quats', source), reader),
        _between(section(meta, 'scales', source), reader, 3),
        opacities,
        np.concatenate(sh, axis=1),
    )


def _between(values: Section, reader: ImageReader, width: int) -> NDArray[np.float32]:
    """Return `[N, width]`: bytes placed between the section's mins and maxs per channel."""
    low, high = values.numbers('mins', width), values.numbers('maxs', width)
    fraction = reader.pixels(values.file(0, 1))[:, :width] / 255.0
    return _interpolated(low, high, fraction)


@np.errstate(over='ignore', invalid='ignore')
def _interpolated(
    low: NDArray[np.float64] | float,
    high: NDArray[np.float64] | float,
    fraction: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return values between two ends; ends beyond float32 give what the cloud's check refuses."""
    return np.asarray(low + (high - low) * fraction, dtype=np.float64).astype(np.float32)


def _read_palette(values: Section, reader: ImageReader) -> NDArray[np.float32]:
    """Return the SH bands above the constant one; the palette's width tells how many."""
    source = values.source
    ends = [values.values.get('mins'), values.values.get('maxs')]
    low, high = finite_numbers(ends, 2, source, 'shN.mins and maxs')
    image = reader.image(values.file(0, 2), 15 * (MAX_PALETTE + PALETTE_COLUMNS))
    allowed = [PALETTE_COLUMNS * width for width in (3, 8, 15)]
    known = image.shape[1] in allowed
    require(known, source, f'the palette must be one of {allowed} wide', image.shape[1])
    levels = _interpolated(low, high, np.arange(256) / 255.0)
    size = PALETTE_COLUMNS * image.shape[0]
    return palette_colours(image, reader.pixels(values.file(1, 2)), levels, size, source)
