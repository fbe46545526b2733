"""Importing captures: made rooms with known walls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer import ImportOptions, import_capture
from navbench_gs.scenes.importer.grid import FineGrid
from navbench_gs.scenes.importer.ground import ground_height, seen_from_above
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


def flat_grid(side: int = 60, resolution: float = 0.1) -> FineGrid:
    """A square of cells whose coarse floor lies at 0."""
    return FineGrid(np.zeros(2), resolution, np.zeros((side, side)), np.ones((side, side), bool))


def test_windows_are_odd_numbers_of_cells() -> None:
    """0.9 m at 0.1 m: 9; at 0.2 m: 4.5, so 5 of 3 and 5; below a cell: that cell."""
    assert flat_grid(resolution=0.1).count(0.9) == 9
    assert flat_grid(resolution=0.2).count(0.9) == 5
    assert flat_grid(resolution=0.5).count(0.2) == 1


def test_cells_of_points() -> None:
    """(0.25, 0.31) lies in column 2, row 3: 3 x 60 + 2; what lies outside has none."""
    place, inside = flat_grid().cells(np.array([[0.25, 0.31, 9.0], [-0.01, 1.0, 0.0]]))
    assert place.tolist() == [182] and inside.tolist() == [True, False]


def test_floor_of_what_shows() -> None:
    """Ground at 0.2 m on a guess of 0; a gap of 0.5 m through which one sees -0.2 m; a low table
    of 0.8 m at 0.55 m; a podium of 2.4 m at 0.4 m, which is floor too."""
    seen = np.full((60, 60), 0.2)
    seen[10:15, 10:15] = -0.2
    seen[40:48, 10:18] = 0.55
    seen[18:42, 30:54] = 0.4
    seen[50, 50] = np.nan
    height = ground_height(seen, flat_grid())
    assert height[12, 12] == pytest.approx(0.2, abs=0.02)
    assert height[44, 14] == pytest.approx(0.2, abs=0.02)
    assert height[50, 50] == pytest.approx(0.2, abs=0.01)
    assert height[30, 42] == pytest.approx(0.4, abs=0.01)
    assert height[5, 50] == pytest.approx(0.2, abs=1e-6)


def test_nothing_shows_near_the_guess() -> None:
    """The guess is all there is: everything that shows lies a metre above, or nothing does."""
    for seen in (np.full((60, 60), 1.0), np.full((60, 60), np.nan)):
        assert (ground_height(seen, flat_grid()) == 0.0).all()


def test_depth_from_above_by_hand(tmp_path: Path) -> None:
    """The floor lies at 0, the post's end at 1.0 m, the table's top at 0.7 m; not the ceiling."""
    cloud = room()
    floor = np.full((60, 110), 0.0)
    grid = FineGrid(np.array([-0.5, -0.5]), 0.1, floor, np.ones_like(floor, bool))
    seen = seen_from_above(cloud, grid)
    assert seen[15, 15] == pytest.approx(0.0, abs=0.03)
    assert seen[45, 22] == pytest.approx(0.7, abs=0.03)
    assert np.isnan(seen[1, 1])


def test_pavement_over_stray_matter_is_no_obstacle(tmp_path: Path) -> None:
    """Small askew gaussians are the pavement from (3.4, 3.4) to (4.4, 4.4); large level ones lie
    0.25 m below. Level matter alone would put the floor down there and the pavement in the way."""
    cloud, rng = room(), np.random.default_rng(0)
    spot = (np.abs(cloud.means[:, :2] - 3.9) < 0.5).all(axis=1) & (cloud.means[:, 2] < 0.01)
    count = 900
    fine = np.column_stack([rng.uniform(3.4, 4.4, (count, 2)), rng.normal(0.0, 0.01, count)])
    quats = rng.normal(size=(count, 4))
    low = np.column_stack([rng.uniform(3.2, 4.6, (60, 2)), np.full(60, -0.25)])
    grey = np.full((count, 3), 0.5)
    detail = GaussianCloud.from_rgb(
        fine, quats / np.linalg.norm(quats, axis=1, keepdims=True),
        np.tile([0.05, 0.04, 0.004], (count, 1)), np.full(count, 0.95), grey,
    )
    stray = GaussianCloud.from_rgb(
        low, np.tile([1.0, 0.0, 0.0, 0.0], (60, 1)), np.tile([0.3, 0.3, 0.004], (60, 1)),
        np.full(60, 0.95), grey[:60],
    )
    save_ply(tmp_path / 'room.ply',
             GaussianCloud.concatenate([cloud.select(~spot), detail, stray]))
    scene = import_capture(tmp_path / 'room.ply', tmp_path / 'out', ImportOptions(up='+z'))
    patch = np.stack(np.meshgrid(np.arange(3.5, 4.35, 0.1), np.arange(3.5, 4.35, 0.1)), axis=-1)
    rows, columns = scene.collision.cell(patch.reshape(-1, 2)).T
    assert not scene.collision.occupancy[rows, columns].any()
    around = scene.collision.floor(np.array([[3.0, 3.0]]))[0]
    floor = scene.collision.floor(patch.reshape(-1, 2))
    # Askew gaussians of 0.05 m stick out of the pavement by about that.
    assert np.abs(floor - around).max() < 0.1


def test_the_gardens_path_has_nothing_on_it_that_does_not_show(
    real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    """Spots of bare pavement, looked at from the robot's height, and things that stand there."""
    scene = import_capture(real_data('splats/scenes/headquarter_garden'), tmp_path / 'garden')
    collision = scene.collision
    for bare in ((5.45, -56.6), (9.9, 7.2), (5.6, -55.9), (10.3, 6.6)):
        assert not collision.occupancy[tuple(collision.cell(np.array(bare)))], bare
    for thing in ((-1.8, -16.5), (8.3, -58.2), (0.0, -30.0)):
        assert collision.occupancy[tuple(collision.cell(np.array(thing)))], thing
