"""The tangent plane by hand and against published lengths of a degree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.errors import ContractError
from s2e_core.geodesy import Geodetic, east_north, odom_from_geodetic
from s2e_core.se2 import Pose2


def test_ecef_by_hand() -> None:
    """On the equator the radius is a; at the pole it is b = a (1 - f) = 6 356 752.314 m."""
    np.testing.assert_allclose(Geodetic(0, 0).ecef(), (6_378_137.0, 0, 0), atol=1e-6)
    np.testing.assert_allclose(Geodetic(0, 90).ecef(), (0, 6_378_137.0, 0), atol=1e-6)
    np.testing.assert_allclose(Geodetic(90, 0).ecef(), (0, 0, 6_356_752.3142), atol=1e-3)


@pytest.mark.parametrize(
    ('latitude', 'east', 'north'),
    # Lengths of a degree on WGS 84 (Wikipedia, Geographic coordinate system), thousandths here.
    [(0.0, 111.320, 110.574), (45.0, 78.847, 111.132), (60.0, 55.800, 111.412)],
)
def test_a_thousandth_of_a_degree(latitude: float, east: float, north: float) -> None:
    """To half a centimetre per hundred metres, as the table is given."""
    origin = Geodetic(latitude, 11.0)
    x = east_north(origin, Geodetic(latitude, 11.001))
    y = east_north(origin, Geodetic(latitude + 0.001, 11.0))
    assert x == pytest.approx((east, 0.0), abs=5e-3)
    assert y == pytest.approx((0.0, north), abs=5e-3)


def test_the_date_line_is_no_edge() -> None:
    """0.002 deg of longitude on the equator: 2 x 111.32 m, across 180 deg."""
    moved = east_north(Geodetic(0, 179.999), Geodetic(0, -179.999))
    assert moved == pytest.approx((222.64, 0.0), abs=0.01)


def test_a_goal_in_odom_by_hand() -> None:
    """100 m to the north, seen from a robot that looks north: 100 m ahead of it.

    The robot stands at odom (5, 2) and looks along odom's y axis there (yaw 90 deg).
    """
    robot = Geodetic(45.0, 11.0)
    north = Geodetic(45.0 + 100.0 / 111_131.78, 11.0)
    pose = Pose2(5.0, 2.0, math.pi / 2)
    point = odom_from_geodetic(north, robot, math.pi / 2, pose)
    assert point == pytest.approx((5.0, 102.0), abs=0.01)
    # The same robot looking east has the goal to its left, which is odom's -x.
    point = odom_from_geodetic(north, robot, 0.0, pose)
    assert point == pytest.approx((-95.0, 2.0), abs=0.01)


@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_there_and_back_is_a_half_turn(lat: float, lon: float, dlat: float, dlon: float) -> None:
    """Within a kilometre and a half both planes are one: 1.5 km / 6378 km x 1.5 km = 0.4 m."""
    a = Geodetic(lat, lon)
    b = Geodetic(lat + dlat, max(-180.0, min(180.0, lon + dlon)))
    there, back = east_north(a, b), east_north(b, a)
    # Meridians converge by sin(lat) dlon: at 80 deg a degree's hundredth turns 1.7e-4 rad.
    assert np.hypot(*(there + back)) < 1.0


@pytest.mark.parametrize(('lat', 'lon'), [(91, 0), (0, 181), (math.nan, 0), (0, math.inf)])
def test_what_is_no_place(lat: float, lon: float) -> None:
    """Swapped, or never set."""
    with pytest.raises(ContractError, match='itude must be in'):
        Geodetic(lat, lon)
