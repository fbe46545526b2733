"""Latitude and longitude to metres: a plane that touches the WGS 84 ellipsoid at the robot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from s2e_core.errors import ContractError
from s2e_core.se2 import Pose2

# NIMA TR8350.2: semi-major axis, metres, and flattening of WGS 84.
SEMI_MAJOR = 6_378_137.0
FLATTENING = 1 / 298.257223563
ECCENTRICITY_2 = FLATTENING * (2.0 - FLATTENING)


@dataclass(frozen=True)
class Geodetic:
    """A place on the ellipsoid; heights are left out, robots drive on the ground."""

    latitude: float
    """Degrees, north positive."""
    longitude: float
    """Degrees, east positive."""

    def __post_init__(self) -> None:
        for name, value, bound in (
            ('latitude', self.latitude, 90.0), ('longitude', self.longitude, 180.0)
        ):
            if not math.isfinite(value) or abs(value) > bound:
                raise ContractError(f'{name} must be in -{bound:g}..{bound:g} deg, got {value}')

    def ecef(self) -> np.ndarray:
        """Return earth-centred, earth-fixed coordinates, metres. [3]"""
        lat, lon = math.radians(self.latitude), math.radians(self.longitude)
        # Prime vertical radius of curvature.
        n = SEMI_MAJOR / math.sqrt(1.0 - ECCENTRICITY_2 * math.sin(lat) ** 2)
        return np.array([
            n * math.cos(lat) * math.cos(lon),
            n * math.cos(lat) * math.sin(lon),
            n * (1.0 - ECCENTRICITY_2) * math.sin(lat),
        ])


def east_north(origin: Geodetic, place: Geodetic) -> np.ndarray:
    """Project a place to the plane that touches the ellipsoid at the origin.

    The plane leaves the ground by d^2 / 2R: 8 cm after a kilometre, and a distance along the
    ground is shortened by d^3 / 6R^2: a millimetre after two.

    Args:
        origin: Where the plane touches.
        place: What is projected.

    Returns:
        Metres to the east and to the north. [2]
    """
    lat, lon = math.radians(origin.latitude), math.radians(origin.longitude)
    difference = place.ecef() - origin.ecef()
    east = np.array([-math.sin(lon), math.cos(lon), 0.0])
    north = np.array([
        -math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)
    ])
    return np.array([east @ difference, north @ difference])


def odom_from_geodetic(
    place: Geodetic, robot: Geodetic, heading: float, pose: Pose2
) -> np.ndarray:
    """Express a place in the odometry frame of a robot that knows where it is and looks.

    Args:
        place: The goal.
        robot: The robot's place.
        heading: Where base_link's x axis points, radians from east, counter-clockwise (REP-103).
        pose: odom <- base_link at that time.

    Returns:
        Metres, odom frame. [2]
    """
    base = Pose2(0.0, 0.0, heading).inverse().transform(east_north(robot, place))
    return pose.transform(base)
