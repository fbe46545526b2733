"""The action navigate_to_pose, where nav2_msgs is installed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from nav2_msgs.action import NavigateToPose
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node
from rclpy.task import Future

from s2e_nav.errors import ConversionError

FAILED = 1
"""error_code of every failure; error_msg says which. Zero is success."""


class NavigateAction:
    """One goal at a time; a new one takes the place of the old one."""

    def __init__(
        self, node: Node, start: Callable[[PoseStamped], None], cancel: Callable[[], None]
    ) -> None:
        """Offer the action.

        Args:
            node: Owner.
            start: Accepts a goal or raises ConversionError.
            cancel: Drops it.
        """
        self._node, self._start, self._cancel = node, start, cancel
        self._lock = threading.Lock()
        self._handle: Any = None
        self._done: Future[tuple[str, str]] | None = None
        self._server = ActionServer(
            node, NavigateToPose, 'navigate_to_pose', self._execute,
            goal_callback=lambda request: GoalResponse.ACCEPT,
            cancel_callback=self._on_cancel,
        )

    def destroy(self) -> None:
        """Close the server."""
        self.end('aborted', 'policy is shutting down')
        self._server.destroy()

    def end(self, outcome: str, text: str = '') -> None:
        """End the goal in progress: succeeded, aborted or canceled."""
        with self._lock:
            done, self._done = self._done, None
        if done is not None and not done.done():
            done.set_result((outcome, text))

    def feedback(self, x: float, y: float, distance: float, elapsed: float) -> None:
        """Tell how it goes; ignored without a goal."""
        with self._lock:
            handle = self._handle if self._done is not None else None
        if handle is None:
            return
        message = NavigateToPose.Feedback()
        message.current_pose.header.frame_id = 'odom'
        message.current_pose.pose.position.x, message.current_pose.pose.position.y = x, y
        message.distance_remaining = float(distance)
        message.navigation_time.sec = int(elapsed)
        handle.publish_feedback(message)

    def _on_cancel(self, handle: Any) -> CancelResponse:
        self._cancel()
        self.end('canceled', 'cancelled by the client')
        return CancelResponse.ACCEPT

    async def _execute(self, handle: Any) -> Any:
        self.end('aborted', 'replaced by a newer goal')
        done: Future[tuple[str, str]] = Future(executor=self._node.executor)
        with self._lock:
            self._handle, self._done = handle, done
        result = NavigateToPose.Result()
        try:
            self._start(handle.request.pose)
        except ConversionError as error:
            self.end('aborted', str(error))
        ended: Any = await done  # rclpy types a future's value as optional
        outcome, text = ended
        result.error_code = 0 if outcome == 'succeeded' else FAILED
        result.error_msg = text
        if outcome == 'succeeded':
            handle.succeed()
        elif outcome == 'canceled' and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result
