"""A synthetic street for timing: as many gaussians as asked, laid out like a city block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats import GaussianCloud

Floats = NDArray[np.float64]


def _discs(
    rng: np.random.Generator, centres: Floats, normal: int, size: float, colour: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return centres, scales and colours of flat gaussians facing along one axis."""
    scales = size * rng.uniform(0.6, 1.3, (len(centres), 3))
    scales[:, normal] = 0.01
    colours = np.clip(colour + rng.normal(0.0, 0.08, (len(centres), 3)), 0.0, 1.0)
    return centres, scales, colours


def make_street(count: int, seed: int = 0) -> GaussianCloud:
    """Build a 120 m street along x with side streets, facades and trees.

    Args:
        count: number of gaussians: 35 % ground, 50 % facades, 15 % trees.
        seed: of the random generator.

    Returns:
        A cloud of SH degree 0, metres, z up, ground at z = 0, street centre at y = 0.
    """
    rng = np.random.default_rng(seed)
    ground, facade = int(0.35 * count), int(0.5 * count)
    trees = count - ground - facade
    parts = []
    floor = np.stack(
        [rng.uniform(-60, 60, ground), rng.uniform(-20, 20, ground), np.zeros(ground)], axis=1
    )
    # Spacing that covers the area: one disc of sigma ~ 0.6 spacing per cell.
    parts.append(
        _discs(rng, floor, 2, 0.7 * float(np.sqrt(120 * 40 / ground)), np.array([0.4, 0.4, 0.42]))
    )
    for side in (-1.0, 1.0):
        number = facade // 2
        x, z = rng.uniform(-60, 60, number), rng.uniform(0, 15, number)
        # A side street every 30 m: its walls run away from the main street.
        mouth = np.abs((x + 15.0) % 30.0 - 15.0) < 4.0
        y = np.where(mouth, rng.uniform(10, 40, number), 10.0) * side
        x = np.where(mouth, np.round(x / 30.0) * 30.0 + 4.0 * np.sign(rng.normal(size=number)), x)
        wall = np.stack([x, y, z], axis=1)
        window = (np.sin(2.0 * x) > 0.2) & (np.sin(1.6 * z) > 0.0)
        colour = np.where(window[:, None], [0.2, 0.25, 0.3], [0.7, 0.6, 0.5])
        size = 0.7 * float(np.sqrt(2 * 120 * 15 / facade))
        for chosen, normal in ((mouth, 0), (~mouth, 1)):
            parts.append(_discs(rng, wall[chosen], normal, size, colour[chosen]))
    stem = rng.integers(0, 24, trees)
    crown = rng.normal(0.0, 0.9, (trees, 3)) + np.stack(
        [stem * 5.0 - 57.5, np.where(stem % 2 == 0, -6.0, 6.0), np.full(trees, 4.5)], axis=1
    )
    parts.append(
        (
            crown,
            0.05 * rng.uniform(0.5, 2.0, (trees, 3)),
            np.clip([0.2, 0.4, 0.15] + rng.normal(0, 0.08, (trees, 3)), 0, 1),
        )
    )
    means, scales, colours = (np.concatenate(column) for column in zip(*parts, strict=True))
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (len(means), 1))
    return GaussianCloud.from_rgb(
        means, quats, scales, rng.uniform(0.7, 0.99, len(means)), colours
    )
