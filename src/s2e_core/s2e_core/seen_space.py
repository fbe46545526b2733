"""Where somebody has looked, or the robot itself was, in the last seconds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from s2e_core.range_scan import RangeScan
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2, wrap_angle

Floats = NDArray[np.float64]
APART = 0.1
"""Metres, or radians, between looks that are kept beside the newest."""
MAX_KEPT = 300
"""15 m of way or more; beyond, the oldest go first."""
GLANCE = 3.0
"""Metres before the camera in which a picture shows what stands there."""
TOUCH = 1e-6
"""Metres: the outline of a body lies on it, rounding aside."""

Entry = tuple[int, Pose2, RangeScan | None]


class _Trail:
    """Poses with their time, thinned: the newest, and before it only those that lie apart."""

    def __init__(self) -> None:
        self._kept: list[Entry] = []

    def add(self, stamp_ns: int, pose: Pose2, scan: RangeScan | None = None) -> None:
        """Take a pose; a stamp from before begins anew."""
        if self._kept and stamp_ns < self._kept[-1][0]:
            self._kept.clear()
        if len(self._kept) > 1 and all(_near(before[1], pose) for before in self._kept[-2:]):
            # Looked again from the same place: what it shows now is truer.
            self._kept.pop()
        self._kept.append((stamp_ns, pose, scan))
        del self._kept[:-MAX_KEPT]

    def since(self, stamp_ns: int) -> Iterator[Entry]:
        """Forget what is older and yield the rest, the newest first."""
        self._kept = [entry for entry in self._kept if entry[0] >= stamp_ns]
        yield from reversed(self._kept)


class SeenSpace:
    """Remembers looks and places by odometry."""

    def __init__(self, robot: RobotProfile, seconds: float) -> None:
        """Start blind.

        Args:
            robot: Gives the footprint, where nothing else stands, and the camera.
            seconds: How long a look counts.
        """
        self._half = np.array([robot.length, robot.width]) / 2
        camera = robot.camera
        self._camera, self._half_view = np.array([camera.x, camera.y]), camera.hfov / 2
        self._span_ns = round(seconds * 1e9)
        self._looks, self._places = _Trail(), _Trail()

    def look(self, scan: RangeScan, pose: Pose2) -> None:
        """Take what a source sees.

        Args:
            scan: The look.
            pose: odom <- base_link at its stamp.
        """
        self._looks.add(scan.stamp_ns, pose, scan)

    def stand(self, stamp_ns: int, pose: Pose2) -> None:
        """Take where the robot is, odom <- base_link."""
        self._places.add(stamp_ns, pose)

    def unseen(
        self, points: Floats, now_ns: int, glances: bool = False
    ) -> NDArray[np.bool_]:
        """Tell which points nobody has seen.

        Args:
            points: odom, metres. [N, 2]
            now_ns: On the clock of the stamps.
            glances: Whether what lay before the camera counts, measured or not.

        Returns:
            One flag a point. [N]
        """
        since = now_ns - self._span_ns
        left = np.ones(len(points), np.bool_)
        for trail in (self._places, self._looks):
            for _, pose, scan in trail.since(since):
                if not left.any():
                    return left
                local = pose.inverse().transform(points[left])
                if scan is not None:
                    left[left] = ~scan.sees(local)
                    continue
                known = (np.abs(local) <= self._half + TOUCH).all(axis=1)
                left[left] = ~(known | self._before_camera(local)) if glances else ~known
        return left

    def _before_camera(self, local: Floats) -> NDArray[np.bool_]:
        ahead = local - self._camera
        return (local[:, 0] >= self._half[0]) & (np.hypot(*ahead.T) <= GLANCE) & (
            np.abs(np.arctan2(ahead[:, 1], ahead[:, 0])) <= self._half_view
        )


def _near(one: Pose2, other: Pose2) -> bool:
    moved = one.distance_to((other.x, other.y))
    return moved < APART and abs(wrap_angle(one.yaw - other.yaw)) < APART
