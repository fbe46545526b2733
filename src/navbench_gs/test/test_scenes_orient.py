"""What is up, how far it leans, and how long a unit is: made rooms, turned and scaled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transforms3d.axangles import axangle2mat

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer import ImportOptions, import_capture
from navbench_gs.scenes.importer.orient import find_tilt, find_up, floor_normal, wall_axis
from navbench_gs.scenes.importer.scale import find_scale, heights_above_ground, read_cameras
from navbench_gs.splats import GaussianCloud, save_ply


def sheet(size: tuple[float, float], pose: np.ndarray) -> GaussianCloud:
    """Flat splats 0.1 m apart over a rectangle in the xy plane of a pose."""
    a, b = (np.arange(-0.5 * side + 0.05, 0.5 * side, 0.1) for side in size)
    first, second = np.meshgrid(a, b)
    points = np.stack([first.ravel(), second.ravel(), np.zeros(first.size)], axis=1)
    count = len(points)
    return GaussianCloud.from_rgb(
        points, np.tile([1.0, 0, 0, 0], (count, 1)), np.tile([0.06, 0.06, 0.005], (count, 1)),
        np.full(count, 0.95), np.full((count, 3), 0.5),
    ).transformed(pose)


def placed(rotation: np.ndarray, at: tuple[float, float, float]) -> np.ndarray:
    """Return a pose. [4, 4]"""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, at
    return pose


def street(slope: float = 0.0, walls: bool = True) -> GaussianCloud:
    """A floor of 20 x 16 m that climbs along x, and ten walls, all plumb, at odd angles."""
    floor = sheet((20, 16), placed(axangle2mat((0, 1, 0), -np.arctan(slope)), (0, 0, 0)))
    if not walls:
        return floor
    upright = axangle2mat((1, 0, 0), np.pi / 2)
    around = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    parts = [
        sheet((4, 3), placed(axangle2mat((0, 0, 1), 2.4 * k) @ upright,
                             (8 * np.cos(turn), 6 * np.sin(turn), 1.5 + slope * 8 * np.cos(turn))))
        for k, turn in enumerate(around)
    ]
    return GaussianCloud.concatenate([floor, *parts])


def leaned(
    cloud: GaussianCloud, axis: tuple[float, float, float], degrees: float
) -> GaussianCloud:
    """Turn a cloud."""
    pose = np.eye(4)
    pose[:3, :3] = axangle2mat(axis, np.radians(degrees))
    return cloud.transformed(pose)


@settings(max_examples=12, deadline=None)
@given(
    slope=st.floats(-0.1, 0.1), degrees=st.floats(0.0, 20.0), turn=st.floats(0.0, 6.28),
)
def test_walls_tell_what_is_up_whatever_the_ground_does(
    slope: float, degrees: float, turn: float
) -> None:
    """A street that climbs by up to 10 %, leaning by up to 20 degrees, comes out plumb."""
    axis = (float(np.cos(turn)), float(np.sin(turn)), 0.0)
    cloud = leaned(street(slope), axis, degrees)
    up = find_tilt(cloud) @ axangle2mat(axis, np.radians(degrees)) @ (0, 0, 1)
    assert np.degrees(np.arccos(np.clip(up[2], -1, 1))) < 0.1


def test_without_walls_the_floor_tells_and_small_tilts_stay() -> None:
    """3 degrees may be a slope, 8 are not."""
    for degrees, removed in ((3.0, 0.0), (8.0, 8.0)):
        turn = find_tilt(leaned(street(walls=False), (1, 0, 0), degrees))
        angle = np.degrees(np.arccos(turn[2, 2]))
        assert angle == pytest.approx(removed, abs=0.1)


def test_walls_that_disagree_do_not_count() -> None:
    """Normals that point anywhere have no axis; a floor alone has no walls."""
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    weights = np.ones(4000)
    assert wall_axis(normals, weights, np.array([0.0, 0.0, 1.0])) is None
    level = np.tile([0.0, 0.0, 1.0], (100, 1))
    assert wall_axis(level, np.ones(100), np.array([0.0, 0.0, 1.0])) is None
    np.testing.assert_allclose(floor_normal(level, np.ones(100)), [0, 0, 1])


@pytest.mark.parametrize('degrees', [0.0, 8.0, 15.0])
@pytest.mark.parametrize(('up', 'turn'), [('+z', 0.0), ('+y', -90.0), ('-y', 90.0), ('-z', 180.0)])
def test_up_is_found_although_the_floor_leans(up: str, turn: float, degrees: float) -> None:
    """A leaning floor fills many layers of height; the axis is found all the same."""
    assert find_up(leaned(leaned(street(), (0, 1, 0), degrees), (1, 0, 0), turn)) == up


def test_a_known_distance_gives_the_scale(tmp_path: Path) -> None:
    """2.5 units are 5 m: 2 m a unit; stored in half metres, the street is 16 m wide again."""
    save_ply(tmp_path / 'street.ply', street().transformed(np.diag([0.5, 0.5, 0.5, 1.0])))
    options = ImportOptions(distance=((0.0, 0.0, 0.0), (1.5, 2.0, 0.0), 5.0))
    bundle = import_capture(tmp_path / 'street.ply', tmp_path / 'out', options)
    assert bundle.metric and bundle.notes['scale'].startswith('2.0000 m per unit')
    ends = bundle.collision.free(0.0)
    rows = np.flatnonzero(ends.any(axis=1))
    assert (rows[-1] - rows[0]) * 0.1 == pytest.approx(16.0, abs=0.5)


def cameras(path: Path, heights: np.ndarray, up: np.ndarray) -> Path:
    """Write cameras in a row along x over the floor, y of the camera down."""
    down = -up
    rotation = np.stack([np.cross(down, (1, 0, 0)), down, np.array([1.0, 0, 0])], axis=1)
    entries = [
        {'id': i, 'position': [float(x), 0.0, float(z)], 'rotation': rotation.tolist()}
        for i, (x, z) in enumerate(zip(np.linspace(-6, 6, len(heights)), heights, strict=True))
    ]
    path.write_text(json.dumps(entries))
    return path


def test_camera_height_gives_the_scale(tmp_path: Path) -> None:
    """Cameras 0.75 units over the floor that were held at 1.5 m: 2 m a unit."""
    cloud = street()
    file = cameras(tmp_path / 'cameras.json', np.full(9, 0.75), np.array([0.0, 0.0, 1.0]))
    positions, up = read_cameras(file)
    np.testing.assert_allclose(up, [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(heights_above_ground(cloud, positions, up), 0.75, atol=0.02)
    source = tmp_path / 'point_cloud' / 'iteration_30000' / 'point_cloud.ply'
    source.parent.mkdir(parents=True)
    scale, note = find_scale(cloud, ImportOptions(camera_height=1.5), source)
    assert scale == pytest.approx(2.0, abs=0.06) and 'cameras at 1.5 m' in note


def test_cameras_that_do_not_tell_are_refused(tmp_path: Path) -> None:
    """Held anywhere between 0.3 and 3 m, absent, or damaged."""
    cloud = street()
    source = tmp_path / 'a' / 'b' / 'c' / 'd' / 'e' / 'street.ply'
    source.parent.mkdir(parents=True)
    options = ImportOptions(camera_height=1.5)
    with pytest.raises(SceneError, match=r'in cameras\.json beside'):
        find_scale(cloud, options, source)
    file = cameras(tmp_path / 'wild.json', np.geomspace(0.3, 3.0, 9), np.array([0.0, 0.0, 1.0]))
    with pytest.raises(SceneError, match='not one height'):
        find_scale(cloud, ImportOptions(camera_height=1.5, cameras=file), source)
    for text in ('', '[]', '{"a": 1}', '[{"position": [1]}]', '[' * 100_000, '[1, 2, 3]',
                 '[{"position": "x", "rotation": 3}]'):
        (tmp_path / 'bad.json').write_text(text)
        with pytest.raises(SceneError, match=r'bad\.json'):
            read_cameras(tmp_path / 'bad.json')


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'scale': 1.0, 'camera_height': 1.5}, 'only one of .* got scale and camera height'),
        ({'distance': ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), -2.0)}, 'distance must lie in'),
        ({'camera_height': 0.0}, 'camera height must lie in'),
        ({'camera_height': float('nan')}, 'camera height must lie in'),
    ],
)
def test_contradictions_are_refused(values: dict[str, object], message: str) -> None:
    """Two scales, a negative length, no height."""
    with pytest.raises(SceneError, match=message):
        ImportOptions(**values)  # type: ignore[arg-type]


def test_two_equal_points_have_no_distance() -> None:
    """The error shows the point."""
    options = ImportOptions(distance=((1.0, 2.0, 3.0), (1.0, 2.0, 3.0), 2.0))
    with pytest.raises(SceneError, match=r'must differ, got \(1\.0, 2\.0, 3\.0\) twice'):
        find_scale(street(), options, Path('x.ply'))
