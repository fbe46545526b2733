"""Distances along bearings, from whatever sensor, and where they end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.contract import FREE_SPACE_BEARINGS, PolicyOutput
from s2e_core.errors import ContractError
from s2e_core.se2 import Pose2

Floats = NDArray[np.float64]
MAX_BEAMS = 10_000
"""A lidar has some thousands; past this somebody sends nonsense."""
FREE_REACH = 10.0
"""Metres at which `free_space` saturates: nothing was seen nearer."""


@dataclass(frozen=True)
class RangeScan:
    """One look of a scanner, a depth camera, a map or a policy's `free_space`."""

    stamp_ns: int
    """Nanoseconds."""
    origin: Pose2
    """base_link <- sensor."""
    angle_low: float
    """Bearing of the first beam in the sensor's frame, radians."""
    angle_step: float
    """Between two beams, counter-clockwise, radians."""
    ranges: Floats
    """Metres; infinite where nothing is near, NaN where the sensor cannot tell. [B]"""
    range_low: float = 0.01
    """Nearer readings are the sensor's own housing, metres."""
    reach: float = 10.0
    """Farther readings count as nothing seen, metres."""

    def __post_init__(self) -> None:
        if self.ranges.ndim != 1 or len(self.ranges) > MAX_BEAMS:
            raise ContractError(
                f'range scan: ranges must be [B] with B <= {MAX_BEAMS}, got {self.ranges.shape}'
            )
        numbers = (self.angle_low, self.angle_step, self.range_low, self.reach)
        known = all(math.isfinite(number) for number in numbers) and self.origin.finite
        if not known or self.angle_step <= 0 or not 0 <= self.range_low < self.reach:
            raise ContractError(
                'range scan: angles and limits must be finite, angle_step > 0 and '
                f'0 <= range_low < reach, got {numbers} from {self.origin}'
            )

    def points(self) -> Floats:
        """Return where beams end at something, base_link, metres. [N, 2]"""
        r = self.ranges
        # NaN compares as false: no reading.
        hit = (r >= self.range_low) & (r < self.reach)
        angle = self.angle_low + self.angle_step * np.nonzero(hit)[0]
        ends = np.stack([r[hit] * np.cos(angle), r[hit] * np.sin(angle)], axis=1)
        return np.asarray(self.origin.transform(ends), np.float64)

    def covers(self, points: Floats) -> NDArray[np.bool_]:
        """Whether points of base_link lie in the view and within reach. [N]"""
        local = self.origin.inverse().transform(points)
        turn = np.arctan2(local[:, 1], local[:, 0]) - self.angle_low + self.angle_step / 2
        span = min(self.angle_step * len(self.ranges), 2 * math.pi)
        near = np.hypot(local[:, 0], local[:, 1]) < self.reach
        return np.asarray(near & (turn % (2 * math.pi) < span), np.bool_)

    def sees(self, points: Floats) -> NDArray[np.bool_]:
        """Whether beams get as far as points of base_link. [N]

        No echo means free up to the reach; NaN and what is nearer than `range_low` show nothing.
        """
        local = self.origin.inverse().transform(points)
        if not len(self.ranges):
            return np.zeros(len(points), np.bool_)
        turn = np.arctan2(local[:, 1], local[:, 0]) - self.angle_low + self.angle_step / 2
        beam = (turn % (2 * math.pi) / self.angle_step).astype(np.int64)
        known = beam < len(self.ranges)
        r = self.ranges[np.where(known, beam, 0)]
        way = np.where(r >= self.range_low, np.minimum(r, self.reach), -1.0)
        return np.asarray(known & (np.hypot(local[:, 0], local[:, 1]) <= way), np.bool_)


def scan_from_free_space(
    output: PolicyOutput, camera: CameraModel, mount: CameraMount, confidence: float
) -> RangeScan | None:
    """Read a policy's own `free_space` as a scan, or None if it has none that can be used.

    Args:
        output: The policy's answer.
        camera: The policy's camera, whose field of view the bearings divide.
        mount: Its place on the robot; distances count from its foot.
        confidence: Bearings with less tell nothing.
    """
    free = output.free_space
    if free is None or free.shape != (FREE_SPACE_BEARINGS,) or not np.isfinite(free).all():
        return None
    sure = output.free_confidence
    ranges = np.asarray(free, np.float64).copy()
    if sure is not None and sure.shape == free.shape:
        ranges[~(sure >= confidence)] = np.nan
    half = math.atan(min(camera.cx, camera.width - camera.cx) / camera.fx)
    step = 2.0 * half / len(ranges)
    # The contract goes left to right, a scan counter-clockwise.
    return RangeScan(
        output.stamp_ns, Pose2(mount.x, mount.y), -half + step / 2, step, ranges[::-1],
        reach=FREE_REACH,
    )
