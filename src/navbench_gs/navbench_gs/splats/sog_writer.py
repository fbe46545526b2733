"""Write PlayCanvas SOG version 2 bundles: about 15 bytes per gaussian of SH degree 0."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.codebook import build_codebook, build_palette, nearest_entry
from navbench_gs.splats.image_codec import encode_rgba
from navbench_gs.splats.quaternion_code import SMALLEST_THREE
from navbench_gs.splats.sog_parts import LARGEST_TAG, PALETTE_COLUMNS

Uint8 = NDArray[np.uint8]

# A fixed time stamp keeps equal clouds equal to the byte.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_sog(path: str | Path, cloud: GaussianCloud) -> None:
    """Write a cloud as a bundled `.sog`; the same cloud gives the same bytes.

    Positions keep 16 bits per axis in the format's log domain, scales and colours 256 levels
    each, rotations 8 bits per component, opacity 8 bits. SH of degree 1 and up becomes a palette
    of at most 4096 sets. Gaussians are stored in the order given.

    Raises:
        SplatFormatError: the cloud is empty, or larger than an image can hold.
    """
    count = len(cloud)
    if not 0 < count <= 16383 * 16383:
        raise SplatFormatError(f'{path}: a SOG holds 1..16383^2 gaussians, got {count}')
    meta: dict[str, object] = {'version': 2, 'asset': {'generator': 'navbench_gs'}}
    meta['count'] = count
    images: dict[str, Uint8] = {}
    meta['means'] = _means(cloud, images)
    meta['scales'] = _scales(cloud, images)
    meta['quats'] = _quats(cloud, images)
    meta['sh0'] = _sh0(cloud, images)
    if cloud.sh_degree:
        meta['shN'] = _palette(cloud, images)
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as bundle:
        _write(bundle, 'meta.json', json.dumps(meta, separators=(',', ':')).encode('ascii'))
        for name, pixels in images.items():
            _write(bundle, name, encode_rgba(pixels))


def _write(bundle: zipfile.ZipFile, name: str, data: bytes) -> None:
    bundle.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), data)


def _image(values: NDArray[np.integer], alpha: NDArray[np.integer] | int = 255) -> Uint8:
    """Lay `[N, C]` bytes (C <= 3) and alpha out as a near-square `[H, W, 4]` image."""
    count = len(values)
    # A width divisible by four is what other encoders of this format write.
    width = min(-(-math.isqrt(max(count - 1, 0)) // 4) * 4 + 4, 16380)
    height = -(-count // width)
    pixels = np.zeros((height * width, 4), dtype=np.uint8)
    pixels[:, 3] = 255
    pixels[:count, : values.shape[1]] = values
    pixels[:count, 3] = alpha
    return pixels.reshape(height, width, 4)


def _means(cloud: GaussianCloud, images: dict[str, Uint8]) -> dict[str, object]:
    means = cloud.means.astype(np.float64)
    logs = np.sign(means) * np.log1p(np.abs(means))
    low, high = logs.min(axis=0), logs.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    words = np.rint((logs - low) / span * 65535.0).astype(np.int64)
    images['means_l.webp'] = _image(words & 0xFF)
    images['means_u.webp'] = _image(words >> 8)
    files = ['means_l.webp', 'means_u.webp']
    return {'mins': low.tolist(), 'maxs': (low + span).tolist(), 'files': files}


def _scales(cloud: GaussianCloud, images: dict[str, Uint8]) -> dict[str, object]:
    logs = np.log(cloud.scales.astype(np.float64))
    codebook = build_codebook(logs)
    images['scales.webp'] = _image(nearest_entry(logs, codebook))
    return {'codebook': codebook.tolist(), 'files': ['scales.webp']}


def _quats(cloud: GaussianCloud, images: dict[str, Uint8]) -> dict[str, object]:
    quats = cloud.quats.astype(np.float64)
    rows = np.arange(len(quats))
    largest = np.abs(quats).argmax(axis=1)
    # q and -q are one rotation; the dropped component must come out positive.
    quats = quats * np.where(quats[rows, largest] < 0.0, -1.0, 1.0)[:, None]
    three = quats[rows[:, None], SMALLEST_THREE[largest]]
    levels = np.rint((three * math.sqrt(2.0) + 1.0) * 127.5)
    levels = np.clip(levels, 0, 255).astype(np.int64)
    images['quats.webp'] = _image(levels, LARGEST_TAG + largest)
    return {'files': ['quats.webp']}


def _sh0(cloud: GaussianCloud, images: dict[str, Uint8]) -> dict[str, object]:
    colours = cloud.sh[:, 0].astype(np.float64)
    codebook = build_codebook(colours)
    opacity = np.rint(np.clip(cloud.opacities, 0.0, 1.0) * 255.0).astype(np.int64)
    images['sh0.webp'] = _image(nearest_entry(colours, codebook), opacity)
    return {'codebook': codebook.tolist(), 'files': ['sh0.webp']}


def _palette(cloud: GaussianCloud, images: dict[str, Uint8]) -> dict[str, object]:
    palette, labels = build_palette(cloud.sh[:, 1:].reshape(len(cloud), -1))
    codebook = build_codebook(palette.astype(np.float64))
    levels = nearest_entry(palette.astype(np.float64), codebook)
    size, width = len(palette), cloud.sh.shape[1] - 1
    rows = -(-size // PALETTE_COLUMNS)
    pixels = np.zeros((rows * PALETTE_COLUMNS, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    pixels[:size, :, :3] = levels.reshape(size, width, 3)
    images['shN_centroids.webp'] = pixels.reshape(rows, PALETTE_COLUMNS * width, 4)
    images['shN_labels.webp'] = _image(np.stack([labels & 0xFF, labels >> 8], axis=1))
    return {
        'count': size,
        'bands': cloud.sh_degree,
        'codebook': codebook.tolist(),
        'files': ['shN_centroids.webp', 'shN_labels.webp'],
    }
