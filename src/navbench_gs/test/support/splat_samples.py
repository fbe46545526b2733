"""Clouds to write, files of every newer format, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from splat_writers import compressed_ply_bytes, ksplat_bytes, spz_bytes

from navbench_gs.splats import GaussianCloud, harmonics, save_splat


def sample_cloud(count: int, degree: int, seed: int = 0) -> GaussianCloud:
    """Return a random cloud whose values every format can hold, kinds of extremes included."""
    rng = np.random.default_rng([seed, degree])
    quats = rng.normal(size=(count, 4))
    # Turns about one axis, and none: components that are exactly zero.
    quats[: count // 8, 2:] = 0.0
    quats[: count // 16, 1] = 0.0
    sh = np.clip(0.25 * rng.normal(size=(count, (degree + 1) ** 2, 3)), -0.95, 0.95)
    sh[:, 0] *= 1.5
    return GaussianCloud(
        np.clip(1.5 * rng.normal(size=(count, 3)), -6.0, 6.0),
        quats / np.linalg.norm(quats, axis=1, keepdims=True),
        np.exp(rng.uniform(-6.0, -1.0, (count, 3))),
        rng.uniform(0.0, 1.0, count),
        sh,
    )


def written_files(folder: Path) -> dict[str, Path]:
    """Write one sample of each newer format and version; return the files by name."""
    makers = {f'spz {version}': (spz_bytes, version, 'spz') for version in (1, 2, 3, 4)}
    makers |= {f'ksplat {level}': (ksplat_bytes, level, 'ksplat') for level in (0, 1, 2)}
    files = {}
    for degree in (0, 2, 3):
        cloud = sample_cloud(400, degree)
        for name, (make, option, suffix) in makers.items():
            if degree == (3 if suffix == 'ksplat' else 2):
                continue
            path = folder / f'{name.replace(" ", "")}_{degree}.{suffix}'
            path.write_bytes(make(cloud, option))
            files[f'{name} degree {degree}'] = path
        if degree != 2:
            path = folder / f'compressed_{degree}.compressed.ply'
            path.write_bytes(compressed_ply_bytes(cloud))
            files[f'compressed ply degree {degree}'] = path
        if degree == 0:
            path = folder / 'plain.splat'
            save_splat(path, cloud)
            files['splat'] = path
    return files


def summary(
    means: np.ndarray, quats: np.ndarray, scales: np.ndarray, opacities: np.ndarray, sh: np.ndarray
) -> dict[str, list[float] | int]:
    """Return the count, mean and quantiles (5, 25, 50, 75, 95 %); for higher SH the mean."""
    columns = {
        'positions': means,
        'rotations': np.abs(quats / np.linalg.norm(quats, axis=1, keepdims=True)),
        'log_scales': np.log(scales),
        'opacities': opacities[:, None],
        'colours': 0.5 + harmonics.C0 * sh[:, 0],
    }
    result: dict[str, list[float] | int] = {'count': len(means)}
    for name, values in columns.items():
        wide = np.asarray(values, dtype=np.float64)
        rows = np.vstack([wide.mean(axis=0), np.quantile(wide, [0.05, 0.25, 0.5, 0.75, 0.95], 0)])
        result[name] = [float(f'{value:.7g}') for value in rows.ravel()]
    rest = sh[:, 1:].reshape(len(sh), -1).astype(np.float64)
    result['mean_sh'] = [float(f'{value:.7g}') for value in rest.mean(axis=0)]
    return result
