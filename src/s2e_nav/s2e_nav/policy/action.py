"""The actions navigate_to_pose and navigate_through_poses, where nav2_msgs is installed.

Fields differ between distributions: results and feedback get the fields that the installed
version has, and a route is a list of poses (Jazzy) or nav_msgs/Goals (Kilted).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import nav2_msgs.msg
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseStamped
from nav2_msgs.action import NavigateThroughPoses, NavigateToPose
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node
from rclpy.task import Future

from s2e_nav.navigation.codes import GoalRefusedError
from s2e_nav.navigation.mission import Ending, Kind, Mission, Outcome, Progress

Begin = Callable[[Sequence[PoseStamped], str, Kind, object], None]
"""Begins a goal from poses, their default frame, its kind and the ticket of its action, or
raises GoalRefusedError."""


class Ticket:
    """One goal of an action server, from its acceptance to its result."""

    def __init__(
        self, handle: Any, action: Any, poses: Sequence[PoseStamped], future: Future[Any]
    ) -> None:
        """Take the server's handle."""
        self.handle, self.action, self.poses, self._future = handle, action, poses, future

    def settle(self, ending: Ending) -> None:
        """Say how it ended; only the first word counts."""
        if not self._future.done():
            self._future.set_result(ending)


class NavigationActions:
    """Two action servers on one robot: whichever is asked last drives."""

    def __init__(
        self, node: Node, begin: Begin, cancel: Callable[[object], object],
        is_active: Callable[[], bool],
    ) -> None:
        """Offer the actions.

        Args:
            node: Owner.
            begin: Begins a goal.
            cancel: Ends the goal of a ticket, at once.
            is_active: Whether goals are taken at all; others are rejected, as Nav2 does.
        """
        self._node, self._begin, self._cancel = node, begin, cancel
        self._is_active = is_active
        self._tickets: dict[bytes, Ticket] = {}
        self._servers = [
            ActionServer(
                node, kind, name, execute, goal_callback=self._on_goal,
                cancel_callback=self._on_cancel,
            )
            for kind, name, execute in (
                (NavigateToPose, 'navigate_to_pose', self._to_pose),
                (NavigateThroughPoses, 'navigate_through_poses', self._through_poses),
            )
        ]

    def destroy(self) -> None:
        """Close the servers."""
        for server in self._servers:
            server.destroy()

    @staticmethod
    def end(ending: Ending) -> None:
        """Send the result of the goal that ended, if an action asked for it."""
        if isinstance(ending.mission.ticket, Ticket):
            ending.mission.ticket.settle(ending)

    @staticmethod
    def feedback(ticket: object, pose: PoseStamped, progress: Progress) -> None:
        """Tell how it goes."""
        if not isinstance(ticket, Ticket):
            return
        message = filled(
            ticket.action.Feedback(), current_pose=pose,
            navigation_time=_duration(progress.elapsed),
            estimated_time_remaining=_duration(progress.seconds_left), number_of_recoveries=0,
            distance_remaining=float(progress.distance),
            number_of_poses_remaining=progress.remaining,
            waypoint_statuses=_statuses(ticket.poses, progress.remaining),
        )
        ticket.handle.publish_feedback(message)

    def _on_goal(self, request: Any) -> GoalResponse:
        if self._is_active():
            return GoalResponse.ACCEPT
        self._node.get_logger().warning('goal rejected: the policy node is not active')
        return GoalResponse.REJECT

    def _on_cancel(self, handle: Any) -> CancelResponse:
        ticket = self._tickets.get(bytes(handle.goal_id.uuid))
        if ticket is not None:
            self._cancel(ticket)
        return CancelResponse.ACCEPT

    async def _to_pose(self, handle: Any) -> Any:
        return await self._drive(handle, [handle.request.pose], '', Kind.POSE, NavigateToPose)

    async def _through_poses(self, handle: Any) -> Any:
        poses, frame = handle.request.poses, ''
        if hasattr(poses, 'goals'):
            frame, poses = poses.header.frame_id, poses.goals
        return await self._drive(handle, list(poses), frame, Kind.ROUTE, NavigateThroughPoses)

    async def _drive(
        self, handle: Any, poses: list[PoseStamped], frame: str, kind: Kind, action: Any
    ) -> Any:
        """Begin a goal, wait for its end and make the result of it."""
        future: Future[Any] = Future(executor=self._node.executor)
        ticket, key = Ticket(handle, action, poses, future), bytes(handle.goal_id.uuid)
        self._tickets[key] = ticket
        try:
            self._begin(poses, frame, kind, ticket)
        except GoalRefusedError as error:
            refused = Mission(0, kind, len(poses), ticket)
            ticket.settle(
                Ending(refused, Outcome.ABORTED, error.code, str(error), len(poses))
            )
        ending: Any = await future  # rclpy types a future's value as optional
        del self._tickets[key]
        if ending.outcome is Outcome.SUCCEEDED:
            handle.succeed()
        elif ending.outcome is Outcome.CANCELED and handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return filled(
            action.Result(), error_code=int(ending.code),
            error_msg='' if ending.outcome is Outcome.SUCCEEDED else ending.text,
            waypoint_statuses=_statuses(poses, ending.remaining, ending),
        )


def filled(message: Any, **values: Any) -> Any:
    """Set the fields that the installed version of a message has."""
    known = message.get_fields_and_field_types()
    for name, value in values.items():
        if name in known:
            setattr(message, name, value)
    return message


def _duration(seconds: float) -> Duration:
    whole = min(max(int(seconds), 0), 2**31 - 1)
    return Duration(sec=whole, nanosec=round((seconds % 1.0) * 1e9) % 1_000_000_000)


def _statuses(
    poses: Sequence[PoseStamped], remaining: int, ending: Ending | None = None
) -> list[Any]:
    """Say how far a route has got, where the installed version has a message for it."""
    kind = getattr(nav2_msgs.msg, 'WaypointStatus', None)
    if kind is None:
        return []
    done = len(poses) - remaining
    statuses = []
    for index, pose in enumerate(poses):
        status = kind.COMPLETED if index < done else kind.PENDING
        entry = kind(waypoint_status=status, waypoint_index=index, waypoint_pose=pose)
        if index == done and ending is not None and ending.code:
            entry.waypoint_status = kind.FAILED
            entry.error_code, entry.error_msg = int(ending.code), ending.text
        statuses.append(entry)
    return statuses
