"""Picks the best of a handful of simulated drives on known ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.agents import rollout
from navbench_gs.agents.terrain import Terrain
from navbench_gs.tasks.hazards import PERSON_RADIUS
from s2e_core.config import check, option
from s2e_core.contract import WAYPOINT_DT, WAYPOINTS
from s2e_core.follower import FollowerConfig
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2

_LOOKAHEAD = 6.0
LOOKAHEAD = FollowerConfig().lookahead
_CIRCLES = 3
_WAYPOINT_STEPS = np.arange(1, WAYPOINTS + 1) * round(WAYPOINT_DT / rollout.STEP) - 1
# Costs in metres of way: touching something outweighs any progress a 2 s plan can make (3 m).
_TOUCH, _TOUCH_PERSON, _HEADING = 400.0, 40.0, 1.0
# What avoiding a dead end may cost, and how near to the goal one is where the robot was sent.
_DEAD_END, _GOAL_NEAR = 20.0, 2.0


@dataclass(frozen=True)
class Caution:
    """How much nearness costs a drive, in metres of way."""

    near: float = option(
        0.05, low=0, high=10, help='Cost of a drive along things, at zero gap, each 0.1 s and m/s.'
    )
    near_person: float = option(0.15, low=0, high=10, help='The same for people.')
    comfort: float = option(
        0.3, unit='m', low=0.01, high=3, help='Gap to things below which nearness counts.'
    )
    personal: float = option(0.8, unit='m', low=0.01, high=3, help='The same for people.')

    def __post_init__(self) -> None:
        check(self, source='caution')


class DriveChooser:
    """Simulates drives along the way, shifted to both sides, slower, and plain arcs.

    The cheapest wins: progress is paid for, touching and nearness cost.
    """

    def __init__(self, robot: RobotProfile, v_max: float, caution: Caution | None = None) -> None:
        """Take a robot's limits.

        Args:
            robot: Footprint and limits.
            v_max: Top speed, m/s; the robot's limit holds as well.
            caution: What nearness costs.
        """
        self._caution = caution or Caution()
        self._robot = robot
        self._limits = _limits(robot, v_max)
        self._own = _own_limits(robot, v_max)
        self._circles, self._circle_radius = _cover(robot)
        self._candidates = _candidates(self._limits)

    def trajectory(
        self,
        terrain: Terrain,
        goal: tuple[float, float],
        pose: Pose2,
        motion: tuple[float, float],
        people: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Plan 2 s.

        Args:
            terrain: Ground, and the cost to the goal over it.
            goal: In the terrain's frame, metres.
            pose: terrain's frame <- base_link.
            motion: Speed, m/s, and curvature driven now, 1/m.
            people: x, y, vx, vy, terrain's frame. [P, 4]

        Returns:
            Waypoints 0.2 s apart, base_link, metres. [10, 2]
        """
        path = terrain.path((pose.x, pose.y), _LOOKAHEAD)
        ends = bool(np.hypot(*(path[-1] - np.asarray(goal))) < 1e-6)
        speed, ahead = rollout.speed_along(
            path, terrain.clearance, terrain.origin, terrain.resolution, self._robot.radius,
            self._limits, ends,
        )
        start = np.array([pose.x, pose.y, pose.yaw, max(motion[0], 0.0), motion[1]])
        tracks = rollout.drive_all(
            start, path, speed, ahead, ends, self._candidates, self._limits
        )
        cost = self._cost(terrain, goal, tracks, people)
        cost += self._candidates[:, rollout.PENALTY]
        best = self._choose(terrain, goal, tracks, cost)
        return pose.inverse().transform(tracks[best, _WAYPOINT_STEPS, :2])

    def foresee(
        self,
        terrain: Terrain,
        goal: tuple[float, float],
        pose: Pose2,
        motion: tuple[float, float],
        people: NDArray[np.float64],
        plans: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Say what following each of several plans would cost.

        A base that turns on the spot is taken to drive its tightest arc instead, as in
        `trajectory`: what lies behind costs somewhat more than it would.

        Args:
            terrain: Ground, and the cost to the goal over it.
            goal: In the terrain's frame, metres.
            pose: terrain's frame <- base_link.
            motion: Speed, m/s, and curvature driven now, 1/m.
            people: x, y, vx, vy, terrain's frame. [P, 4]
            plans: Waypoints 0.2 s apart, base_link, metres. [K, T, 2]

        Returns:
            Metres of way: what is left at the end, and what touching and nearness cost. [K]
        """
        start = np.array([pose.x, pose.y, pose.yaw, max(motion[0], 0.0), motion[1]])
        points = pose.transform(np.asarray(plans, np.float64).reshape(-1, 2))
        tracks = rollout.follow_all(
            start, np.ascontiguousarray(points).reshape(plans.shape), self._own, LOOKAHEAD
        )
        cost = self._cost(terrain, goal, tracks, people)
        stuck = [not self._goes_on(terrain, goal, track[-1]) for track in tracks]
        return cost + _DEAD_END * np.array(stuck)

    def _goes_on(
        self, terrain: Terrain, goal: tuple[float, float], end: NDArray[np.float64]
    ) -> bool:
        """Whether a base without reverse is near the goal or finds a way on."""
        near = math.hypot(goal[0] - end[0], goal[1] - end[1])
        return near < _GOAL_NEAR or bool(rollout.can_go_on(
            end, self._limits[rollout.CURVATURE], self._circles, self._circle_radius,
            terrain.clearance, terrain.origin, terrain.resolution,
        ))

    def _choose(
        self, terrain: Terrain, goal: tuple[float, float], tracks: NDArray[np.float64],
        cost: NDArray[np.float64],
    ) -> int:
        """Return the cheapest drive that does not end where a base without reverse is stuck."""
        order = np.argsort(cost, kind='stable')
        for index in order:
            if cost[index] > cost[order[0]] + _DEAD_END:
                break
            if self._goes_on(terrain, goal, tracks[index, -1]):
                return int(index)
        return int(order[0])

    def _cost(
        self,
        terrain: Terrain,
        goal: tuple[float, float],
        tracks: NDArray[np.float64],
        people: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        static, moving = rollout.judge_all(
            tracks, self._circles, self._circle_radius, terrain.clearance, terrain.origin,
            terrain.resolution, people, PERSON_RADIUS, self._caution.comfort,
            self._caution.personal,
        )
        field = terrain.field
        ends = tracks[:, -1]
        togo = np.array([field.at(end[:2]) for end in ends])
        togo[~np.isfinite(togo)] = 1e3
        away = np.array([_misaligned(terrain, end) for end in ends])
        cost = togo + _HEADING * away
        cost += self._out_of_reach(goal, ends)
        near, near_person = self._caution.near, self._caution.near_person
        cost += _TOUCH * static[:, 0] + near * static[:, 1]
        return cost + _TOUCH_PERSON * moving[:, 0] + near_person * moving[:, 1]

    def _out_of_reach(
        self, goal: tuple[float, float], ends: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Five times the metres the goal lies inside a turning circle: drive away first. [K]"""
        radius = 1.0 / self._limits[rollout.CURVATURE]
        if self._robot.min_turn_radius == 0.0:
            return np.zeros(len(ends))
        dx, dy = goal[0] - ends[:, 0], goal[1] - ends[:, 1]
        c, s = np.cos(ends[:, 2]), np.sin(ends[:, 2])
        forward, left = c * dx + s * dy, np.abs(c * dy - s * dx)
        # Within 0.3 m the navigator stands still: nothing is left to reach.
        inside = np.maximum(radius - np.hypot(forward, left - radius), 0.0)
        return np.where(np.hypot(dx, dy) < 0.3, 0.0, 5.0 * inside)


def _misaligned(terrain: Terrain, end: NDArray[np.float64]) -> float:
    """Angle between the final heading and the way on, radians; 0 at the goal."""
    way = terrain.path((float(end[0]), float(end[1])), 0.6, step=0.2)
    step = way[-1] - way[0]
    if np.hypot(*step) < 0.3:
        return 0.0
    return abs(math.remainder(math.atan2(step[1], step[0]) - float(end[2]), 2.0 * math.pi))


def _limits(robot: RobotProfile, v_max: float) -> NDArray[np.float64]:
    """Limits of the simulated drives; half the robot's own, so that the follower can correct."""
    limits = np.empty(7)
    limits[rollout.V_MAX] = min(robot.v_max, v_max)
    limits[rollout.W_MAX] = 0.8 * robot.w_max
    # 10 % wider than the tightest turn; a base that turns on the spot plans 0.35 m arcs.
    limits[rollout.CURVATURE] = 1.0 / max(1.1 * robot.min_turn_radius, 0.35)
    limits[rollout.ACCELERATE] = 0.9 * robot.a_max
    limits[rollout.BRAKE] = 0.5 * robot.stop_deceleration
    # Curvature per second: wheels steer at 1.5 rad/s, other bases are bound by yaw acceleration.
    limits[rollout.TURN_RATE] = (
        1.5 / robot.wheelbase if robot.kinematics == 'car' else robot.w_acceleration / robot.v_max
    )
    limits[rollout.LATERAL] = 0.9
    return limits


def _own_limits(robot: RobotProfile, v_max: float) -> NDArray[np.float64]:
    """Limits by which gate and base follow a plan: the robot's own."""
    limits = _limits(robot, v_max)
    limits[rollout.W_MAX] = robot.w_max
    if robot.min_turn_radius > 0.0:
        limits[rollout.CURVATURE] = robot.max_curvature
    limits[rollout.ACCELERATE] = robot.a_max
    limits[rollout.BRAKE] = robot.stop_deceleration
    limits[rollout.LATERAL] = 100.0
    return limits


def _cover(robot: RobotProfile) -> tuple[NDArray[np.float64], float]:
    """Cover the footprint by circles along its middle: their x, and their common radius."""
    piece = robot.length / _CIRCLES
    centres = (np.arange(_CIRCLES, dtype=np.float64) + 0.5) * piece - 0.5 * robot.length
    return centres, math.hypot(0.5 * robot.width, 0.5 * piece)


def _candidates(limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drives to try: the way itself, shifted and slower ones, arcs, and standing still."""
    rows = [(0.0, 1.0, np.nan, 0.0)]
    rows += [
        (offset, speed, np.nan, 0.02 + 0.05 * abs(offset))
        for speed in (1.0, 0.65, 0.35)
        for offset in (0.0, -0.4, 0.4, -0.8, 0.8, -1.3, 1.3, -2.0, 2.0)
        if (offset, speed) != (0.0, 1.0)
    ]
    tight = limits[rollout.CURVATURE]
    rows += [
        (0.0, min(1.0, speed / limits[rollout.V_MAX]), share * tight, 0.3)
        for speed in (0.25, 0.6)
        for share in (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0)
    ]
    # Standing costs what 3 s at top speed could gain: it is for letting people pass, not for
    # places where every way first leads away from the goal.
    rows.append((0.0, 0.0, 0.0, 3.0))
    return np.array(rows)
