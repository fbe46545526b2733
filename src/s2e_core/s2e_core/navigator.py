"""From image, odometry and goal to one plan: history, policy, choice of mode, arrival."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np

from s2e_core.config import check, option
from s2e_core.contract import WAYPOINT_DT, Policy, PolicyOutput, PolicySpec
from s2e_core.errors import ContractError
from s2e_core.history import ObservationHistory
from s2e_core.obstacle_veto import ObstacleVeto
from s2e_core.range_scan import RangeScan
from s2e_core.records import CameraFrame, Odometry, Plan
from s2e_core.route import Route
from s2e_core.se2 import Pose2
from s2e_core.vote import ModeVote


class NavigatorStatus(str, Enum):
    """What the navigator is doing."""

    IDLE = 'idle'
    NAVIGATING = 'navigating'
    ROAMING = 'roaming'
    ARRIVED = 'arrived'
    REJECTED = 'rejected'


@dataclass(frozen=True)
class NavigatorConfig:
    """How goals are reached and modes are chosen."""

    # The benchmark asks for rest within 0.5 m of the goal in the true frame; 0.3 m leaves
    # 0.2 m for braking and for odometry that drifted by 0.5 % of 30 m.
    goal_tolerance: float = option(0.3, unit='m', low=0.05, high=5, help='Arrival distance.')
    speed_margin: float = option(
        1.5, low=1, high=5, help='A mode faster than this multiple of v_max is rejected.'
    )
    # A metre is half of what the policy plans in 1.5 s: turning towards the next point begins
    # before the robot would slow down for this one.
    pass_radius: float = option(
        1.0, unit='m', low=0.3, high=20, help='Distance at which a point of a route is passed.'
    )

    def __post_init__(self) -> None:
        check(self, source='navigator')


@dataclass(frozen=True)
class NavigatorResult:
    """The outcome of one image."""

    status: NavigatorStatus
    """What the navigator is doing."""
    plan: Plan
    """The plan; empty when the robot shall stand still."""
    output: PolicyOutput | None
    """What the policy answered, if it was asked."""
    rejected: dict[int, str]
    """Reason by index of each mode that was not allowed."""
    distance: float
    """Distance to the goal by odometry, along the route where there is one; NaN without."""
    remaining: int = 0
    """Points of the route not reached yet; 1 on the way to a single goal."""
    free_space: RangeScan | None = None
    """What the policy's own `free_space` says, where the gate is to heed it."""


class Navigator:
    """Asks the policy once an image and turns its best allowed mode into a plan."""

    def __init__(
        self, policy: Policy, config: NavigatorConfig | None = None,
        obstacles: ObstacleVeto | None = None,
    ) -> None:
        """Start idle.

        Args:
            policy: Any policy; it is reset when the image window begins anew.
            config: Tolerances.
            obstacles: What rejects modes that hit something; its owner feeds it.
        """
        self._obstacles = obstacles
        self._policy = policy
        self._config = config or NavigatorConfig()
        self._history = ObservationHistory(policy.spec)
        self._vote = ModeVote(policy.spec)
        self._route: Route | None = None
        self._roaming = False
        self._arrived = False

    @property
    def goal(self) -> np.ndarray | None:
        """The point that is driven to in the odom frame, metres, or None. [2]"""
        return None if self._route is None else self._route.target

    def set_goal(self, goal: np.ndarray | tuple[float, float]) -> None:
        """Drive to a point of the odom frame.

        Args:
            goal: Metres, odom frame. [2]

        Raises:
            ValueError: The goal is not two finite numbers.
        """
        point = np.asarray(goal, np.float64)
        if point.shape != (2,) or not np.isfinite(point).all():
            raise ValueError(f'goal must be two finite numbers, got {goal!r}')
        self.set_route(point[None])

    def set_route(self, points: np.ndarray) -> None:
        """Drive through points and come to rest at the last.

        Args:
            points: Metres, odom frame. [N, 2]

        Raises:
            ValueError: No points, or not finite.
        """
        self._route = Route(points, self._config.pass_radius)
        self._roaming = self._arrived = False
        self._vote.reset()

    def move_route(self, points: np.ndarray) -> None:
        """Take the same points anew: their frame moved against odometry. [N, 2]

        Raises:
            ValueError: Another number of points, or not finite.
        """
        if self._route is not None:
            self._route.move(points)

    def roam(self) -> None:
        """Drive without a goal.

        Raises:
            ContractError: The policy needs one.
        """
        spec = self._policy.spec
        if spec.goal == 'required':
            raise ContractError(f'{spec.name}: this policy cannot drive without a goal')
        self._route, self._roaming, self._arrived = None, True, False
        self._vote.reset()

    def cancel(self) -> None:
        """Drop the goal; the next plan stands still."""
        self._route, self._roaming, self._arrived = None, False, False

    def step(self, frame: CameraFrame, odometry: Odometry) -> NavigatorResult:
        """Take one image.

        Args:
            frame: Newest image in the policy camera's view.
            odometry: Odometry at the image's stamp.

        Returns:
            Plan and status.

        Raises:
            ContractError: The image does not fit the policy.
        """
        if self._history.add(frame, odometry):
            self._policy.reset()
            self._vote.reset()
        distance, remaining = float('nan'), 0
        if self._route is not None:
            here = (odometry.pose.x, odometry.pose.y)
            self._route.advance(here)
            distance, remaining = self._route.distance(here), self._route.remaining
        result = partial(NavigatorResult, distance=distance, remaining=remaining)
        stop = Plan(frame.stamp_ns, np.zeros((0, 2)), WAYPOINT_DT)
        if self._route is None and not self._roaming:
            return result(NavigatorStatus.IDLE, stop, None, {})
        ends = self._route is not None and self._route.is_last
        if self._arrived or (ends and distance < self._config.goal_tolerance):
            self._arrived = True
            return result(NavigatorStatus.ARRIVED, stop, None, {}, remaining=0)
        local = None if self.goal is None else odometry.pose.inverse().transform(self.goal)
        output = self._policy.infer(self._history.observation(local, odometry))
        voted = self._vote(output)
        mode, rejected = choose_mode(voted, self._policy.spec, self._config.speed_margin)
        if mode is not None and self._obstacles is not None and self._obstacles.active:
            seen = self._obstacles.look(output, self._policy.spec, odometry.pose)
            result = partial(result, free_space=seen)
            mode = free_mode(voted, self._obstacles, odometry.pose, rejected)
        if mode is None:
            return result(NavigatorStatus.REJECTED, stop, output, rejected)
        points = odometry.pose.transform(output.modes[mode])
        if self.goal is not None and ends:
            points = end_at_goal(points, self.goal, self._config.goal_tolerance)
        plan = Plan(frame.stamp_ns, points, WAYPOINT_DT, mode)
        status = NavigatorStatus.ROAMING if self._roaming else NavigatorStatus.NAVIGATING
        return result(status, plan, output, rejected)


