"""Goals of the policy node: accepted into the odom frame, from a topic or an action."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseStamped

from s2e_nav.convert.poses import goal_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.frames import FrameTree


@dataclass(frozen=True)
class Goal:
    """An accepted goal."""

    point: np.ndarray
    """Odom frame, metres. [2]"""
    stamp_ns: int
    """Stamp of the request; names the goal in status messages."""


def accept(message: PoseStamped, frames: FrameTree, odom_frame: str, now_ns: int) -> Goal:
    """Bring a goal into the odom frame.

    Args:
        message: The request.
        frames: Transforms seen so far.
        odom_frame: Name of the odom frame.
        now_ns: Stands in for a stamp of zero, nanoseconds.

    Raises:
        ConversionError: Not finite, without a frame, or in one that nothing connects to odom.
    """
    source = message.header.frame_id.lstrip('/')
    if not source:
        raise ConversionError('goal has no frame_id; a goal is never assumed to be in a frame')
    point = goal_from_message(message)
    if source != odom_frame:
        point = frames.lookup(odom_frame, source).transform(point)
    return Goal(point, to_ns(message.header.stamp) or now_ns)
