"""Shared fixtures: where the real captures lie, and clouds to test with."""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from scipy.spatial import cKDTree
from transforms3d.euler import euler2mat

from navbench_gs.render import RenderCamera
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.splats import GaussianCloud, load
from s2e_core.paths import find_config

# On a busy machine drawing an example may take seconds: no test is bound to a clock.
settings.register_profile('s2e', deadline=None, max_examples=60,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('s2e')

# Modules that several test files share.
sys.path.append(str(Path(__file__).parent / 'support'))


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


def _garden(file: Path, count: int) -> tuple[GaussianCloud, np.ndarray, np.ndarray, list[int]]:
    """Give points of gsplat's garden sizes, turns and SH; also return lenses, poses and size."""
    data = np.load(file, allow_pickle=False)
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.permutation(len(data['means3d']))[:count])
    points = data['means3d'][chosen]
    # As training starts: as wide as the neighbours are far; then longer or flatter.
    near = cKDTree(points).query(points, k=4)[0][:, 1:].mean(axis=1)
    quats = rng.normal(size=(count, 4))
    sh = 0.3 * rng.normal(size=(count, 16, 3))
    sh[:, 0] = (data['colors'][chosen] / 255.0 - 0.5) / 0.28209479177387814
    cloud = GaussianCloud(
        points,
        quats / np.linalg.norm(quats, axis=1, keepdims=True),
        near[:, None] * np.exp(rng.uniform(-2.5, -0.3, (count, 3))),
        rng.uniform(0.001, 1.0, count),
        sh,
    )
    return cloud, data['Ks'], data['viewmats'], [int(data['width']), int(data['height'])]


@pytest.fixture(scope='session')
def render_view(
    real_data: Callable[[str], Path], random_cloud: Callable[..., GaussianCloud]
) -> Callable[[str], tuple[GaussianCloud, RenderCamera]]:
    """Return a function from a name (`VIEWS`) to a cloud and a camera that sees it."""

    def view(name: str) -> tuple[GaussianCloud, RenderCamera]:
        kind, _, number = name.rpartition(' ')
        pose = np.eye(4)
        if kind == 'garden':
            file = real_data('posed_images/gsplat_garden/test_garden.npz')
            cloud, lenses, world_to_camera, (width, height) = _garden(file, 1500)
            which = int(number)
            lens = lenses[which % 3]
            # The fourth looks through a corner of its image: principal point outside.
            cx, cy = (lens[0, 2], lens[1, 2]) if which < 3 else (-90.0, height + 70.0)
            pose = np.linalg.inv(world_to_camera[which % 3].astype(np.float64))
            return cloud, RenderCamera(width, height, lens[0, 0], lens[1, 1], cx, cy, pose)
        place, angles, lens = {
            'train-1000 0': ((0.0, 0.0, -4.0), (0.0, 0.0, 0.0), (90.0, 90.0, 64.0, 48.0)),
            'train-1000 1': ((0.5, 0.2, -1.0), (0.3, -0.4, 0.2), (50.0, 55.0, 64.0, 48.0)),
            'train-1000 2': ((-1.0, 0.0, -2.0), (0.1, 0.3, 0.0), (110.0, 110.0, 150.0, -20.0)),
            'random 0': ((0.1, 0.2, -3.0), (0.0, 0.0, 0.0), (60.0, 60.0, 64.0, 48.0)),
            'random 1': ((0.0, 0.1, 0.0), (0.4, 2.0, -0.3), (40.0, 50.0, -10.0, 110.0)),
        }[name]
        pose[:3, :3], pose[:3, 3] = euler2mat(*angles), place
        real = kind == 'train-1000'
        file = real_data('splats/fixtures/train-1000.ply') if real else None
        cloud = load(file) if file else random_cloud(600, 3)
        return cloud, RenderCamera(128, 96, *lens, pose)

    return view


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


@pytest.fixture
def only_yard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name of a scene mean the yard of `support/yard.py`."""
    from yard import make_yard

    modules = ('scenes.resolve', 'runner.bench', 'runner.replay', 'runner.resume')
    # All are imported first: one that is imported in between would keep what it found.
    found = [importlib.import_module(f'navbench_gs.{module}') for module in modules]
    for module in found:
        monkeypatch.setattr(module, 'resolve_scene', lambda spec: make_yard())


@pytest.fixture(scope='session')
def hurry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A protocol of routes of 8 to 10 m and no more time than top speed takes: 5.3 to 6.7 s."""
    text = find_config('navbench/default.yaml').read_text()
    for old, new in (
        ('time_base: 20.0', 'time_base: 0.0'), ('time_factor: 2.5', 'time_factor: 1.0'),
        ('geodesic_low: 10.0', 'geodesic_low: 8.0'),
        ('geodesic_high: 30.0', 'geodesic_high: 10.0'),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp('protocol') / 'hurry.yaml'
    path.write_text(text)
    return str(path)
