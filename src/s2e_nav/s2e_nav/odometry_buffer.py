"""Odometry at the time of an image."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from s2e_core.records import Odometry
from s2e_core.se2 import Pose2, wrap_angle


class OdometryBuffer:
    """Keeps two seconds of odometry and interpolates between samples."""

    def __init__(self, horizon_ns: int = 2_000_000_000) -> None:
        """Start empty.

        Args:
            horizon_ns: How far back it reaches, nanoseconds.
        """
        self._horizon = horizon_ns
        self._samples: deque[Odometry] = deque()

    @property
    def newest(self) -> Odometry | None:
        """The newest sample."""
        return self._samples[-1] if self._samples else None

    def add(self, odometry: Odometry) -> None:
        """Take a sample; a stamp that goes back, or leaps past the horizon, begins anew."""
        if self._samples:
            step = odometry.stamp_ns - self._samples[-1].stamp_ns
            if step == 0:
                return
            if step < 0 or step > self._horizon:
                self._samples.clear()
        self._samples.append(odometry)
        while self._samples[-1].stamp_ns - self._samples[0].stamp_ns > self._horizon:
            self._samples.popleft()

    def covers(self, stamp_ns: int) -> bool:
        """Whether a sample at or after the time has come."""
        return bool(self._samples) and self._samples[-1].stamp_ns >= stamp_ns

    def at(self, stamp_ns: int, slack_ns: int = 0) -> Odometry | None:
        """Return odometry at a time, the very sample where stamps are equal.

        Args:
            stamp_ns: Nanoseconds.
            slack_ns: How far outside the samples the nearest one is still good enough.

        Returns:
            The sample, or None if none is near.
        """
        if not self._samples:
            return None
        samples = list(self._samples)
        index = bisect_left(samples, stamp_ns, key=lambda sample: sample.stamp_ns)
        if index < len(samples) and samples[index].stamp_ns == stamp_ns:
            return samples[index]
        if index in (0, len(samples)):
            nearest = samples[0] if index == 0 else samples[-1]
            return nearest if abs(nearest.stamp_ns - stamp_ns) <= slack_ns else None
        return _between(samples[index - 1], samples[index], stamp_ns)


def _between(a: Odometry, b: Odometry, stamp_ns: int) -> Odometry:
    share = (stamp_ns - a.stamp_ns) / (b.stamp_ns - a.stamp_ns)
    turn = wrap_angle(b.pose.yaw - a.pose.yaw)
    pose = Pose2(
        a.pose.x + share * (b.pose.x - a.pose.x),
        a.pose.y + share * (b.pose.y - a.pose.y),
        wrap_angle(a.pose.yaw + share * turn),
    )
    return Odometry(stamp_ns, pose, a.v + share * (b.v - a.v), a.w + share * (b.w - a.w))
