"""Import of captures: facts on real scenes, and a small scene made by hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from transforms3d.axangles import axangle2mat

from navbench_gs.errors import SceneError
from navbench_gs.scenes import resolve_scene
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.importer import ImportOptions, import_capture
from navbench_gs.scenes.importer.orient import find_tilt, find_up, rotation
from navbench_gs.scenes.solids import box
from navbench_gs.scenes.surfels import SurfelList, grid
from navbench_gs.scenes.survey import survey
from navbench_gs.splats import load, save_ply
from navbench_gs.splats.cloud import GaussianCloud

DATA = Path(os.environ.get('S2E_DATA', Path(__file__).parents[4] / 'shared' / 'data'))
SCENES = DATA / 'splats' / 'scenes'


def capture(name: str) -> Path:
    """Return a real capture or skip."""
    path = SCENES / name
    if not path.is_dir():
        pytest.skip(f'data missing: {path}; set S2E_DATA to the folder of real data')
    return path


def handmade() -> GaussianCloud:
    """A floor of 12 x 8 m that rises 5 % along x, a wall across it with a gap of 1.6 m, a roof.

    The wall stands at x = 0, the gap is y in (1, 2.6); the roof hangs 3 m above; a chest stands
    in a corner.
    """
    out = SurfelList()
    u, v, step, _ = grid(12.0, 8.0, 0.1)
    level = np.column_stack([u - 6.0, v - 4.0, 0.05 * (u - 6.0)])
    out.add(level, (0, 0, 1), (1, 0, 0), (0.07, 0.07), np.full(3, 0.5))
    out.add(level + (0, 0, 3.0), (0, 0, -1), (1, 0, 0), (0.07, 0.07), np.full(3, 0.9))
    for low, high in ((-4.0, 1.0), (2.6, 4.0)):
        half = (0.05, 0.5 * (high - low), 1.5)
        out.extend(box((0.0, 0.5 * (low + high), 1.5), half, (0.6, 0.3, 0.2), 0.08))
    out.extend(box((-3.5, -2.5, 0.25), (0.6, 0.5, 0.3), (0.3, 0.3, 0.3), 0.08))
    # A floater over the path, and a speck of haze.
    out.add(np.array([[3.0, 0.0, 0.9]]), (0, 0, 1), (1, 0, 0), (0.02, 0.02), np.full(3, 0.1))
    out.add(np.array([[3.0, 1.0, 0.6]]), (0, 0, 1), (1, 0, 0), (0.3, 0.3), np.full(3, 1.0), 0.1)
    return out.joined().cloud()


@pytest.fixture(scope='module')
def room(tmp_path_factory: pytest.TempPathFactory) -> SceneBundle:
    """The handmade scene, imported from a y-down .ply."""
    folder = tmp_path_factory.mktemp('room')
    turn = np.eye(4)
    turn[:3, :3] = rotation('-y').T
    save_ply(folder / 'room.ply', handmade().transformed(turn))
    return import_capture(folder / 'room.ply', folder / 'bundle')


def test_handmade_room_is_turned_and_measured(room: SceneBundle) -> None:
    """Up is found, the floor climbs 5 %, the wall stands, the gap is open, the floater is gone."""
    grid_map = room.collision
    assert room.notes['up'] == '-y'
    rise = grid_map.floor(np.array([4.0, 0.0])) - grid_map.floor(np.array([-4.0, 0.0]))
    assert rise == pytest.approx(0.4, abs=0.06)
    places = {'wall': (0.0, -2.0), 'gap': (0.0, 1.8), 'floater': (3.0, 0.0), 'haze': (3.0, 1.0)}
    cells = {name: tuple(grid_map.cell(np.array(xy))) for name, xy in places.items()}
    assert grid_map.occupancy[cells['wall']]
    for name in ('gap', 'floater', 'haze'):
        assert not grid_map.occupancy[cells[name]], name
    assert grid_map.clearance(np.array([0.0, 1.8])) == pytest.approx(0.75, abs=0.16)
    # A route from end to end leads through the gap.
    assert survey(room).length > 9.0


def test_scale_and_licence_are_recorded(room: SceneBundle) -> None:
    """Unknown scale is said to be unknown; nothing is claimed about the licence."""
    assert not room.metric and 'not measured' in room.notes['scale']
    assert room.licence == 'unknown' and room.kind == 'capture'


def test_given_scale_counts(tmp_path: Path) -> None:
    """Half-size splats with scale 2 give the room's measures and a metric bundle."""
    small = np.diag([0.5, 0.5, 0.5, 1.0])
    save_ply(tmp_path / 'small.ply', handmade().transformed(small))
    bundle = import_capture(tmp_path / 'small.ply', tmp_path / 'out', ImportOptions(scale=2.0))
    assert bundle.metric
    assert bundle.collision.bounds[2] - bundle.collision.bounds[0] > 11.0


