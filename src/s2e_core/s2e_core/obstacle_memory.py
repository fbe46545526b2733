"""Where something was seen in the last moments, also beside and behind the sensor's view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from s2e_core.range_scan import RangeScan
from s2e_core.se2 import Pose2

Floats = NDArray[np.float64]
MAX_POINTS = 20_000
"""Two seconds of a lidar with 1000 beams at 10 Hz; beyond, the oldest go first."""


class ObstacleMemory:
    """Points in odom; a new look replaces what older ones said of the same view.

    A robot that turns off sweeps its tail through what the camera saw a second ago.
    """

    def __init__(self, seconds: float) -> None:
        """Start without a look.

        Args:
            seconds: How long points outside the newest view are kept.
        """
        self._span_ns = round(seconds * 1e9)
        self._points: Floats = np.zeros((0, 2))
        self._times: NDArray[np.int64] = np.zeros(0, np.int64)
        self.stamp_ns: int | None = None
        """Stamp of the newest look, nanoseconds."""

    def clear(self) -> None:
        """Forget everything; what comes next belongs to another drive."""
        self._points, self._times = np.zeros((0, 2)), np.zeros(0, np.int64)
        self.stamp_ns = None

    def add(self, scan: RangeScan, pose: Pose2) -> None:
        """Take a look.

        Args:
            scan: What was seen.
            pose: odom <- base_link at its stamp.
        """
        if self.stamp_ns is not None and scan.stamp_ns < self.stamp_ns:
            self.clear()
        self.stamp_ns = scan.stamp_ns
        kept = self._times >= scan.stamp_ns - self._span_ns
        kept &= ~scan.covers(pose.inverse().transform(self._points))
        new = pose.transform(scan.points())
        self._points = np.concatenate([self._points[kept], new])[-MAX_POINTS:]
        times = np.full(len(new), scan.stamp_ns, np.int64)
        self._times = np.concatenate([self._times[kept], times])[-MAX_POINTS:]

    def near(self, pose: Pose2, radius: float) -> Floats:
        """Return the points around the robot, base_link, metres. [N, 2]

        Args:
            pose: odom <- base_link.
            radius: Metres.
        """
        # Read once: scans may come in another thread than the policy's.
        points = self._points
        offset = points - (pose.x, pose.y)
        close = np.abs(offset).max(axis=1) < radius if len(offset) else np.zeros(0, np.bool_)
        return np.asarray(pose.inverse().transform(points[close]), np.float64)
