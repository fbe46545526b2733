"""Generated city scenes: determinism, and agreement of picture and collision geometry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from navbench_gs.errors import SceneError
from navbench_gs.scenes import load_scene, resolve_scene
from navbench_gs.scenes.city import generate_city
from navbench_gs.scenes.city.evening import lamp_light
from navbench_gs.scenes.city.facade_paint import draw_style
from navbench_gs.scenes.city.layouts import LAYOUTS, make_plan
from navbench_gs.scenes.city.layouts_other import LAYOUTS as OTHER_LAYOUTS
from navbench_gs.scenes.city.plan import KERB, ROAD, SIDEWALK
from navbench_gs.scenes.city.slope import Rise
from navbench_gs.scenes.city.terrain import kerb_cells, road_height
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.surfels import Surfels
from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.tasks.geodesic import geodesic_field

Scene = tuple[GaussianCloud, CollisionMap, dict[str, Any]]

SEEDS = (7, 107, 1001, 3, 5003)
"""Day, dusk, day, a street that climbs by 5.7 %, and a garden."""


@pytest.fixture(scope='module', params=SEEDS)
def city(request: pytest.FixtureRequest) -> Scene:
    """One city, made once."""
    return generate_city(request.param)


def test_same_seed_same_scene_to_the_byte(city: Scene, request: pytest.FixtureRequest) -> None:
    """A second run gives equal arrays; another seed does not."""
    seed = request.node.callspec.params['city']
    again = generate_city(seed)
    for name in ('means', 'quats', 'scales', 'opacities', 'sh'):
        assert np.array_equal(getattr(city[0], name), getattr(again[0], name))
    for name in ('occupancy', 'height', 'walkable', 'boxes'):
        assert np.array_equal(getattr(city[1], name), getattr(again[1], name))
    assert np.array_equal(city[2]['spawn'], again[2]['spawn'])


def test_different_seeds_differ() -> None:
    """Seeds 0 and 1 share neither layout measures nor splat count."""
    assert len(generate_city(0)[0]) != len(generate_city(1)[0])


def test_cloud_is_sound(city: Scene) -> None:
    """Finite, unit quaternions, positive sizes, colours in range, between 200 k and 500 k."""
    cloud = city[0]
    assert 200_000 < len(cloud) < 500_000
    assert np.isfinite(cloud.means).all() and np.isfinite(cloud.sh).all()
    assert np.allclose(np.linalg.norm(cloud.quats, axis=1), 1.0, atol=1e-5)
    assert (cloud.scales > 0.0).all()
    rgb = 0.5 + 0.28209479177387814 * cloud.sh[:, 0]
    assert rgb.min() > -1e-5 and rgb.max() < 1.0 + 1e-5


def test_free_space_holds_no_splats(city: Scene) -> None:
    """Where a robot may be, next to nothing is drawn between 0.1 and 1.2 m above the floor.

    Cells that touch an obstacle are left out: a splat is blurred over its neighbour.
    """
    cloud, grid, _ = city
    xy = cloud.means[:, :2].astype(np.float64)
    inside = grid.inside(xy)
    above = cloud.means[:, 2] - grid.floor(xy)
    body = inside & (above > 0.1) & (above < 1.2)
    roomy = grid.clearance(xy) > 0.1
    assert body.sum() > 10_000
    assert (body & roomy).sum() < 0.002 * body.sum()


def test_walls_are_drawn_where_the_map_has_them(city: Scene) -> None:
    """Splats at 1 m height lie on or beside occupied cells, and boxes lie on occupied cells."""
    _, grid, _ = city
    corners = grid.boxes[:, :2].astype(np.float64)
    rc = grid.cell(corners)
    assert grid.occupancy[rc[:, 0], rc[:, 1]].all()


def test_every_occupied_cell_has_a_reason(city: Scene) -> None:
    """Occupied cells that no box covers are kerbs or the border: thin lines only."""
    _, grid, _ = city
    rows, columns = np.nonzero(grid.occupancy)
    xy = grid.centre(np.stack([rows, columns], axis=-1))
    covered = np.zeros(len(xy), bool)
    for cx, cy, _cz, hx, hy, _hz, yaw in grid.boxes.astype(np.float64):
        dx, dy = xy[:, 0] - cx, xy[:, 1] - cy
        along = np.abs(dx * np.cos(yaw) + dy * np.sin(yaw))
        across = np.abs(-dx * np.sin(yaw) + dy * np.cos(yaw))
        covered |= (along < hx + 0.08) & (across < hy + 0.08)
    lines = np.zeros(grid.shape, bool)
    lines[rows[~covered], columns[~covered]] = True
    thick = lines[:-3, :-3] & lines[3:, :-3] & lines[:-3, 3:] & lines[3:, 3:]
    assert thick.sum() < 0.01 * max(lines.sum(), 1)


def test_spawn_points_are_joined_by_routes(city: Scene) -> None:
    """All spawn points are free for a robot and reachable; routes of 10-30 m abound.

    Some of them must be blocked in a straight line, else there is no corner to turn.
    """
    _, grid, notes = city
    spawn = notes['spawn']
    assert len(spawn) >= 200
    assert (grid.clearance(spawn) >= 0.4).all()
    blocked = fits = 0
    for goal in spawn[::100]:
        field = geodesic_field(grid, (float(goal[0]), float(goal[1])), 0.4, reach=1e6)
        ways = np.array([field.at((float(x), float(y))) for x, y in spawn[::5]])
        assert np.isfinite(ways).all()
        chosen = (ways > 10.0) & (ways < 30.0)
        straight = np.linalg.norm(spawn[::5] - goal, axis=1)
        fits += int(chosen.sum())
        for start in spawn[::5][chosen & (ways < 1.5 * straight)]:
            line = start + np.linspace(0.0, 1.0, 120)[:, None] * (goal - start)
            blocked += bool((grid.clearance(line) < 0.3).any())
    assert fits >= 20
    assert blocked >= 8


def test_kerbs_block_except_at_raised_crossings() -> None:
    """Pavement cells at a road are kerb where the road lies 0.12 m lower, free at crossings."""
    plan = make_plan(np.random.default_rng(3))
    for seed in range(4, 30):
        if plan.streets:
            break
        plan = make_plan(np.random.default_rng(seed))
    height = road_height(plan)
    kerb = kerb_cells(plan, height)
    assert height[plan.labels == SIDEWALK].max() == 0.0
    assert height[plan.labels == ROAD].min() == pytest.approx(-KERB)
    x0, y0, x1, y1, axis = plan.crossings[0]
    middle = 0.5 * (x0 + x1), 0.5 * (y0 + y1)
    along = np.linspace(-1.0, 1.0, 41) * (1.0 + 0.5 * (y1 - y0 if axis == 0 else x1 - x0))
    line = np.array(middle) + np.outer(along, (0.0, 1.0) if axis == 0 else (1.0, 0.0))
    cell = ((line + plan.half) / 0.1).astype(int)
    assert not kerb[cell[:, 1], cell[:, 0]].any()
    assert kerb.sum() > 200


@pytest.mark.parametrize('seed', [-1, 10**9])
def test_seeds_outside_the_protocol_are_refused(seed: int) -> None:
    """The message gives the seed."""
    with pytest.raises(SceneError, match=str(seed)):
        generate_city(seed)


def test_slopes_lift_ground_houses_and_boxes_alike() -> None:
    """Scene 3 climbs; its floor, its pavement's splats and its boxes follow one surface."""
    cloud, grid, notes = generate_city(3)
    assert notes['grade'] == pytest.approx(0.0566, abs=1e-3)
    assert float(grid.height.max() - grid.height.min()) > 2.0
    # The steepest cell of the pavement, over a metre: at most the grade.
    floor = grid.height[5:-5, 5:-5].astype(np.float64)
    open_ground = ~grid.occupancy[5:-5, 5:-5]
    steps = np.abs(floor[:, 10:] - floor[:, :-10])
    level = open_ground[:, 10:] & open_ground[:, :-10] & (steps < 0.1)
    assert steps[level].max() <= 0.0566 * 1.0 + 0.13 / 1.2 + 1e-3
    spots = notes['spawn'][::20]
    for xy in spots:
        near = np.abs(cloud.means[:, :2] - xy).max(axis=1) < 0.3
        ground = cloud.means[near & (cloud.scales[:, 2] < 0.01), 2]
        assert abs(float(np.median(ground)) - float(grid.floor(xy[None])[0])) < 0.04
    centre = grid.boxes[:, :2].astype(np.float64)
    inside = grid.inside(centre)
    base = grid.boxes[inside, 2] - grid.boxes[inside, 5]
    # Boxes begin at the floor below them or a little deeper, never in the air.
    assert (base <= grid.floor(centre[inside]) + 0.05).all()