@pytest.mark.parametrize('degrees', [-14.0, 9.0])
def test_tilted_capture_is_levelled(degrees: float) -> None:
    """A room tilted about an oblique axis comes back upright; an upright one is left alone."""
    turn = np.eye(4)
    turn[:3, :3] = axangle2mat((0.6, 0.8, 0.0), np.deg2rad(degrees))
    tilt = find_tilt(handmade().transformed(turn))
    up = tilt @ turn[:3, 2]
    assert np.rad2deg(np.arccos(up[2])) < 1.0
    assert np.array_equal(find_tilt(handmade()), np.eye(3))


def test_bad_captures_are_refused(tmp_path: Path) -> None:
    """Absent, empty, foreign and cut captures each give one SceneError."""
    with pytest.raises(SceneError, match='nothing'):
        resolve_scene(str(tmp_path / 'nothing'), cache=tmp_path)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'empty' / 'notes.txt').write_text('no capture')
    with pytest.raises(SceneError, match='empty'):
        resolve_scene(str(tmp_path / 'empty'), cache=tmp_path)
    save_ply(tmp_path / 'whole.ply', handmade())
    data = (tmp_path / 'whole.ply').read_bytes()
    (tmp_path / 'cut.ply').write_bytes(data[: len(data) // 2])
    with pytest.raises(SceneError, match=r'cut\.ply'):
        resolve_scene(str(tmp_path / 'cut.ply'), cache=tmp_path)
    assert not list((tmp_path / 'scenes').iterdir())


@pytest.mark.data
def test_cut_sog_is_refused(tmp_path: Path) -> None:
    """A truncated .sog names the file."""
    path = capture('headquarter_garden') / 'environment.sog'
    (tmp_path / 'cut.sog').write_bytes(path.read_bytes()[:40000])
    with pytest.raises(SceneError, match=r'cut\.sog'):
        resolve_scene(str(tmp_path / 'cut.sog'), cache=tmp_path)


@pytest.mark.data
@pytest.mark.parametrize('name', ['headquarter_garden', 'lacadiere_showroom'])
@pytest.mark.parametrize('up', ['+z', '-z', '-y', '+y'])
def test_up_is_found_in_real_captures(name: str, up: str) -> None:
    """A real capture turned so that another axis points up is recognised."""
    cloud = load(capture(name))
    part = cloud.select(slice(None, None, 8))
    turn = np.eye(4)
    turn[:3, :3] = rotation(up).T
    assert find_up(part.transformed(turn)) == up


@pytest.mark.data
def test_garden_has_a_long_climbing_path(tmp_path: Path) -> None:
    """From near (3, 8) a free route of 60 m and more leads along -y, and the floor rises.

    The capture's path climbs about 1.7 m over 80 m.
    """
    bundle = import_capture(capture('headquarter_garden'), tmp_path)
    grid_map = bundle.collision
    labels, _ = ndimage.label(grid_map.free(0.3))
    start = labels[tuple(grid_map.cell(np.array([3.0, 8.0])))]
    assert start > 0
    assert np.ptp(grid_map.centre(np.argwhere(labels == start))[:, 1]) > 75.0
    found = survey(bundle, 0.3)
    assert found.length >= 75.0
    north, south = found.route[np.argmax(found.route[:, 1])], found.route[
        np.argmin(found.route[:, 1])]
    assert north[1] > 5.0 and south[1] < -60.0
    on_path = found.route[(found.route[:, 1] < 5.0) & (found.route[:, 1] > -75.0)]
    start, end = on_path[np.argmax(on_path[:, 1])], on_path[np.argmin(on_path[:, 1])]
    assert grid_map.floor(end) - grid_map.floor(start) == pytest.approx(1.7, abs=0.35)
    assert not bundle.metric and bundle.licence == 'unknown'
    assert len(grid_map.boxes) < 6000
    assert bundle.gaussians == 843_068 + 8_688
    # Sky splats lie at 1,300 m: none of them may widen the map.
    x0, y0, x1, y1 = grid_map.bounds
    assert x1 - x0 < 120.0 and y1 - y0 < 160.0


@pytest.mark.data
def test_showroom_floor_and_rooms(tmp_path: Path) -> None:
    """Indoors the floor lies at -0.68 in the capture's frame, and rooms are joined by doors."""
    bundle = import_capture(capture('lacadiere_showroom'), tmp_path)
    assert bundle.notes['floor_z_in_capture'] == pytest.approx(-0.68, abs=0.08)
    assert abs(float(np.median(bundle.collision.floor(bundle.spawn)))) < 0.05
    assert bundle.notes['free_area_m2'] > 60.0
    assert survey(bundle, 0.3).length > 20.0


GARDEN_PATH = ((4, -2), (2, -8), (1.5, -15), (2, -25), (4, -31), (7, -37), (8, -42), (7, -48),
               (5, -54), (4.5, -60), (3.5, -68), (6.5, -14), (18, -42.5), (-5, -23.5))
"""Paving, picked by eye in the top view."""
GARDEN_HEDGES = ((-4, -10), (-3.5, -3), (8, -3), (8.5, -20), (1.5, -38), (1.5, -47.5), (0.3, -42),
                 (8, -27), (12.5, -37), (-4, -57), (9.5, -65), (-2.5, -14), (-0.2, -29),
                 (-2.1, -2.5))
"""Hedges, trunks, plant tubs, a fountain, notice boards."""
ROOMS = {
    'terrace': (3, 0.5), 'living room': (1.5, -0.9), 'north bedroom': (-4.7, -1.5),
    'bath': (-9.7, -3.6), 'hall': (-6.5, -7.5), 'west bath': (-10.8, -6.5),
    'west bedroom': (-9.6, -9), 'study': (-8, -11), 'entrance': (-1.2, -11),
    'room of the oval table': (1, -10.5), 'corridor': (1.8, -8), 'last room': (-1.4, -20.8),
}
FURNITURE = {
    'sofa': (2.0, -4.3), 'sofa end': (1.4, -2.6), 'armchair': (-2.1, -4.9),
    'lounger': (-2.2, -1.4),
    'dining table': (5.3, -4.2), 'bed': (-7, -0.8), 'other bed': (-11.5, -10.3),
    'desk': (-7.3, -12.2), 'oval table': (0, -12.8), 'counter': (-1.6, -17.8),
    'chair': (-2.3, -21.5), 'tub': (-11, -3.2), 'plant': (-1.4, 0.7), 'wicker chair': (6.8, -0.9),
    'folding chair': (0.7, 0.05), 'wall with the television': (-4.3, -4), 'lamp': (-1.4, -1.25),
    'stool': (-1.3, -5.0), 'round chair': (-10.2, -12.3),
}


@pytest.mark.data
def test_garden_paths_are_free_and_hedges_are_not(tmp_path: Path) -> None:
    """Points picked by eye: one disc of 0.3 m reaches all paving, and stands in no hedge."""
    grid_map = import_capture(capture('headquarter_garden'), tmp_path).collision
    labels, _ = ndimage.label(grid_map.free(0.3))
    start = labels[tuple(grid_map.cell(np.array([3.0, 8.0])))]
    assert start > 0
    for xy in GARDEN_PATH:
        assert labels[tuple(grid_map.cell(np.array(xy, float)))] == start, f'path {xy} not free'
    for xy in GARDEN_HEDGES:
        assert grid_map.occupancy[tuple(grid_map.cell(np.array(xy, float)))], f'{xy} is free'


@pytest.mark.data
def test_showroom_doors_join_rooms_and_furniture_stands(tmp_path: Path) -> None:
    """A disc of 0.3 m goes from room to room through doors, and stands in no furniture."""
    grid_map = import_capture(capture('lacadiere_showroom'), tmp_path).collision
    labels, _ = ndimage.label(grid_map.free(0.3))
    start = labels[tuple(grid_map.cell(np.array(ROOMS['living room'], float)))]
    assert start > 0
    for name, xy in ROOMS.items():
        assert labels[tuple(grid_map.cell(np.array(xy, float)))] == start, f'{name} not reached'
    for name, xy in FURNITURE.items():
        assert grid_map.occupancy[tuple(grid_map.cell(np.array(xy, float)))], f'{name} is free'
