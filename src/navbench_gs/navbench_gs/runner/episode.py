"""One episode in lock-step: the world waits for the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.runner.deadline import PolicyStalledError
from navbench_gs.runner.judge import EpisodeJudge, Observed
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.tasks.protocol import Protocol as Rules
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.control import ControlLoop
from s2e_core.navigator import NavigatorResult
from s2e_core.range_scan import RangeScan
from s2e_core.records import CameraFrame, Command
from s2e_core.robot import RobotProfile


class World(Observed, Protocol):
    """What an episode runs in; `env.Simulation` and `KinematicWorld` fulfil it."""

    bundle: SceneBundle
    robot: RobotProfile
    time_ns: int
    goal_odom: np.ndarray

    def reset(self, spec: EpisodeSpec) -> None:
        """Set the world to the episode's beginning."""

    def tick(self, command: Command) -> None:
        """Advance 50 ms."""


class Recorder(Protocol):
    """Takes a look at each image; `report.film.EpisodeFilm` is fed by one."""

    def __call__(
        self, world: World, frame: CameraFrame, result: NavigatorResult, judge: EpisodeJudge
    ) -> None:
        """Record one image and what the policy made of it."""


@dataclass(frozen=True)
class PolicyFailureError(Exception):
    """A policy raised, or answered with numbers that nobody can use."""

    detail: str


def run_episode(
    world: World,
    spec: EpisodeSpec,
    loop: ControlLoop,
    protocol: Rules,
    policy: str,
    *,
    look: Callable[[], CameraFrame | None],
    record: Recorder | None = None,
    goal: np.ndarray | None = None,
    send: Callable[[int, Command], Command] | None = None,
    scan: Callable[[], RangeScan | None] | None = None,
) -> EpisodeLog:
    """Drive one episode from reset to its outcome.

    At each tick of 50 ms: odometry; every fourth tick the image and with it the policy; then
    follower and gate; then the world advances under what the gate let through.

    Args:
        world: Reset by this call.
        spec: The episode.
        loop: Navigator, follower and gate, freshly made.
        protocol: The rules.
        policy: Name and hash of the policy, for the log.
        look: Returns the image in the policy camera's view, None where it was lost.
        record: Sees every image and answer.
        goal: What the robot is told in odom, metres; the true one when left out. [2]
        send: Carries commands to the base: takes the time and a command, and returns the newest
            that has arrived. Without it they arrive at once.
        scan: What the gate's source of free distance sees, asked after each image.

    Returns:
        The log; an exception of the policy or an answer that is not finite ends the episode
        as `policy_error`, one that does not come in time as `policy_stalled`; neither propagates.
    """
    judge = EpisodeJudge(spec, world.bundle, protocol, world.robot)
    loop.set_goal(world.goal_odom if goal is None else goal)
    outcome = judge.observe(world, Command(0))
    while outcome is None:
        try:
            command = _tick(world, loop, judge, look, record, scan)
        except PolicyFailureError as failure:
            return judge.finish(Outcome.POLICY_ERROR, policy, failure.detail)
        except PolicyStalledError as stalled:
            return judge.finish(Outcome.POLICY_STALLED, policy, str(stalled))
        if send is not None:
            command = send(world.time_ns, command)
        world.tick(command)
        outcome = judge.observe(world, command)
    return judge.finish(outcome, policy)


def failed_before(
    world: World, spec: EpisodeSpec, protocol: Rules, policy: str,
    error: Exception | SystemExit | PolicyStalledError,
) -> EpisodeLog:
    """Return the log of an episode whose policy failed or hung before the first image.

    Args:
        world: Reset to the episode.
        spec: The episode.
        protocol: The rules.
        policy: Name and hash of the policy, for the log.
        error: What it raised.
    """
    judge = EpisodeJudge(spec, world.bundle, protocol, world.robot)
    judge.observe(world, Command(0))
    if isinstance(error, PolicyStalledError):
        return judge.finish(Outcome.POLICY_STALLED, policy, str(error))
    return judge.finish(Outcome.POLICY_ERROR, policy, told(error))


def told(error: Exception | SystemExit) -> str:
    """Return an exception as logs tell it: its kind and its words, at most 500 characters."""
    return f'{type(error).__name__}: {error}'[:500]


def _tick(
    world: World, loop: ControlLoop, judge: EpisodeJudge,
    look: Callable[[], CameraFrame | None], record: Recorder | None,
    scan: Callable[[], RangeScan | None] | None,
) -> Command:
    now = world.time_ns
    sees = now % POLICY_PERIOD_NS == 0
    frame = look() if sees else None
    seen = scan() if scan is not None and sees else None
    try:
        out = loop.on_tick(now, world.odometry(), frame, seen)
    except (Exception, SystemExit) as error:
        # Whatever a policy raises is the policy's result, not the benchmark's end.
        raise PolicyFailureError(told(error)) from error
    result = loop.result
    if frame is not None and result is not None:
        unusable = result.rejected.get(-1)
        if unusable is None:
            judge.choose(result.plan.mode)
        if record is not None:
            record(world, frame, result, judge)
        if unusable is not None:
            raise PolicyFailureError(unusable)
    return out.command
