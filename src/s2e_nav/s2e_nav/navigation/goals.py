"""Goals in frames: accepted into the odometry frame, and held in their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from geometry_msgs.msg import PoseStamped

from s2e_core.se2 import Pose2
from s2e_nav.convert.poses import goal_from_message
from s2e_nav.errors import ConversionError
from s2e_nav.frames import FrameTree
from s2e_nav.navigation.codes import Code, GoalRefusedError

MAX_POINTS = 10_000
"""A route of 10 km with a point each metre."""


class Target(Protocol):
    """Where a goal lies, now."""

    def points(self, now: float, pose: Pose2) -> np.ndarray:
        """Return the points of the route, metres, odom frame. [N, 2]

        Args:
            now: Steady clock, seconds.
            pose: odom <- base_link.

        Raises:
            GoalRefusedError: That can no longer be said.
        """


class FrameTarget:
    """Poses that were asked for in frames of TF.

    A goal in map stays in map: when localisation corrects odometry, it moves in odom. A goal in a
    frame that moves with the robot is fixed in odom where it was when it was accepted.
    """

    def __init__(
        self, poses: Sequence[PoseStamped], frames: FrameTree, odom: str, now: float,
        default_frame: str = '',
    ) -> None:
        """Bring the goal into odom for the first time.

        Args:
            poses: The route, or one goal.
            frames: Transforms, kept up to date by the owner.
            odom: Name of the odometry frame.
            now: Steady clock, seconds.
            default_frame: Frame of poses that name none.

        Raises:
            GoalRefusedError: No points, not finite, without a frame, or in one that nothing
                connects to odom.
        """
        if not 1 <= len(poses) <= MAX_POINTS:
            raise GoalRefusedError(
                Code.INVALID_GOAL, f'a route has 1 to {MAX_POINTS} poses, got {len(poses)}'
            )
        self._frames, self._odom = frames, odom
        self._asked = [_read(pose, default_frame) for pose in poses]
        self._fixed = self._transform(now)
        above = [frames.is_above(frame, odom) for frame, _ in self._asked]
        self._above = np.array(above, bool)

    def points(self, now: float, pose: Pose2) -> np.ndarray:
        """Return the route where its frames lie now, metres, odom frame. [N, 2]

        Raises:
            GoalRefusedError: A frame is no longer connected to odom.
        """
        if not self._above.any():
            return self._fixed
        return np.where(self._above[:, None], self._transform(now), self._fixed)

    def _transform(self, now: float) -> np.ndarray:
        poses: dict[str, Pose2] = {self._odom: Pose2()}
        points = []
        for frame, point in self._asked:
            if frame not in poses:
                try:
                    poses[frame] = self._frames.lookup(self._odom, frame, now)
                except ConversionError as error:
                    raise GoalRefusedError(Code.UNKNOWN_FRAME, str(error)) from error
            # An exact copy where nothing is to be transformed: lock-step compares to the byte.
            points.append(point if frame == self._odom else poses[frame].transform(point))
        return np.array(points)


def _read(message: PoseStamped, default_frame: str) -> tuple[str, np.ndarray]:
    frame = (message.header.frame_id or default_frame).lstrip('/')
    if not frame:
        raise GoalRefusedError(
            Code.INVALID_GOAL,
            'the goal has no frame_id; a goal is never assumed to be in a frame',
        )
    try:
        return frame, goal_from_message(message)
    except ConversionError as error:
        raise GoalRefusedError(Code.INVALID_GOAL, str(error)) from error
