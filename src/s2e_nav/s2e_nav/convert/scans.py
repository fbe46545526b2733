"""Range scans: sensor_msgs/LaserScan to records and back."""

from __future__ import annotations

import math

import numpy as np
from sensor_msgs.msg import LaserScan

from s2e_core.errors import ContractError
from s2e_core.range_scan import MAX_BEAMS, RangeScan
from s2e_core.se2 import Pose2
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import ConversionError


def scan_from_ranges(
    ranges: np.ndarray, stamp_ns: int, max_range: float, frame_id: str = 'base_link'
) -> LaserScan:
    """Write distances from -pi to pi; inf where nothing is near. [beams] float32"""
    scan = LaserScan()
    scan.header.stamp, scan.header.frame_id = to_time(stamp_ns), frame_id
    scan.angle_min = -math.pi
    scan.angle_increment = 2.0 * math.pi / max(len(ranges), 1)
    scan.angle_max = scan.angle_min + scan.angle_increment * (len(ranges) - 1)
    scan.range_min, scan.range_max = 0.01, float(max_range)
    scan.ranges = np.asarray(ranges, np.float32).tolist()
    return scan


def scan_from_message(message: LaserScan, frame_id: str = 'base_link') -> RangeScan:
    """Read a scan that was taken from base_link.

    Raises:
        ConversionError: Another frame, too many beams, or limits that make no sense.
    """
    if message.header.frame_id.lstrip('/') != frame_id:
        raise ConversionError(
            f'a scan must be in {frame_id}, got {message.header.frame_id!r:.60}'
        )
    # An array that is too long is refused before it is copied.
    if len(message.ranges) > MAX_BEAMS:
        raise ConversionError(f'a scan has at most {MAX_BEAMS} beams, got {len(message.ranges)}')
    try:
        return RangeScan(
            to_ns(message.header.stamp), Pose2(), float(message.angle_min),
            float(message.angle_increment), np.asarray(message.ranges, np.float64),
            float(message.range_min), float(message.range_max),
        )
    except ContractError as error:
        raise ConversionError(str(error)) from error
