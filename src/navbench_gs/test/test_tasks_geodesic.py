"""Distance fields against exact shortest paths."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navbench_gs.tasks.geodesic import (
    extended,
    geodesic_field,
    line_of_sight,
    path_length,
    shorten,
    solve,
)
from navbench_gs.tasks.hazards import Patch
from navbench_gs.tasks.marching import march

ZERO = np.zeros(2)


def open_floor(rows=200, columns=200):
    cost = np.ones((rows, columns), np.float32)
    cost[[0, -1]] = cost[:, [0, -1]] = np.inf
    return cost


@pytest.mark.parametrize('point', [(15.0, 10.0), (3.0, 4.0), (17.3, 2.2), (10.0, 19.0)])
def test_open_floor_gives_the_straight_distance(point):
    field = solve(0.1, ZERO, open_floor(), (10.0, 10.0))
    exact = math.hypot(point[0] - 10.0, point[1] - 10.0)
    # The first-order scheme overestimates diagonals, here by up to 1.5 %.
    assert exact - 0.02 <= field.at(point) <= 1.015 * exact + 0.02


def test_wall_gives_the_way_around_its_end():
    # A wall x = 10.0..10.2 from y = 0 to 15. From (5, 10) to (15, 10) the taut string touches
    # (10.0, 15) and (10.2, 15): sqrt(25 + 25) + 0.2 + sqrt(4.8^2 + 25) = 7.071 + 0.2 + 6.931.
    cost = open_floor()
    cost[:150, 100:102] = np.inf
    field = solve(0.1, ZERO, cost, (15.0, 10.0))
    # The scheme adds 2.3 % here: it is least exact behind corners.
    assert 14.20 <= field.at((5.0, 10.0)) <= 1.025 * 14.20


def test_enclosed_cells_are_unreachable_until_extended():
    cost = open_floor()
    cost[50:70, 50], cost[50:70, 69], cost[50, 50:70], cost[69, 50:70] = (np.inf,) * 4
    field = solve(0.1, ZERO, cost, (15.0, 15.0))
    assert math.isinf(field.at((6.0, 6.0)))
    whole = extended(field)
    assert np.isfinite(whole.values).all()
    reachable = np.isfinite(field.values)
    assert (whole.values[reachable] == field.values[reachable]).all()


def test_path_ends_in_the_goal_and_is_as_long_as_the_field_says():
    cost = open_floor()
    cost[:150, 100:102] = np.inf
    field = solve(0.1, ZERO, cost, (15.0, 10.0))
    path = field.path((5.0, 10.0))
    assert tuple(path[-1]) == pytest.approx((15.0, 10.0))
    assert path_length(path) == pytest.approx(field.at((5.0, 10.0)), rel=0.02)
    cells = np.floor(path / 0.1).astype(int)
    assert np.isfinite(cost[cells[:, 1], cells[:, 0]]).all()


def test_path_avoids_what_costs_more():
    # A strip of cost 10 across the straight line, open at the top: around it is cheaper.
    cost = open_floor()
    cost[1:140, 90:110] = 10.0
    field = solve(0.1, ZERO, cost, (15.0, 10.0))
    path = field.path((5.0, 10.0))
    assert path[:, 1].max() > 13.8


def test_shorten_leaves_only_the_corners():
    cost = open_floor()
    cost[:150, 100:102] = np.inf
    field = solve(0.1, ZERO, cost, (15.0, 10.0))
    corners = shorten(field.path((5.0, 10.0)), np.isfinite(cost), 0.1, ZERO)
    assert 3 <= len(corners) <= 5
    assert path_length(corners) == pytest.approx(14.20, rel=0.005)


def test_line_of_sight_sees_a_thin_wall_and_the_map_edge():
    free = np.ones((50, 50), bool)
    assert line_of_sight(free, 0.1, ZERO, (0.5, 0.5), (4.5, 4.5))
    free[25, :] = False
    assert not line_of_sight(free, 0.1, ZERO, (0.5, 0.5), (4.5, 4.5))
    assert not line_of_sight(np.ones((50, 50), bool), 0.1, ZERO, (0.5, 0.5), (6.0, 0.5))


def test_goal_outside_the_map_reaches_nothing():
    field = solve(0.1, ZERO, open_floor(), (50.0, 50.0))
    assert np.isinf(field.values).all()
    assert extended(field) is field


def test_window_of_a_large_map_gives_the_same_distances(block_scene):
    near = geodesic_field(block_scene.collision, (18.0, 20.0), 0.6, reach=15.0)
    far = geodesic_field(block_scene.collision, (18.0, 20.0), 0.6, reach=60.0)
    for point in ((18.0, 22.0), (22.0, 19.0), (20.0, 30.0)):
        assert near.at(point) == pytest.approx(far.at(point), rel=1e-4)


def test_patches_block_the_way(block_scene):
    free = geodesic_field(block_scene.collision, (20.0, 30.0), 0.5)
    patch = Patch(20.0, 25.0, 0.0, 3.5, 0.3)
    blocked = geodesic_field(block_scene.collision, (20.0, 30.0), 0.5, patches=(patch,))
    assert free.at((20.0, 20.0)) == pytest.approx(10.0, rel=0.02)
    assert blocked.at((20.0, 20.0)) > 20.0


@pytest.mark.parametrize('seed', range(4))
def test_a_field_for_one_point_is_right_there(seed):
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((120, 150)) < 0.25, np.inf, 1.0).astype(np.float32)
    goal, asked, saved = (7.5, 6.0), 0, 0
    whole = solve(0.1, ZERO, cost, goal)
    for point in rng.uniform([-0.5, -0.5], [15.5, 12.5], (60, 2)):
        truth = whole.at(point)
        alone = solve(0.1, ZERO, cost, goal, only=tuple(point))
        assert alone.at(point) == truth
        # What cannot be told from the truth below the limit is only known to be above it.
        limited = solve(0.1, ZERO, cost, goal, only=tuple(point), limit=3.0)
        assert (limited.at(point) <= 3.0) == (truth <= 3.0)
        assert limited.at(point) == truth or truth > 3.0
        asked += math.isfinite(truth)
        saved += np.isfinite(limited.values).sum() < 0.7 * np.isfinite(whole.values).sum()
    assert asked > 20
    assert saved > 40


def test_a_march_along_a_corridor_ends_as_far_as_it_is_asked():
    # One row of cells of 1 m: cell k costs k, and when cell k is certain k + 1 is known, no more.
    costs = np.ones((1, 20), np.float32)
    seeds, values = np.array([[0, 0]]), np.zeros(1)
    whole = march(costs, seeds, values)[0]
    np.testing.assert_array_equal(whole, np.arange(20))
    for cell in (0, 3, 12):
        part = march(costs, seeds, values, np.array([[0, cell]]))[0]
        np.testing.assert_array_equal(part[: cell + 2], whole[: cell + 2])
        assert np.isinf(part[cell + 2 :]).all()
    # Two wanted: the farther decides. What cannot be crossed is not waited for.
    part = march(costs, seeds, values, np.array([[0, 2], [0, 5]]))[0]
    assert np.isfinite(part).sum() == 7
    costs[0, 9] = np.inf
    part = march(costs, seeds, values, np.array([[0, 9], [0, 1]]))[0]
    assert np.isfinite(part).sum() == 3
    # Behind the wall nothing arrives, and the march ends where no way is left.
    part = march(costs, seeds, values, np.array([[0, 15]]))[0]
    assert np.isfinite(part).sum() == 9


def test_a_march_past_its_limit_only_says_that_it_is_past():
    costs = np.ones((1, 40), np.float32)
    seeds, values = np.array([[0, 0]]), np.zeros(1)
    for limit in (4.0, 4.5):
        part = march(costs, seeds, values, np.array([[0, 30]]), limit)[0]
        assert part[30] > limit
        assert 5 <= np.isfinite(part).sum() < 9
    # At the limit and below, the value is the true one.
    assert march(costs, seeds, values, np.array([[0, 4]]), 4.0)[0, 4] == 4.0
    # One wanted cell within, one beyond: a mean of both must be right, so both are solved.
    part = march(costs, seeds, values, np.array([[0, 3], [0, 30]]), 4.0)[0]
    assert (part[3], part[30]) == (3.0, 30.0)


def test_lines_of_sight_are_sampled_as_numpy_would():
    rng = np.random.default_rng(5)
    free, origin, seen = rng.random((60, 80)) < 0.97, np.array([-2.0, 1.0]), []
    for start, end in rng.uniform([-3, 0], [7, 8], (400, 2, 2)):
        count = max(2, math.ceil(float(np.hypot(*(end - start))) / 0.05) + 1)
        points = start + np.linspace(0.0, 1.0, count)[:, None] * (end - start)
        column, row = np.floor((points - origin) / 0.1).astype(np.int64).T
        inside = (row >= 0) & (row < 60) & (column >= 0) & (column < 80)
        seen.append(bool(inside.all() and free[row, column].all()))
        assert line_of_sight(free, 0.1, origin, start, end) == seen[-1]
    assert 20 < sum(seen) < 380
