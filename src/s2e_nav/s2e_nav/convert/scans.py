"""Range scans: sensor_msgs/LaserScan to records and back."""

from __future__ import annotations

import math

import numpy as np
from sensor_msgs.msg import LaserScan

from s2e_nav.convert.stamps import to_time


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
