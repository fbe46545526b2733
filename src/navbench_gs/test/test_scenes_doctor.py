"""The scene doctor: each measure by hand, and verdicts on good and spoilt scenes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.city import write_city
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.doctor import examine, write_page
from navbench_gs.scenes.doctor.findings import worst
from navbench_gs.scenes.doctor.measures import (
    ceiling_height,
    floor_tilt,
    floor_without_matter,
    free_space_clutter,
    splat_size,
)
from navbench_gs.splats import GaussianCloud


def _cloud(points: np.ndarray, scales: tuple[float, float, float] = (0.1, 0.1, 0.01)):
    count = len(points)
    return GaussianCloud(
        points,
        np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
        np.tile(scales, (count, 1)),
        np.full(count, 0.9),
        np.zeros((count, 1, 3)),
    )


def _floor(spacing: float = 0.2) -> np.ndarray:
    """Return points over the 10 x 10 m of `_grid` at z = 0."""
    axis = np.arange(0.5 * spacing, 10.0, spacing)
    x, y = np.meshgrid(axis, axis)
    return np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])


def _grid(slope: float = 0.0) -> CollisionMap:
    """Return 10 x 10 m of free ground in a border; the floor climbs along x."""
    occupied = np.zeros((100, 100), bool)
    occupied[[0, -1]] = occupied[:, [0, -1]] = True
    height = np.tile(slope * (np.arange(100) + 0.5) * 0.1, (100, 1)).astype(np.float32)
    return CollisionMap(
        0.1, np.zeros(2), occupied, height, ~occupied, np.zeros((0, 7), np.float32)
    )


def _bundle(block_scene: SceneBundle, grid: CollisionMap, **changes: object) -> SceneBundle:
    spawn = np.array([[2.0, 2.0], [8.0, 8.0], [2.0, 8.0]])
    return dataclasses.replace(block_scene, collision=grid, spawn=spawn, **changes)


def test_tilt_is_the_angle_of_the_plane() -> None:
    grid = _grid(0.1)
    # atan(0.1) = 5.711 degrees.
    assert floor_tilt(grid, grid.free(0.3)) == pytest.approx(5.711, abs=1e-3)
    assert floor_tilt(grid, np.zeros(grid.shape, bool)) == 0.0


def test_holes_are_the_floor_that_shows_nothing(block_scene: SceneBundle) -> None:
    grid = _grid()
    bundle, free, points = _bundle(block_scene, grid), grid.free(0.3), _floor()
    assert floor_without_matter(_cloud(points), bundle, free) == 0.0
    # Without y > 5 m: cells of 0.5 m from 5.0 to 9.7 of 0.3 to 9.7 are empty, about a half.
    half = points[points[:, 1] < 5.0]
    assert floor_without_matter(_cloud(half), bundle, free) == pytest.approx(0.5, abs=0.02)
    # Wide ones reach one cell further: 0.5 m of 9.4 m less.
    wide = floor_without_matter(_cloud(half, (0.3, 0.3, 0.01)), bundle, free)
    assert wide == pytest.approx(0.5 - 0.5 / 9.4, abs=0.02)
    # Faint ones are no matter.
    faint = dataclasses.replace(_cloud(points), opacities=np.full(len(points), 0.1, np.float32))
    assert floor_without_matter(faint, bundle, free) == 1.0


def test_size_is_that_of_most_of_the_surface() -> None:
    grid, route = _grid(), np.array([[1.0, 5.0], [9.0, 5.0]])
    points = _floor()
    assert splat_size(_cloud(points, (0.07, 0.1, 0.01)), grid, route) == pytest.approx(0.07)
    # 100 splats of 0.5 m cover 25 m2 in units of s^2; 2,500 of 0.1 m cover as much: one more wide
    # one and the middle of the surface is wide.
    wide = _cloud(points[:101] + [0.0, 3.0, 0.0], (0.5, 0.5, 0.01))
    both = GaussianCloud.concatenate([_cloud(points, (0.1, 0.1, 0.01)), wide])
    near_all = np.array([[x, y] for y in (1.0, 4.0, 7.0) for x in (1.0, 5.0, 9.0)])
    assert splat_size(both, grid, near_all) == pytest.approx(0.5)
    assert splat_size(both, grid, np.zeros((0, 2))) == np.inf


def test_clutter_hangs_over_free_ground() -> None:
    grid = _grid()
    walls = np.column_stack([np.full(90, 0.05), np.linspace(1, 9, 90), np.full(90, 0.6)])
    hanging = np.column_stack([np.full(10, 5.0), np.linspace(1, 9, 10), np.full(10, 0.6)])
    high = hanging + [0.0, 0.0, 1.0]
    found = free_space_clutter(
        _cloud(np.concatenate([walls, hanging, high])), grid, grid.free(0.3)
    )
    assert (found.count, found.share) == (10, pytest.approx(0.1))


def test_a_ceiling_is_found_indoors_only(block_scene: SceneBundle) -> None:
    bundle, floor = _bundle(block_scene, _grid()), _floor()
    roof = floor + [0.0, 0.0, 2.6]
    assert ceiling_height(_cloud(floor), bundle) is None
    inside = ceiling_height(_cloud(np.concatenate([floor, roof])), bundle)
    assert inside == pytest.approx(2.6, abs=1e-6)
    # Leaves between 1.6 and 6 m are no layer.
    leaves = floor + np.random.default_rng(0).uniform([0, 0, 1.7], [0, 0, 5.9], floor.shape)
    assert ceiling_height(_cloud(np.concatenate([floor, leaves])), bundle) is None


def test_verdicts_on_a_spoilt_scene(block_scene: SceneBundle) -> None:
    """A room of 9 m height in unknown units, leaning 10 degrees, coarse and full of fog."""
    grid = _grid(float(np.tan(np.radians(10.0))))
    lift = np.tan(np.radians(10.0)) * _floor()[:, 0]
    floor = _floor() + np.column_stack([np.zeros((len(lift), 2)), lift])
    fog = floor + [0.0, 0.0, 0.7]
    roof = floor + [0.0, 0.0, 5.9]
    cloud = _cloud(np.concatenate([floor, fog, roof]), (0.4, 0.4, 0.1))
    findings, found = examine(_bundle(block_scene, grid, metric=False), cloud)
    verdicts = {finding.name: finding.verdict for finding in findings}
    assert verdicts['tilt of the floor'] == 'bad'
    assert verdicts['sharpness at robot height'] == 'bad'
    assert verdicts['floaters'] == 'bad'
    assert verdicts['scale'] in ('warn', 'bad')
    assert [finding.verdict for finding in findings] == sorted(
        verdicts.values(), key=['bad', 'warn', 'ok'].index
    )
    assert worst(findings) == 'bad'
    assert found is not None


def test_no_room_for_the_robot_is_bad(block_scene: SceneBundle) -> None:
    findings, found = examine(_bundle(block_scene, _grid()), _cloud(_floor()), radius=6.0)
    assert found is None
    assert [finding.verdict for finding in findings] == ['bad']
    assert 'smaller --radius' in findings[0].advice


def test_a_generated_city_is_sound_and_its_page_complete(tmp_path) -> None:
    bundle = write_city(1004, tmp_path / 'city')
    cloud = bundle.cloud()
    findings, found = examine(bundle, cloud)
    assert worst(findings) == 'ok', findings
    page = tmp_path / 'pages' / 'city.html'
    write_page(page, bundle, cloud, findings, found, views=2)
    text = page.read_text(encoding='utf-8')
    assert text.count('data:image/jpeg;base64,') == 5
    assert 'http' not in text
    for finding in findings:
        assert finding.name in text


def test_names_from_files_do_not_become_markup(tmp_path, block_scene: SceneBundle) -> None:
    grid = _grid()
    bundle = _bundle(block_scene, grid, name='<script>x</script>', licence='<b>')
    page = tmp_path / 'a.html'
    write_page(page, bundle, _cloud(_floor()), [], None, views=1)
    assert '<script>' not in page.read_text(encoding='utf-8')
