"""Checks on untrusted splat data, and the one place where raw file values become a cloud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.rotation import normalised

MAX_GAUSSIANS = 16_000_000
"""Largest count a file may claim: a degree-3 cloud of this size takes 3.8 GB."""
MAX_COORDINATE = 1.0e7
"""Largest |coordinate| and standard deviation, metres: sky shells reach 1e4, float32 keeps 1 m."""
MIN_SCALE = 1.0e-8
"""Standard deviations below this, metres, are raised to it: flat ones may be exp(-inf)."""


def require(condition: bool, source: str, rule: str, value: object) -> None:
    """Raise `SplatFormatError` naming the file, the broken rule and the value received."""
    if not condition:
        raise SplatFormatError(f'{source}: {rule}, got {brief(value)}')


def brief(value: object) -> str:
    """Return a value for a message, cut to 160 characters: hostile files make long ones."""
    text = str(value)
    return text if len(text) <= 160 else f'{text[:157]}...'


def check_count(count: object, source: str) -> int:
    """Return a gaussian count after checking its type and bounds."""
    is_integer = isinstance(count, int) and not isinstance(count, bool)
    require(is_integer, source, 'the gaussian count must be an integer', repr(count)[:40])
    number = int(count) if isinstance(count, int) else 0
    require(
        0 < number <= MAX_GAUSSIANS,
        source,
        f'the gaussian count must lie in 1..{MAX_GAUSSIANS}',
        number if abs(number) < 10**18 else 'a number beyond 10^18',
    )
    return number


def _check_finite(array: NDArray[np.floating], source: str, name: str) -> None:
    bad = ~np.isfinite(array)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        require(False, source, f'{name} must be finite', f'{array[row]} at gaussian {row}')


def cloud_from_file_values(
    source: str,
    means: NDArray[np.floating],
    quats: NDArray[np.floating],
    log_scales: NDArray[np.floating],
    opacities: NDArray[np.floating],
    sh: NDArray[np.floating],
) -> GaussianCloud:
    """Build a cloud from decoded file columns.

    Args:
        source: file name for messages.
        means: `[N, 3]`.
        quats: `[N, 4]` wxyz, any length.
        log_scales: `[N, 3]` natural logarithm of the standard deviations.
        opacities: `[N]` in [0, 1].
        sh: `[N, K, 3]`.

    Raises:
        SplatFormatError: a value is not finite or beyond `MAX_COORDINATE`.
    """
    require(sh.shape[1] in harmonics.COEFFICIENTS, source, 'SH must be of degree 0..3', sh.shape)
    require(not bool(np.isnan(log_scales).any()), source, 'scales must be numbers', 'NaN')
    with np.errstate(over='ignore'):
        scales = np.maximum(np.exp(np.asarray(log_scales, dtype=np.float32)), MIN_SCALE)
    for array, name in (
        (means, 'positions'),
        (quats, 'rotations'),
        (scales, 'scales'),
        (opacities, 'opacities'),
        (sh, 'colours'),
    ):
        _check_finite(array, source, name)
    for array, name in ((means, 'positions'), (scales, 'scales')):
        worst = float(np.abs(array).max(initial=0.0))
        require(worst <= MAX_COORDINATE, source, f'{name} must stay below 1e7 m', worst)
    return GaussianCloud(
        means.astype(np.float32, copy=False),
        normalised(quats).astype(np.float32),
        scales,
        np.clip(opacities, 0.0, 1.0).astype(np.float32, copy=False),
        sh.astype(np.float32, copy=False),
    )


def finite_numbers(
    values: object, length: int | None, source: str, key: str
) -> NDArray[np.float64]:
    """Return a JSON list of numbers as an array `[length]` (any length when None)."""
    rule = f'{key} must be a list of {"" if length is None else str(length) + " "}finite numbers'
    require(isinstance(values, list), source, rule, type(values).__name__)
    items: Sequence[object] = values if isinstance(values, list) else []
    require(length is None or len(items) == length, source, rule, f'{len(items)} entries')
    numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in items)
    require(numeric, source, rule, 'an entry of another type')
    try:
        array = np.array(items, dtype=np.float64)
    except OverflowError:
        raise SplatFormatError(f'{source}: {rule}, got an integer beyond float range') from None
    require(bool(np.isfinite(array).all()), source, rule, 'NaN or infinity')
    return array
