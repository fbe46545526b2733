"""Half planes and linear programmes of the avoidance, against geometry done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navbench_gs.crowd.orca import neighbour_plane, solve


def plane_array(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)


def test_no_planes_gives_the_preferred_velocity() -> None:
    assert solve(np.zeros((1, 4)), 0, 0, 2.0, np.array([1.0, 0.5])) == (1.0, 0.5)


def test_speed_limit_shortens_the_preferred_velocity() -> None:
    vx, vy = solve(np.zeros((1, 4)), 0, 0, 1.0, np.array([3.0, 4.0]))
    assert (vx, vy) == pytest.approx((0.6, 0.8))


def test_one_plane_projects() -> None:
    # Allowed is the left of the line through (0.5, 0) along (0, 1): vx <= 0.5.
    planes = plane_array((0.5, 0.0, 0.0, 1.0))
    assert solve(planes, 1, 0, 2.0, np.array([1.0, 0.3])) == pytest.approx((0.5, 0.3))


def test_two_planes_meet_in_a_corner() -> None:
    # vx <= 0.5 and vy <= 0.2 (line along (-1, 0)): the corner is nearest to (1, 1).
    planes = plane_array((0.5, 0.0, 0.0, 1.0), (0.0, 0.2, -1.0, 0.0))
    assert solve(planes, 2, 0, 2.0, np.array([1.0, 1.0])) == pytest.approx((0.5, 0.2))


def test_contradicting_planes_share_the_violation() -> None:
    # vx <= -0.4 and vx >= 0.2 (line along (0, -1)): the middle, vx = -0.1.
    planes = plane_array((-0.4, 0.0, 0.0, 1.0), (0.2, 0.0, 0.0, -1.0))
    vx, _ = solve(planes, 2, 0, 2.0, np.array([1.0, 0.0]))
    assert vx == pytest.approx(-0.1, abs=1e-6)


def test_walls_are_kept_when_neighbours_contradict_them() -> None:
    planes = plane_array((-0.4, 0.0, 0.0, 1.0), (0.2, 0.0, 0.0, -1.0))
    vx, _ = solve(planes, 2, 1, 2.0, np.array([1.0, 0.0]))
    assert vx == pytest.approx(-0.4, abs=1e-6)


def test_overlap_is_resolved_within_the_time_step() -> None:
    # Both at rest, 0.4 m apart, radii 0.25 each: 0.1 m too near. In dt = 0.1 s they must part
    # by 1 m/s together; half of it is 0.5 m/s away from the other.
    me, other = np.array([0.0, 0, 0, 0, 0.25]), np.array([0.4, 0, 0, 0, 0.25])
    px, _, dx, dy = neighbour_plane(me, other, 2.0, 0.1, 0.5)
    assert px == pytest.approx(-0.5)
    # Allowed lies to the left of (0, 1): towards negative x.
    assert (dx, dy) == pytest.approx((0.0, 1.0))


def test_head_on_neighbour_slows_or_turns_both_alike() -> None:
    # 4 m apart, closing at 2 m/s, horizon 2.5 s: collision after 1.75 s, so v is forbidden.
    me, other = np.array([0.0, 0, 1, 0, 0.25]), np.array([4.0, 0, -1, 0, 0.25])
    mine = np.array([neighbour_plane(me, other, 2.5, 0.1, 0.5)])
    theirs = np.array([neighbour_plane(other, me, 2.5, 0.1, 0.5)])
    a = np.array(solve(mine, 1, 0, 1.3, np.array([1.0, 0.0])))
    b = np.array(solve(theirs, 1, 0, 1.3, np.array([-1.0, 0.0])))
    assert a == pytest.approx(-b, abs=1e-9)
    # With the new velocities they pass at 0.5 m or more (the sum of the radii).
    relative, place = a - b, np.array([-4.0, 0.0])
    nearest = abs(relative[0] * place[1] - relative[1] * place[0]) / np.hypot(*relative)
    assert nearest >= 0.5 - 1e-6 or np.hypot(*relative) * 2.5 <= 4.0


def test_a_share_of_one_takes_the_whole_change() -> None:
    me, other = np.array([0.0, 0, 1, 0, 0.25]), np.array([3.0, 0.1, 0, 0, 0.25])
    half = neighbour_plane(me, other, 2.0, 0.1, 0.5)
    full = neighbour_plane(me, other, 2.0, 0.1, 1.0)
    assert full[0] - 1.0 == pytest.approx(2.0 * (half[0] - 1.0))
    assert full[1] == pytest.approx(2.0 * half[1])


# To a millionth: of two planes that differ by rounding alone none is the nearer, and which one the
# solver calls impossible is chance.
angles = st.floats(0.0, 2.0 * math.pi).map(lambda value: round(value, 6))
offsets = st.floats(-1.0, 1.0).map(lambda value: round(value, 6))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(angles, offsets), min_size=1, max_size=6), angles)
def test_result_is_the_nearest_allowed_velocity(
    lines: list[tuple[float, float]], wanted: float
) -> None:
    # Against a brute-force grid of velocities.
    planes = np.array([
        (c * math.sin(a), -c * math.cos(a), math.cos(a), math.sin(a)) for a, c in lines
    ])
    preferred = np.array([math.cos(wanted), math.sin(wanted)])
    got = np.array(solve(planes, len(planes), 0, 1.0, preferred))
    axis = np.linspace(-1.0, 1.0, 101)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    grid = grid[np.hypot(grid[:, 0], grid[:, 1]) <= 1.0]
    allowed = np.ones(len(grid), bool)
    for px, py, dx, dy in planes:
        allowed &= dx * (grid[:, 1] - py) - dy * (grid[:, 0] - px) >= 0.0
    assert np.hypot(*got) <= 1.0 + 1e-6
    if allowed.any():
        best = np.hypot(*(grid[allowed] - preferred).T).min()
        assert np.hypot(*(got - preferred)) <= best + 1e-6
        for px, py, dx, dy in planes:
            assert dx * (got[1] - py) - dy * (got[0] - px) >= -1e-6
