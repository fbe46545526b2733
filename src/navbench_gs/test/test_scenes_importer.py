"""Importing captures: made rooms with known walls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer import ImportOptions, import_capture
from navbench_gs.scenes.importer.orient import find_up, rotation
from navbench_gs.splats import GaussianCloud, save_ply


def sheet(origin: tuple[float, ...], u: tuple[float, ...], v: tuple[float, ...]) -> np.ndarray:
    """Spread points 0.1 m apart over a parallelogram. [N, 3]"""
    a, b = np.array(u), np.array(v)
    grid = np.meshgrid(
        np.arange(0.05, np.linalg.norm(a), 0.1) / np.linalg.norm(a),
        np.arange(0.05, np.linalg.norm(b), 0.1) / np.linalg.norm(b),
    )
    return np.array(origin) + grid[0].reshape(-1, 1) * a + grid[1].reshape(-1, 1) * b


def room() -> GaussianCloud:
    """Two rooms of 5 x 5 m, joined by a door of 1 m at y = 2..3, a ramp in the second, a
    table and a post in the first, and a ceiling at 2.4 m; the floor rises from 0 to 0.5 m."""
    floor = sheet((0, 0, 0), (5, 0, 0), (0, 5, 0))
    ramp = sheet((5, 0, 0), (5, 0, 0.5), (0, 5, 0))
    walls = [
        sheet((0, 0, 0), (10, 0, 0), (0, 0, 2.4)),
        sheet((0, 5, 0), (10, 0, 0), (0, 0, 2.4)),
        sheet((0, 0, 0), (0, 5, 0), (0, 0, 2.4)),
        sheet((10, 0, 0), (0, 5, 0), (0, 0, 2.4)),
        sheet((5, 0, 0), (0, 2, 0), (0, 0, 2.4)),
        sheet((5, 3, 0), (0, 2, 0), (0, 0, 2.4)),
    ]
    ceiling = sheet((0, 0, 2.4), (10, 0, 0), (0, 5, 0))
    post = sheet((2.0, 1.0, 0), (0.2, 0, 0), (0, 0, 1.0))
    table = sheet((1.0, 3.5, 0.7), (1.5, 0, 0), (0, 1.0, 0))
    flat = np.concatenate([floor, ramp, ceiling, table])
    upright = np.concatenate([*walls, post])
    points = np.concatenate([flat, upright]).astype(np.float32)
    scales = np.full((len(points), 3), 0.06, np.float32)
    scales[: len(flat), 2] = 0.01
    quats = np.tile(np.array([1, 0, 0, 0], np.float32), (len(points), 1))
    grey = np.full((len(points), 3), 0.5, np.float32)
    return GaussianCloud.from_rgb(points, quats, scales, np.full(len(points), 0.95), grey)


def test_rooms_by_hand(tmp_path: Path) -> None:
    """Free where the floor is, blocked at walls and post, joined through the door."""
    save_ply(tmp_path / 'room.ply', room())
    bundle = import_capture(tmp_path / 'room.ply', tmp_path / 'out')
    grid = bundle.collision
    for xy, free in {
        (1.0, 2.5): True,
        (5.0, 2.5): True,
        (8.0, 2.5): True,  # first room, door, second room
        (5.0, 1.0): False,
        (5.0, 4.0): False,  # the wall between
        (2.1, 1.0): False,  # the post
        (-1.0, 2.5): False,
        (11.0, 2.5): False,  # outside
    }.items():
        assert bool(grid.clearance(np.array(xy)) > 0) is free, xy
    roam, _ = ndimage.label(grid.free(0.3))
    first, second = (roam[tuple(grid.cell(np.array(xy)))] for xy in ((1.0, 2.5), (8.0, 2.5)))
    assert first == second > 0
    # The ramp rises 0.5 m over 5 m: 0.3 m at x = 8.
    # The scene frame puts the median of the reachable floor at 0.
    rise = grid.floor(np.array([8.0, 2.5])) - grid.floor(np.array([1.0, 2.5]))
    assert float(rise) == pytest.approx(0.3, abs=0.06)
    assert abs(float(np.median(grid.floor(bundle.spawn)))) < 0.3
    assert bundle.metric is False


@pytest.mark.parametrize('up', ['-y', '+y', '-z', '+z'])
def test_up_axis_is_found(tmp_path: Path, up: str) -> None:
    """The same rooms stored with another axis up import to the same free area."""
    turn = np.eye(4)
    turn[:3, :3] = rotation(up).T
    turned = room().transformed(turn)
    assert find_up(turned) == up
    save_ply(tmp_path / 'turned.ply', turned)
    bundle = import_capture(tmp_path / 'turned.ply', tmp_path / 'out')
    assert bundle.notes['up'] == up
    assert 25.0 < bundle.notes['free_area_m2'] < 50.0


def test_scale_is_applied(tmp_path: Path) -> None:
    """Rooms stored in decimetres come out in metres and are marked metric."""
    enlarge = np.diag([10.0, 10.0, 10.0, 1.0])
    save_ply(tmp_path / 'big.ply', room().transformed(enlarge))
    bundle = import_capture(tmp_path / 'big.ply', tmp_path / 'out', ImportOptions(scale=0.1))
    assert bundle.metric is True
    assert 25.0 < bundle.notes['free_area_m2'] < 50.0


def test_level_of_detail_thins_the_picture_not_the_map(tmp_path: Path) -> None:
    path = tmp_path / 'room.ply'
    save_ply(path, room())
    whole = import_capture(path, tmp_path / 'whole')
    coarse = import_capture(path, tmp_path / 'coarse', ImportOptions(gaussians=1000))
    assert coarse.gaussians <= 1000 < whole.gaussians == len(room())
    assert coarse.notes['gaussians_capture'] == len(room())
    assert (coarse.root / 'collision.npz').read_bytes() == (
        whole.root / 'collision.npz').read_bytes()
    # Merged neighbours cover what their parts did: the middle of the room stays where it was.
    shift = np.abs(coarse.cloud().means.mean(axis=0) - whole.cloud().means.mean(axis=0))
    assert shift.max() < 0.2
    with pytest.raises(SceneError, match='got 999'):
        ImportOptions(gaussians=999)


def test_nothing_to_stand_on(tmp_path: Path) -> None:
    """A cloud without ground is refused with the area that was found."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (500, 3)).astype(np.float32)
    cloud = GaussianCloud.from_rgb(
        points,
        np.tile([1.0, 0, 0, 0], (500, 1)),
        np.full((500, 3), 0.02),
        np.ones(500),
        np.full((500, 3), 0.5),
    )
    save_ply(tmp_path / 'dust.ply', cloud)
    with pytest.raises(SceneError, match='free ground for a robot'):
        import_capture(tmp_path / 'dust.ply', tmp_path / 'out')


def test_wrong_path_and_truncated_file(tmp_path: Path) -> None:
    """One clear error each, naming the file."""
    with pytest.raises(SceneError, match='nowhere'):
        import_capture(tmp_path / 'nowhere', tmp_path / 'out')
    save_ply(tmp_path / 'room.ply', room())
    data = (tmp_path / 'room.ply').read_bytes()
    (tmp_path / 'cut.ply').write_bytes(data[: len(data) // 2])
    with pytest.raises(SceneError, match=r'cut\.ply'):
        import_capture(tmp_path / 'cut.ply', tmp_path / 'out')
