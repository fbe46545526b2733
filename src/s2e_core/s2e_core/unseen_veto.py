"""Turns, and tails in curves, that would swing the body to where nobody has looked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from s2e_core.config import check, option
from s2e_core.obstacle_veto import CREEP
from s2e_core.range_scan import RangeScan
from s2e_core.records import Command
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2
from s2e_core.seen_space import TOUCH, SeenSpace
from s2e_core.swept_path import STEP, stopping_distance, stopping_speed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnseenConfig:
    """Whether, and how far, the body may turn into space that no source has seen."""

    # Off in lock-step, where contacts are counted, not prevented; gate_robot.yaml turns it on.
    watch: bool = option(False, help='Refuse autonomy turns into space that nobody has seen.')
    permit: float = option(
        0.0, unit='m', low=0, high=0.5,
        help='Allow them if corners reach no further beyond the sides.',
    )
    # What the obstacles' margin of 0.1 m halves: nobody measures a footprint better.
    tails: float = option(
        0.05, unit='m', low=0, high=0.5,
        help='In forward curves tails may swing out so far, whoever has looked there.',
    )
    # A camera 0.7 m ahead of what it shows beside the robot has passed it after 5 s at 0.2 m/s.
    memory: float = option(
        5.0, unit='s', low=0, high=30, help='Space counts as seen for so long.'
    )

    def __post_init__(self) -> None:
        check(self, source='unseen')


class UnseenVeto:
    """Slows turns until the body keeps to what was seen, as an obstacle would.

    A turn is any motion in which a part of the body goes backwards: its centre lies between the
    sides. On a wider curve all of it goes forward, which is driving, and where the nose is going
    the policy looks; but at the start of a tight one the tail swings out to where the nose never
    was. There what lay before the camera counts as seen too: the policy drives past it by that.
    """

    def __init__(self, robot: RobotProfile, config: UnseenConfig, reaction: float) -> None:
        """Start blind.

        Args:
            robot: Footprint and yaw acceleration.
            config: Permission and memory.
            reaction: From a command to its effect at the wheels, seconds.
        """
        self._robot, self._config, self._reaction = robot, config, reaction
        self._active = config.watch and robot.swing > config.permit
        self._seen = SeenSpace(robot, config.memory)
        self._outline = outline(robot.length, robot.width)

    @property
    def active(self) -> bool:
        """Whether there are turns that need to be seen."""
        return self._active

    def look(self, scan: RangeScan, pose: Pose2) -> None:
        """Take what the source sees from a pose odom <- base_link."""
        if self._active:
            self._seen.look(scan, pose)

    def stand(self, stamp_ns: int, pose: Pose2) -> None:
        """Take where the robot is, odom <- base_link."""
        if self._active:
            self._seen.stand(stamp_ns, pose)

    def slow(self, wanted: Command, pose: Pose2, now_ns: int) -> tuple[Command, str]:
        """Bring a turn down to what ends before the body leaves what was seen.

        Args:
            wanted: Inside the robot's limits, not backwards.
            pose: odom <- base_link now.
            now_ns: On the clock of the stamps.

        Returns:
            **command**: The same curve, slower, or zero.
            **detail**: What is missing and how it may be permitted, or nothing.
        """
        turn, robot = abs(wanted.w), self._robot
        if not self._active or turn * robot.half_width <= TOUCH:
            return wanted, ''
        forward = turn * robot.half_width <= wanted.v + TOUCH
        tail = robot.tail_swing(wanted.v / turn) if forward else 0.0
        if forward and tail <= max(self._config.tails, self._config.permit) + TOUCH:
            return wanted, ''
        brake = robot.w_acceleration
        if forward:
            # Both slow down together, so that the curve stays what it is.
            brake = min(brake, robot.stop_deceleration * turn / wanted.v)
        horizon = stopping_distance(turn, brake, self._reaction) + 2 * STEP
        free, place = self._free(wanted, pose, now_ns, horizon, forward)
        allowed = stopping_speed(free, brake, self._reaction)
        if allowed >= turn:
            return wanted, ''
        share = allowed / turn if allowed >= CREEP else 0.0
        slower = Command(
            wanted.stamp_ns, wanted.v * share, wanted.w * share, wanted.vy * share
        )
        side = 'left' if wanted.w > 0 else 'right'
        return slower, self._say_tail(side, place) if forward else self._say_turn(side, place)

    def _free(
        self, wanted: Command, pose: Pose2, now_ns: int, horizon: float, forward: bool
    ) -> tuple[float, Floats]:
        """Return radians until the body leaves what was seen, and where. base_link, [2]"""
        angles: Floats = STEP * np.arange(math.ceil(horizon / STEP) + 1, dtype=np.float64)
        # A car's base_link lies ahead of the axle that it turns about, and goes aside.
        aside = wanted.vy + wanted.w * self._robot.axle
        poses = turn_poses(replace(wanted, vy=aside), angles)
        c, s = np.cos(poses[:, 2])[:, None], np.sin(poses[:, 2])[:, None]
        x, y = self._outline[:, 0], self._outline[:, 1]
        swept = np.stack([poses[:, :1] + c * x - s * y, poses[:, 1:2] + s * x + c * y], axis=-1)
        half = np.array([self._robot.length, self._robot.width]) / 2
        beside = (np.abs(swept) > half + TOUCH).any(axis=-1) & (swept[..., 0] < half[0])
        if forward:
            beside &= -math.copysign(1.0, wanted.w) * swept[..., 1] > half[1] + TOUCH
        rows, points = np.nonzero(beside)[0], swept[beside]
        unseen = self._seen.unseen(pose.transform(points), now_ns, glances=forward)
        if not unseen.any():
            return math.inf, np.zeros(2)
        first = int(unseen.argmax())
        return STEP * max(0, int(rows[first]) - 1), points[first]

    def _say_turn(self, side: str, place: Floats) -> str:
        swing = self._robot.swing
        return f'turning {side} swings corners {swing:.2f} m out, {self._remedy(swing, place)}'

    def _say_tail(self, side: str, place: Floats) -> str:
        # That of the tightest curve: who permits one wants the next tighter one too.
        tail = self._robot.tail
        return f'a curve {side} swings the tail {tail:.2f} m out, {self._remedy(tail, place)}'

    def _remedy(self, swing: float, place: Floats) -> str:
        # It comes early: `ros2 topic echo` cuts texts after 128 characters.
        permit = math.ceil(swing * 100) / 100
        return (
            f'unseen: needs obstacles:=scan, or gate.unseen.permit: {permit:.2f} to go blind; not '
            f'seen in {self._config.memory:g} s: x {place[0]:.2f}, y {place[1]:.2f} m of base_link'
        )


def outline(length: float, width: float) -> Floats:
    """Return points along the sides of a box around the origin, at most `STEP` apart. [P, 2]"""
    along = np.linspace(-length / 2, length / 2, math.ceil(length / STEP) + 1)
    across = np.linspace(-width / 2, width / 2, math.ceil(width / STEP) + 1)
    return np.concatenate([
        np.stack([edge, np.full_like(edge, value)][::order], axis=1)
        for edge, value, order in (
            (along, width / 2, 1), (along, -width / 2, 1),
            (across, length / 2, -1), (across, -length / 2, -1),
        )
    ])


def turn_poses(command: Command, angles: Floats) -> Floats:
    """Return where base_link is after turning by angles under a velocity that is kept.

    Integrates x' = v cos a - vy sin a, y' = v sin a + vy cos a, a' = w.

    Args:
        command: With a yaw rate.
        angles: Radians turned, whatever the direction. [K]

    Returns:
        x, y, yaw in base_link now. [K, 3]
    """
    yaw = math.copysign(1.0, command.w) * angles
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([
        (command.v * s - command.vy * (1.0 - c)) / command.w,
        (command.v * (1.0 - c) + command.vy * s) / command.w, yaw,
    ], axis=1)
