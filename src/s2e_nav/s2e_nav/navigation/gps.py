"""Where GPS goals lie in the odometry frame, or why that cannot be said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2e_core.config import check, option
from s2e_core.geodesy import Geodetic, east_north, odom_from_geodetic
from s2e_core.se2 import Pose2, wrap_angle
from s2e_nav.navigation.codes import Code, GoalRefusedError


@dataclass(frozen=True)
class GpsConfig:
    """What makes a fix and a heading good enough to begin a drive."""

    max_age: float = option(2.0, unit='s', low=0.1, high=60, help='Oldest fix and heading.')
    max_deviation: float = option(
        5.0, unit='m', low=0.01, high=100, help='Largest standard deviation of a fix.'
    )
    max_heading_deviation: float = option(
        0.35, unit='rad', low=0.001, high=3.2, help='Largest standard deviation of the heading.'
    )
    max_distance: float = option(
        5000.0, unit='m', low=10, high=100000, help='Farther goals are taken for mistakes.'
    )
    heading_offset: float = option(
        0.0, unit='rad', low=-3.2, high=3.2,
        help='Added to the heading: magnetic declination, or how the sensor is mounted.',
    )
    # A fix wanders by metres from second to second: a tenth of each correction, at 1 Hz, follows
    # the drift of odometry and averages the wandering out.
    correction: float = option(
        0.1, low=0, high=1, help='Share of each new fix that moves the goal; 0 keeps it in odom.'
    )

    def __post_init__(self) -> None:
        check(self, source='gps')


@dataclass(frozen=True)
class Fix:
    """A GPS fix and where odometry had the robot at that time."""

    place: Geodetic
    deviation: float
    """Standard deviation, metres; NaN where the receiver does not say."""
    pose: Pose2
    """odom <- base_link."""
    time: float
    """Steady clock, seconds."""


@dataclass(frozen=True)
class Heading:
    """An absolute heading."""

    yaw: float
    """base_link's x axis, radians from east, counter-clockwise (REP-103)."""
    deviation: float
    """Standard deviation, radians; NaN where the sensor does not say."""
    time: float
    """Steady clock, seconds."""


class GpsLocaliser:
    """Keeps the newest fix and heading and answers goals from them."""

    def __init__(self, config: GpsConfig | None = None) -> None:
        """Start without either."""
        self._config = config or GpsConfig()
        self._fix: Fix | None = None
        self._heading: Heading | None = None
        self._why_no_fix = 'no fix has come on gps/fix'

    def add_fix(self, fix: Fix | None, problem: str = '') -> None:
        """Take a fix, or the receiver's word that it has none."""
        self._fix, self._why_no_fix = fix, problem or self._why_no_fix

    def add_heading(self, heading: Heading) -> None:
        """Take a heading."""
        self._heading = heading

    def locate(self, place: Geodetic, now: float, pose: Pose2) -> np.ndarray:
        """Express a place in the odometry frame.

        Args:
            place: The goal.
            now: Steady clock, seconds.
            pose: odom <- base_link now, for the heading that is newer than the fix.

        Returns:
            Metres, odom frame. [2]

        Raises:
            GoalRefusedError: Without a good fix or heading, or for a goal too far away.
        """
        fix, heading = self._good_fix(now), self._good_heading(now)
        # The heading is now's; seen from the fix the robot may have turned since.
        turned = wrap_angle(pose.yaw - fix.pose.yaw)
        yaw = heading.yaw + self._config.heading_offset - turned
        distance = float(np.hypot(*east_north(fix.place, place)))
        if distance > self._config.max_distance:
            raise GoalRefusedError(
                Code.INVALID_GOAL,
                f'the goal is {distance / 1000:.1f} km away, farther than the '
                f'{self._config.max_distance / 1000:g} km of gps.max_distance',
            )
        return odom_from_geodetic(place, fix.place, yaw, fix.pose)

    def _good_fix(self, now: float) -> Fix:
        fix, config = self._fix, self._config
        if fix is None:
            raise GoalRefusedError(Code.NO_GPS, f'no GPS position: {self._why_no_fix}')
        if now - fix.time > config.max_age:
            raise GoalRefusedError(
                Code.NO_GPS, f'no GPS position: the last fix is {now - fix.time:.1f} s old'
            )
        if fix.deviation > config.max_deviation:
            raise GoalRefusedError(
                Code.NO_GPS,
                f'no GPS position: its standard deviation is {fix.deviation:.1f} m, at most '
                f'{config.max_deviation:g} m are allowed (gps.max_deviation)',
            )
        return fix

    def _good_heading(self, now: float) -> Heading:
        heading, config = self._heading, self._config
        if heading is None:
            raise GoalRefusedError(
                Code.NO_GPS,
                'no heading has come on gps/heading (sensor_msgs/Imu): a position alone does '
                'not say where the goal lies from the robot',
            )
        if now - heading.time > config.max_age:
            raise GoalRefusedError(
                Code.NO_GPS, f'no heading: the last one is {now - heading.time:.1f} s old'
            )
        if heading.deviation > config.max_heading_deviation:
            raise GoalRefusedError(
                Code.NO_GPS,
                f'no heading: its standard deviation is {heading.deviation:.2f} rad, at most '
                f'{config.max_heading_deviation:g} rad are allowed',
            )
        return heading


class GpsTarget:
    """A GPS goal that is driven to: new fixes move it against odometry, gently."""

    def __init__(
        self, localiser: GpsLocaliser, place: Geodetic, share: float, now: float, pose: Pose2
    ) -> None:
        """Locate the goal for the first time.

        Raises:
            GoalRefusedError: It cannot be located.
        """
        self._localiser, self._place, self._share = localiser, place, share
        self._point = localiser.locate(place, now, pose)
        self._moved_at = now

    def points(self, now: float, pose: Pose2) -> np.ndarray:
        """Return the goal, metres, odom frame. Without GPS it stays where it was. [1, 2]"""
        if now - self._moved_at >= 1.0:
            self._moved_at = now
            try:
                seen = self._localiser.locate(self._place, now, pose)
            except GoalRefusedError:
                # Odometry carries on: a tunnel is no reason to stop.
                seen = self._point
            self._point = self._point + self._share * (seen - self._point)
        return self._point[None]

