"""Wheel odometry that drifts with the distance driven."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from navbench_gs.tasks.protocol import DriftRules
from s2e_core.config import check, option
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2

YAW_DECIMALS = 9
"""Yaw is reported to a nanoradian, so that it survives a quaternion to the last bit and episodes
through ROS and without it are equal."""


@dataclass(frozen=True)
class Drift:
    """How wrong odometry grows; the protocol's values by default."""

    distance: float = option(0.005, low=0.0, high=0.5, help='Scale error, share of distance.')
    yaw: float = option(
        math.radians(0.02), unit='rad/m', low=0.0, high=1.0, help='0.2 degrees per 10 m.'
    )
    long_route: float = option(
        60.0, unit='m', low=0.0, help='Routes at least this long do not drift.'
    )

    def __post_init__(self) -> None:
        check(self, source='odometry drift')


def drift_of(rules: DriftRules) -> Drift:
    """Return a protocol's drift in the units of this module."""
    return Drift(rules.distance / 100.0, np.deg2rad(rules.yaw) / 10.0, rules.long_route)


class DriftingOdometry:
    """Integrates true motion with a scale error and a yaw error per metre.

    The magnitudes are the protocol's, so every episode is equally hard; the two signs are
    drawn from the episode's seed.
    """

    def __init__(self, drift: Drift, seed: int, geodesic: float, start: Pose2) -> None:
        """Start at the origin of odom.

        Args:
            drift: Error rates.
            seed: The episode's seed.
            geodesic: Length of the route, metres; a long one does not drift.
            start: map <- base_link at time 0, where odom and base_link agree.
        """
        sequence = np.random.SeedSequence([seed, 0x0D0])
        signs = np.random.default_rng(sequence).choice((-1.0, 1.0), size=2)
        active = 0.0 if geodesic >= drift.long_route else 1.0
        self.scale = 1.0 + active * float(signs[0]) * drift.distance
        self.yaw_rate = active * float(signs[1]) * drift.yaw
        self.pose = Pose2()
        self._true = start

    def update(self, true_pose: Pose2) -> None:
        """Add the motion since the last call.

        Args:
            true_pose: map <- base_link now.
        """
        step = self._true.inverse().compose(true_pose)
        length = math.hypot(step.x, step.y)
        self.pose = self.pose.compose(
            Pose2(self.scale * step.x, self.scale * step.y, step.yaw + self.yaw_rate * length)
        )
        self._true = true_pose

    def read(self, stamp_ns: int, v: float, w: float) -> Odometry:
        """Return the reading.

        Args:
            stamp_ns: Time of the reading.
            v: True forward speed, m/s.
            w: True yaw rate, rad/s.
        """
        pose = Pose2(self.pose.x, self.pose.y, round(self.pose.yaw, YAW_DECIMALS))
        return Odometry(stamp_ns, pose, self.scale * v, w + self.yaw_rate * abs(v))