def test_a_rise_is_steepest_at_its_grade() -> None:
    """The slope of an S-shaped climb runs between 0.15 and 1 of the grade."""
    rise = Rise(grade=0.05, direction=0.0, bend=40.0)
    x = np.linspace(-40.0, 40.0, 8001)
    slope = np.gradient(rise.at(np.stack([x, np.zeros_like(x)], axis=-1)), x)
    assert slope.max() == pytest.approx(0.05, rel=1e-3)
    assert slope[5:-5].min() == pytest.approx(0.0075, rel=1e-2)
    assert rise.at(np.zeros(2)) == 0.0
    # At 10 m: 0.05 * (0.575 * 10 + 0.425 * 40 / 2 pi * sin(pi / 2)) = 0.05 * 8.456 = 0.4228.
    assert float(rise.at(np.array([10.0, 3.0]))) == pytest.approx(0.4228, abs=1e-4)


def test_dusk_shines_by_itself() -> None:
    """At dusk windows are brighter than any wall, lamps light the ground, and day has neither."""
    dusk, _, notes = generate_city(107)
    day, _, other = generate_city(7)
    assert (notes['light'], other['light']) == ('dusk', 'day')
    colour = {name: 0.5 + harmonics.C0 * cloud.sh[:, 0] for name, cloud in
              (('dusk', dusk), ('day', day))}
    wall, sunny = dusk.means[:, 2] < 12.0, day.means[:, 2] < 12.0
    assert np.median(colour['dusk'][wall]) < 0.8 * np.median(colour['day'][sunny])
    red, blue = colour['dusk'][:, 0], colour['dusk'][:, 2]
    warm = wall & (red > 0.5) & (red > 1.5 * blue)
    assert warm.sum() > 2000


