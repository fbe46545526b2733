"""Walked ground: floor and free where the photos were taken, whatever the splats show there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer import ImportOptions, import_capture
from navbench_gs.scenes.importer.walked import walked_line
from navbench_gs.splats import GaussianCloud, save_ply

HEIGHT = 1.6


def street(tmp_path: Path) -> Path:
    """Two facades 6 m apart along x = 0..20, no ground, haze of 1 m radius at (10, 0, 1)."""
    x, z = (axis.ravel() for axis in np.meshgrid(np.arange(0, 20, 0.1), np.arange(0, 3, 0.1)))
    walls = np.concatenate([np.column_stack([x, np.full(len(x), y), z]) for y in (-3.0, 3.0)])
    haze = np.array([10.0, 0.0, 1.0]) + np.random.default_rng(0).normal(0, 0.3, (300, 3))
    points = np.concatenate([walls, haze])
    scales = np.full((len(points), 3), 0.06)
    scales[: len(walls), 1] = 0.01
    cloud = GaussianCloud.from_rgb(
        points, np.tile([1.0, 0, 0, 0], (len(points), 1)), scales, np.full(len(points), 0.95),
        np.full((len(points), 3), 0.5),
    )
    save_ply(tmp_path / 'street.ply', cloud)
    # Walking along x on ground that climbs 1 m in 20; y down in the camera, z ahead.
    looks = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    cameras = [
        {'position': [x, 0.0, HEIGHT + 0.05 * x], 'rotation': looks} for x in np.arange(1, 20, 3.0)
    ]
    (tmp_path / 'cameras.json').write_text(json.dumps(cameras))
    return tmp_path / 'street.ply'


def test_without_ground_in_the_splats_the_walk_is_free(tmp_path: Path) -> None:
    capture = street(tmp_path)
    with pytest.raises(SceneError, match=r'floor|free ground'):
        import_capture(capture, tmp_path / 'dry', ImportOptions(up='+z', scale=1.0))
    options = ImportOptions(up='+z', scale=1.0, walked=HEIGHT)
    grid = import_capture(capture, tmp_path / 'out', options).collision
    line = np.column_stack([np.arange(1.5, 18.5, 0.5), np.zeros(34)])
    # A disc of 0.3 m drives the walked line, through where the haze hung.
    assert grid.free(0.3)[tuple(grid.cell(line).T)].all()
    # 5 cm a metre along x.
    rise = grid.floor(np.array([[17.0, 0.0]])) - grid.floor(np.array([[3.0, 0.0]]))
    assert float(rise[0]) == pytest.approx(0.7, abs=0.05)
    # Two metres beside it nobody walked.
    assert not grid.free(0.05)[tuple(grid.cell(line + [0.0, 1.5]).T)].any()


def test_haze_stays_where_nobody_walked(tmp_path: Path) -> None:
    capture = street(tmp_path)
    cameras = json.loads((tmp_path / 'cameras.json').read_text())
    for camera in cameras:
        camera['position'][1] = 1.5
    (tmp_path / 'cameras.json').write_text(json.dumps(cameras))
    options = ImportOptions(up='+z', scale=1.0, walked=HEIGHT)
    grid = import_capture(capture, tmp_path / 'out', options).collision
    assert bool(grid.occupancy[tuple(grid.cell(np.array([10.0, 0.0])))])


def test_points_lie_under_the_camera_and_gaps_stay_open() -> None:
    positions = np.array([[0.0, 0, 1.5], [1.0, 0, 1.5], [40.0, 0, 2.5], [41.0, 0, 2.5]])
    line = walked_line(positions, 1.5)
    # 1 m in steps of at most 0.3 m: four steps, five points, twice; nothing over the 39 m between.
    assert len(line) == 10
    np.testing.assert_allclose(line[:5, 0], [0, 0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(line[[0, 9], 2], [0.0, 1.0])
    with pytest.raises(SceneError, match='at most 15'):
        walked_line(positions[[0, 2]], 1.5)
    with pytest.raises(SceneError, match='walked must lie in'):
        ImportOptions(walked=0.0)
