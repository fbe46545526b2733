"""Runs a policy over a recording, image by image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from s2e_cli.replay.footage import Footage, Look, looks, truth, wall
from s2e_cli.replay.options import ALONG, GoalChoice
from s2e_cli.replay.score import entropy, errors
from s2e_core.contract import Policy, PolicyOutput
from s2e_core.history import ObservationHistory
from s2e_core.records import CameraFrame, Odometry
from s2e_core.reprojection import Reprojector
from s2e_core.se2 import Pose2
from s2e_core.vote import ModeVote


@dataclass(frozen=True)
class Step:
    """One image and what came of it."""

    look: Look
    output: PolicyOutput
    top: int
    """Index of the mode that would be driven."""
    goal: np.ndarray | None
    """base_link, metres. [2]"""
    truth: np.ndarray | None
    """Waypoints really reached, base_link, metres. [10, 2]"""
    odometry: Odometry | None
    restarted: bool
    """Whether the window began anew."""
    latency: dict[str, float]
    """Milliseconds: decode, preprocess, infer."""
    errors: dict[str, float]
    entropy: float
    notes: dict[str, float] = field(default_factory=dict)
    """What else the policy said."""

    def without_image(self) -> Step:
        """Return the step without its pictures: an hour of them would fill the memory."""
        empty = np.zeros((0, 0, 3), np.uint8)
        return replace(self, look=replace(self.look, rgb=empty, ahead=None))


class Player:
    """A policy and the recording it watches."""

    def __init__(
        self, policy: Policy, footage: Footage, reprojector: Reprojector, goal: GoalChoice,
        clock: Callable[[], float] = wall,
    ) -> None:
        """Take everything apart from the images.

        Args:
            policy: Any policy.
            footage: The recording.
            reprojector: From the recording's camera to the policy's.
            goal: Where the policy is sent.
            clock: Seconds.
        """
        self._policy, self._footage, self._goal = policy, footage, goal
        self._reproject, self._clock = reprojector, clock
        self._history = ObservationHistory(policy.spec)
        self._vote = ModeVote(policy.spec)
        self._set_goal_image = getattr(policy, 'set_goal_image', None)

    def play(self, indices: np.ndarray) -> Iterator[Step]:
        """Answer the chosen images in order.

        Raises:
            S2EError: The policy refuses what it is given.
        """
        drives_to_pictures = self._set_goal_image is not None and self._goal != GoalChoice()
        ahead = (self._goal.along or ALONG) if drives_to_pictures else None
        for look in looks(self._footage, indices, ahead, self._clock):
            yield self._step(look)

    def _step(self, look: Look) -> Step:
        begin = self._clock()
        frame = CameraFrame(look.stamp_ns, self._reproject(look.rgb))
        if self._set_goal_image is not None and look.ahead is not None:
            self._set_goal_image(self._reproject(look.ahead))
        way = self._footage.track
        odometry = None if way is None else way.odometry(look.stamp_ns)
        restarted = self._history.add(frame, odometry)
        if restarted:
            self._policy.reset()
            self._vote.reset()
        goal = self._local_goal(look.stamp_ns, odometry)
        observation = self._history.observation(
            goal, odometry or Odometry(look.stamp_ns, Pose2())
        )
        prepared = self._clock()
        output = self._policy.infer(observation)
        done = self._clock()
        real = None if way is None else truth(way, look.stamp_ns)
        # As the navigator chooses.
        voted = self._vote(output)
        top = int(np.argsort(-voted.scores, kind='stable')[0])
        latency = {
            'decode': look.decode_ms, 'preprocess': 1e3 * (prepared - begin),
            'infer': 1e3 * (done - prepared),
        }
        return Step(
            look, output, top, goal, real, odometry, restarted, latency,
            {} if real is None else errors(voted, real), entropy(output.scores),
            dict(getattr(self._policy, 'notes', {})),
        )

    def _local_goal(self, stamp_ns: int, odometry: Odometry | None) -> np.ndarray | None:
        if self._policy.spec.goal == 'ignored':
            return None
        if self._goal.ahead is not None:
            return np.array([self._goal.ahead, 0.0])
        way = self._footage.track
        if self._goal.along is None or way is None or odometry is None:
            return None
        due = np.array([stamp_ns + round(self._goal.along * 1e9)], np.int64)
        return odometry.pose.inverse().transform(way.at(due)[0, :2])