def test_lamp_light_falls_with_the_square_of_the_distance() -> None:
    """Elements straight below and beside a lamp, facing it and not."""
    ground = Surfels(
        np.array([[0.0, 0, 0], [4.0, 0, 0], [20.0, 0, 0], [0.0, 0, 0]]),
        np.array([[0.0, 0, 1], [0.0, 0, 1], [0.0, 0, 1], [0.0, 0, -1]]),
        np.tile([1.0, 0, 0], (4, 1)), np.full((4, 3), 0.1), np.full((4, 3), 0.5), np.ones(4),
    )
    light = lamp_light(ground, np.array([[0.0, 0.0, 5.0]]))[:, 0]
    # 13 / 25 = 0.52; at 4 m aside 13 / 41 (0.25 + 0.75 * 5 / 6.403) = 0.265; beyond 9 m none;
    # facing away a quarter.
    assert light == pytest.approx([0.52, 0.265, 0.0, 0.13], abs=1e-3)


@pytest.mark.parametrize('seed', [200, 201, 202, 203])
def test_scenes_outside_the_training_distribution(seed: int) -> None:
    """Their layouts and walls occur nowhere else; routes of 10 to 30 m exist in them, too."""
    cloud, grid, notes = generate_city(seed)
    assert notes['layout'] in OTHER_LAYOUTS and notes['layout'] not in LAYOUTS
    assert 200_000 < len(cloud) < 650_000
    spawn = notes['spawn']
    assert len(spawn) >= 200
    field = geodesic_field(grid, (float(spawn[0, 0]), float(spawn[0, 1])), 0.4, reach=1e6)
    ways = np.array([field.at((float(x), float(y))) for x, y in spawn[::5]])
    assert np.isfinite(ways).all()
    assert ((ways > 10.0) & (ways < 30.0)).sum() >= 10


def test_textures_outside_the_training_distribution() -> None:
    """No pattern of the walls is shared."""
    rng = np.random.default_rng(0)
    common = {draw_style(rng).pattern for _ in range(60)}
    other = {draw_style(rng, other=True).pattern for _ in range(60)}
    assert common == {'plaster', 'brick'}
    assert other == {'timber', 'tiles', 'sheet'}


def test_resolve_makes_once_and_verifies(tmp_path: Path) -> None:
    """A scene is cached, loads equal, and a changed byte is found and mended."""
    bundle = resolve_scene('city:103', cache=tmp_path)
    assert bundle.name == 'city-103' and bundle.seed == 103 and bundle.metric
    assert len(bundle.cloud()) == bundle.gaussians
    size = sum(file.stat().st_size for file in bundle.root.iterdir())
    assert size < 12e6
    splats = bundle.root / 'splats.npz'
    data = bytearray(splats.read_bytes())
    data[len(data) // 2] ^= 1
    splats.write_bytes(data)
    with pytest.raises(SceneError, match='sha256'):
        load_scene(bundle.root)
    again = resolve_scene('city:103', cache=tmp_path)
    assert again.hash == bundle.hash


def test_stored_splats_equal_generated_ones(tmp_path: Path) -> None:
    """Storage loses under 0.01 mm, 0.2 % of size and 1/500 of colour."""
    cloud, _, _ = generate_city(103)
    stored = resolve_scene('city:103', cache=tmp_path).cloud()
    assert np.abs(stored.means - cloud.means).max() < 1e-5
    assert np.abs(stored.scales / cloud.scales - 1.0).max() < 0.005
    assert np.abs(stored.sh - cloud.sh).max() < 0.28 ** -1 / 500.0


@pytest.mark.parametrize('spec', ['city:', 'city:x', '/no/such/place', ''])
def test_unknown_scene_is_an_error_with_the_choices(spec: str, tmp_path: Path) -> None:
    """Whatever is no scene is refused."""
    with pytest.raises(SceneError):
        resolve_scene(spec, cache=tmp_path)