def choose_mode(
    output: PolicyOutput, spec: PolicySpec, speed_margin: float
) -> tuple[int | None, dict[int, str]]:
    """Pick the mode of the highest score that no check rejects.

    Modes are never averaged: the mean of left and right is the obstacle between them.

    Args:
        output: The policy's answer.
        spec: Gives the speed the policy may plan.
        speed_margin: A step longer than this multiple of ``v_max`` x dt rejects a mode.

    Returns:
        **mode**: Index, or None if every mode is rejected.
        **rejected**: Reason by index; key -1 rejects the whole answer.
    """
    problem = output.problem()
    if problem is not None:
        return None, {-1: problem}
    starts = np.concatenate([np.zeros_like(output.modes[:, :1]), output.modes[:, :-1]], axis=1)
    speeds = np.linalg.norm(output.modes - starts, axis=2).max(axis=1) / WAYPOINT_DT
    limit = spec.v_max * speed_margin
    rejected = {
        int(i): f'speed {speeds[i]:.2f} m/s above {limit:.2f}'
        for i in np.nonzero(speeds > limit)[0]
    }
    # A stable sort keeps the lower index on equal scores, so that runs repeat to the byte.
    for index in np.argsort(-output.scores, kind='stable'):
        if int(index) not in rejected:
            return int(index), rejected
    return None, rejected


def free_mode(
    output: PolicyOutput, obstacles: ObstacleVeto, pose: Pose2, rejected: dict[int, str]
) -> int:
    """Pick the mode of the highest score along which the footprint meets nothing.

    Where every mode meets something it is the one that does so last: the gate stops before it,
    and what moves on may have cleared the way by then.

    Args:
        output: The policy's answer.
        obstacles: What is known to stand around.
        pose: odom <- base_link at the image.
        rejected: Modes that are out already; those that hit something are added.

    Returns:
        Index of the mode.
    """
    longest, best = -1.0, -1
    for index in map(int, np.argsort(-output.scores, kind='stable')):
        if index in rejected:
            continue
        free = obstacles.free_along(output.modes[index], pose)
        if math.isinf(free):
            return index
        rejected[index] = f'hits something in {free:.2f} m'
        if free > longest:
            longest, best = free, index
    rejected.pop(best)
    return best


def end_at_goal(points: np.ndarray, goal: np.ndarray, tolerance: float) -> np.ndarray:
    """Let a path that comes within the tolerance of the goal end there.

    Args:
        points: Waypoints, metres. [T, 2]
        goal: Same frame. [2]
        tolerance: Metres.

    Returns:
        The waypoints, with the goal in place of all from the first that is close enough. [T, 2]
    """
    near = np.linalg.norm(points - goal, axis=1) < tolerance
    if not near.any():
        return points
    ended = points.copy()
    ended[int(near.argmax()) :] = goal
    return ended
