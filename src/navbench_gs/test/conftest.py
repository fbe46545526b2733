"""Shared fixtures: where the real captures lie, and clouds to test with."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.splats import GaussianCloud


@pytest.fixture(scope='session')
def real_data() -> Callable[[str], Path]:
    """Return a function that finds a file of the shared data, or skips the test."""
    root = Path(os.environ.get('S2E_DATA', Path(__file__).resolve().parents[4] / 'shared/data'))

    def find(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f'real data absent: {path} (set S2E_DATA to the data folder)')
        return path

    return find


@pytest.fixture(scope='session')
def random_cloud() -> Callable[..., GaussianCloud]:
    """Return a function that makes a cloud of a given size, SH degree and seed."""

    def make(count: int, degree: int = 0, seed: int = 0, spread: float = 1.0) -> GaussianCloud:
        rng = np.random.default_rng(seed)
        quats = rng.normal(size=(count, 4))
        return GaussianCloud(
            spread * rng.normal(size=(count, 3)),
            quats / np.linalg.norm(quats, axis=1, keepdims=True),
            np.exp(rng.uniform(-5.0, -1.5, (count, 3))),
            rng.uniform(0.02, 1.0, count),
            0.4 * rng.normal(size=(count, (degree + 1) ** 2, 3)),
        )

    return make


@pytest.fixture(scope='session')
def block_scene() -> SceneBundle:
    """A 60 x 60 m walled square with nine blocks of 10 m, streets of 8 m; no picture."""
    occupied = np.zeros((600, 600), bool)
    occupied[[0, -1]] = occupied[:, [0, -1]] = True
    for row in (60, 240, 420):
        for column in (60, 240, 420):
            occupied[row : row + 100, column : column + 100] = True
    collision = CollisionMap(
        0.1,
        np.zeros(2),
        occupied,
        np.zeros(occupied.shape, np.float32),
        ~occupied,
        np.zeros((0, 7), np.float32),
    )
    cells = np.argwhere(collision.free(0.8))
    cells = cells[np.random.default_rng(0).choice(len(cells), 400, replace=False)]
    return SceneBundle(
        root=Path('blocks'),
        name='blocks',
        kind='generated',
        seed=0,
        source='test',
        licence='CC0-1.0',
        metric=True,
        gaussians=0,
        hash='blocks',
        collision=collision,
        spawn=collision.centre(cells),
    )
