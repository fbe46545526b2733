"""Routes by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from s2e_core.route import Route

CORNER = np.array([[10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])


def test_a_point_counts_at_its_radius_and_the_last_never() -> None:
    """1 m around (10, 0): at 9.1 it is passed, at 8.9 not; the end is not for the route."""
    route = Route(CORNER, 1.0)
    route.advance((0.0, 0.0))
    route.advance((8.9, 0.0))
    assert (route.index, route.remaining) == (0, 3)
    route.advance((9.1, 0.0))
    assert (route.index, route.remaining) == (1, 2)
    route.advance((10.0, 9.5))
    route.advance((0.0, 10.0))
    assert route.is_last and route.remaining == 1


def test_distance_goes_along_the_route() -> None:
    """From (0, 0): 10 + 10 + 10; from (10, 4) after the corner: 6 + 10."""
    route = Route(CORNER, 1.0)
    assert route.distance((0.0, 0.0)) == pytest.approx(30.0)
    route.advance((10.0, 0.0))
    assert route.distance((10.0, 4.0)) == pytest.approx(16.0)


def test_a_detour_around_a_waypoint_counts_once_it_is_behind() -> None:
    """In along +x, out along +y: the line through (10, 0) with normal (1, 1) / sqrt 2.

    (10.5, -2): offset (0.5, -2), dot (1, 1) = -1.5: before it. (12, 1): 2 + 1 = 3: behind it.
    """
    route = Route(CORNER, 1.0)
    route.advance((0.0, 0.0))
    route.advance((10.5, -2.0))
    assert route.index == 0
    route.advance((12.0, 1.0))
    assert route.index == 1


def test_behind_but_too_far_away_is_not_passed() -> None:
    """Beyond three radii the waypoint was missed, and the policy shall turn back to it."""
    route = Route(CORNER, 1.0)
    route.advance((0.0, 0.0))
    route.advance((13.1, 0.1))
    assert route.index == 0


def test_several_points_close_together_are_passed_at_once() -> None:
    """One image may pass more than one."""
    route = Route(np.array([[1.0, 0.0], [1.2, 0.0], [1.4, 0.0], [9.0, 0.0]]), 1.0)
    route.advance((0.9, 0.0))
    assert route.index == 3


def test_equal_points_are_no_trouble() -> None:
    """A leg without length has no direction."""
    route = Route(np.array([[1.0, 0.0], [1.0, 0.0], [5.0, 0.0]]), 0.5)
    route.advance((0.0, 0.0))
    route.advance((1.0, 0.2))
    assert route.index == 2 and math.isfinite(route.distance((1.0, 0.2)))


def test_points_move_with_the_frame_and_the_index_stays() -> None:
    """Localisation corrects odometry by (1, 0)."""
    route = Route(CORNER, 1.0)
    route.advance((10.0, 0.0))
    route.move(CORNER + (1.0, 0.0))
    assert route.index == 1
    np.testing.assert_array_equal(route.target, (11.0, 10.0))
    with pytest.raises(ValueError, match='keep 3 points, got 2'):
        route.move(CORNER[:2])


@pytest.mark.parametrize('points', [np.zeros((0, 2)), np.zeros(2), np.array([[math.nan, 0.0]])])
def test_what_is_no_route(points: np.ndarray) -> None:
    """Refused before anything drives."""
    with pytest.raises(ValueError, match='route must be'):
        Route(points, 1.0)
