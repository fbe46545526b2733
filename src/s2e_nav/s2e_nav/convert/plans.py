"""Plans: nav_msgs/Path with a stamp on each pose."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path

from s2e_core.contract import WAYPOINT_DT
from s2e_core.records import Plan
from s2e_nav.convert.stamps import to_ns, to_time
from s2e_nav.errors import ConversionError

MAX_POINTS = 1000


def path_from_plan(plan: Plan, frame_id: str = 'odom') -> Path:
    """Write a plan; no poses mean: stand still."""
    path = Path()
    path.header.stamp, path.header.frame_id = to_time(plan.stamp_ns), frame_id
    poses = []
    for index, (x, y) in enumerate(plan.points):
        pose = PoseStamped()
        pose.header.frame_id = frame_id
        pose.header.stamp = to_time(plan.stamp_ns + round((index + 1) * plan.dt * 1e9))
        pose.pose.position.x, pose.pose.position.y = float(x), float(y)
        poses.append(pose)
    path.poses = poses
    return path


def plan_from_path(path: Path) -> Plan:
    """Read a plan.

    Raises:
        ConversionError: A point is not finite, or the stamps are not evenly spaced.
    """
    stamp = to_ns(path.header.stamp)
    count = len(path.poses)
    if count > MAX_POINTS:
        raise ConversionError(f'trajectory may have {MAX_POINTS} poses, got {count}')
    if count == 0:
        return Plan(stamp, np.zeros((0, 2)), WAYPOINT_DT)
    points = np.array([(p.pose.position.x, p.pose.position.y) for p in path.poses], np.float64)
    if not np.isfinite(points).all():
        raise ConversionError('trajectory holds a position that is not finite')
    due = np.array([to_ns(p.header.stamp) for p in path.poses], np.int64) - stamp
    step = int(due[0])
    # A microsecond of rounding is allowed; the last pose shows the accumulated error.
    if step <= 0 or np.abs(due - step * np.arange(1, count + 1)).max() > 1000 * count:
        raise ConversionError(
            f'trajectory poses must be stamped evenly after the header, got {due[:3].tolist()} ns'
        )
    return Plan(stamp, points, step / 1e9)
