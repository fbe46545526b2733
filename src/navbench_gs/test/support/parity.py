"""Comparison of a back end's pictures with the reference's, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from roundings import Outcome, Roundings

from navbench_gs.render import DynamicGroup, Frame, RenderCamera, make_renderer
from navbench_gs.splats import GaussianCloud

LEVELS = 1.0
"""Grey levels by which colours may differ: one rounding to 8 bits. Published: 4."""
COVERAGE = 1.0e-3
"""By which coverage may differ: a quarter of a grey level."""
DEPTH = 1.0e-4
"""By which depth may differ, relative."""
MEAN_LEVELS = 0.1
"""Mean difference of a picture; published: 1."""
MOST_BOUNDARY = 5.0e-3
"""Share of the pixels that may be boundary cases, and below a fifth of it beyond 4 levels."""


def assert_parity(
    cloud: GaussianCloud, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()
) -> Frame:
    """Compare the CPU renderer with the reference; return its picture.

    Raises:
        AssertionError: as in `assert_same`.
    """
    exact = make_renderer(cloud, backend='reference').render(camera, dynamic)
    fast = make_renderer(cloud, threads=1).render(camera, dynamic)
    assert_same(exact, fast, cloud, camera, dynamic)
    return fast


def assert_same(
    exact: Frame,
    fast: Frame,
    cloud: GaussianCloud,
    camera: RenderCamera,
    dynamic: Sequence[DynamicGroup] = (),
) -> None:
    """Compare a picture with the reference's within less than the published bounds.

    A pixel beyond them must be a boundary case (see `roundings`): equal, within the same bounds,
    to what the reference draws when a rounding decides the other way. So its difference is as
    large as that one decision makes it, and never larger.

    Raises:
        AssertionError: a pixel differs by more than rounding, or too many are boundary cases.
    """
    levels = np.abs(exact.rgb.astype(int) - fast.rgb.astype(int))
    assert levels.mean() <= MEAN_LEVELS
    doubtful = doubtful_pixels(exact, fast)
    assert doubtful.sum() <= max(MOST_BOUNDARY * doubtful.size, 1.0)
    assert (levels.max(axis=2) > 4).sum() <= max(0.2 * MOST_BOUNDARY * doubtful.size, 1.0)
    if not doubtful.any():
        return
    roundings = Roundings(cloud, camera, dynamic)
    for row, column in np.argwhere(doubtful):
        outcomes = roundings.outcomes(int(column), int(row))
        assert any(_is_outcome(fast, column, row, outcome) for outcome in outcomes), (
            f'pixel ({column}, {row}) is no boundary case: '
            f'rgb {exact.rgb[row, column]} became {fast.rgb[row, column]}, '
            f'alpha {exact.alpha[row, column]} {fast.alpha[row, column]}, '
            f'depth {exact.depth[row, column]} {fast.depth[row, column]}'
        )


def doubtful_pixels(exact: Frame, fast: Frame) -> NDArray[np.bool_]:
    """Return the pixels `[H, W]` that differ by more than rounding."""
    levels = np.abs(exact.rgb.astype(int) - fast.rgb.astype(int)).max(axis=2)
    coverage = np.abs(exact.alpha - fast.alpha)
    depth = ~np.isclose(fast.depth, exact.depth, rtol=DEPTH, atol=0.0)
    return np.asarray((levels > LEVELS) | (coverage > COVERAGE) | depth)


def _is_outcome(frame: Frame, column: int, row: int, outcome: Outcome) -> bool:
    levels = np.abs(255.0 * np.array(outcome.colour) - frame.rgb[row, column]).max()
    return bool(
        levels <= LEVELS
        and abs(outcome.alpha - frame.alpha[row, column]) <= COVERAGE
        and np.isclose(frame.depth[row, column], outcome.depth, rtol=DEPTH, atol=0.0)
    )


class ComparedRenderer:
    """Draws with the CPU renderer and compares every picture with the reference."""

    def __init__(self, cloud: GaussianCloud) -> None:
        self._cloud = cloud

    def render(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()) -> Frame:
        """Draw and compare one view; see `assert_same`."""
        return assert_parity(self._cloud, camera, dynamic)
