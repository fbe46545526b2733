"""The policy contract: what every policy sees and answers, and at which times.

These numbers meet in the trainer, the exporter, the simulator and the robot; they are named
only here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from s2e_core.camera import CameraModel, CameraMount, Unseen
from s2e_core.errors import ContractError
from s2e_core.records import Odometry

CONTRACT_VERSION = 1
"""Raised when a tensor, unit or rate below changes meaning."""
PHYSICS_NS = 10_000_000
"""One physics step, nanoseconds."""
TICK_NS = 50_000_000
"""One tick of follower and gate in lock-step, nanoseconds."""
POLICY_PERIOD_NS = 200_000_000
"""Time between two images of the policy, nanoseconds (5 Hz)."""
WAYPOINT_DT = 0.2
"""Seconds between two waypoints."""
WAYPOINTS = 10
"""Waypoints of one mode: a horizon of 2 s."""
FREE_SPACE_BEARINGS = 48
"""Bearings of the optional ``free_space`` output, left to right over the field of view."""


GoalUse = Literal['optional', 'required', 'ignored']
"""What a policy makes of a point goal."""


@dataclass(frozen=True)
class PolicySpec:
    """What a policy needs to be fed and how fast it may drive."""

    name: str
    """Name of the policy, for reports."""
    frames: int
    """Images in one observation."""
    camera: CameraModel
    """The camera the policy was trained for; other cameras are re-projected to it."""
    v_max: float
    """Fastest speed the policy was trained for, m/s."""
    w_max: float
    """Fastest yaw rate the policy was trained for, rad/s."""
    frame_period_ns: int = POLICY_PERIOD_NS
    """Time between two images of one observation, nanoseconds; other policies saw other rates."""
    goal: GoalUse = 'optional'
    """Whether a point goal may be absent, must be there, or is not looked at."""
    mount: CameraMount | None = None
    """Where that camera sat, if one place is known; images from elsewhere are moved to it."""
    coverage: float = 0.5
    """Least share of the camera's image that a robot's must see."""
    unseen: Unseen = 'black'
    """What the rest of the image shows: as in training, or what disturbs least."""
    vote: float = 0.0
    """How far apart modes vote for each other, metres; 0: the highest score is driven."""
    memory: float = 0.0
    """Weight of the answers before in the choice; see `s2e_core.vote`."""

    def mounts(self, own: CameraMount) -> tuple[CameraMount, CameraMount] | None:
        """Return the places that images are moved between, for `Reprojector`.

        Args:
            own: Place of the camera they come from.
        """
        return None if self.mount is None else (own, self.mount)

    @property
    def height(self) -> int:
        """Image height, pixels."""
        return self.camera.height

    @property
    def width(self) -> int:
        """Image width, pixels."""
        return self.camera.width


@dataclass(frozen=True)
class Observation:
    """What the policy sees."""

    images: np.ndarray
    """Policy-camera images, RGB, oldest first, a frame period apart. [K, H, W, 3] uint8"""
    stamps_ns: np.ndarray
    """Their stamps, nanoseconds. [K] int64"""
    goal: np.ndarray | None
    """Goal in base_link at the newest image, metres; None means goal-free. [2]"""
    odometry: Odometry
    """Odometry at the newest image."""
    poses: np.ndarray | None = None
    """x, y, yaw of base_link in odom at each image, metres and radians, where known. [K, 3]"""

    @property
    def stamp_ns(self) -> int:
        """Stamp of the newest image, nanoseconds."""
        return int(self.stamps_ns[-1])


@dataclass(frozen=True)
class PolicyOutput:
    """What the policy answers: a mixture over trajectories."""

    stamp_ns: int
    """Stamp of the newest image it saw, nanoseconds."""
    modes: np.ndarray
    """Waypoints in base_link at the stamp, metres, 0.2 s apart. [M, T, 2] float32"""
    scores: np.ndarray
    """Mixture weights, summing to one. [M] float32"""
    sigmas: np.ndarray | None = None
    """Standard deviations, metres. [M, T, 2]"""
    rho: np.ndarray | None = None
    """Correlation of x and y. [M, T]"""
    free_space: np.ndarray | None = None
    """Free distance along the bearings, metres, saturating at 10. [48]"""
    free_confidence: np.ndarray | None = None
    """Confidence of each free distance, 0 to 1. [48]"""

    def problem(self) -> str | None:
        """Say what is wrong with the numbers, or None if a caller may use them."""
        if self.modes.ndim != 3 or self.modes.shape[2] != 2 or self.modes.shape[0] == 0:
            return f'modes must be [M, T, 2] with M >= 1, got {self.modes.shape}'
        if self.scores.shape != (self.modes.shape[0],):
            return f'scores must be [{self.modes.shape[0]}], got {self.scores.shape}'
        if not np.isfinite(self.modes).all():
            return 'modes hold a value that is not finite'
        if not np.isfinite(self.scores).all() or (self.scores < 0).any():
            return 'scores hold a value that is negative or not finite'
        return None


class Policy(Protocol):
    """Anything that turns observations into trajectories."""

    @property
    def spec(self) -> PolicySpec:
        """What the policy needs to be fed."""

    def reset(self) -> None:
        """Forget everything about earlier images."""

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer one observation.

        Raises:
            ContractError: The observation does not fit ``spec``.
        """


def check_observation(observation: Observation, spec: PolicySpec) -> None:
    """Refuse an observation that does not fit the policy.

    Raises:
        ContractError: Naming the field, the rule and what was received.
    """
    expected = (spec.frames, spec.height, spec.width, 3)
    if observation.images.shape != expected or observation.images.dtype != np.uint8:
        raise ContractError(
            f'{spec.name}: images must be {expected} uint8, got '
            f'{observation.images.shape} {observation.images.dtype}'
        )
    if observation.goal is None and spec.goal == 'required':
        raise ContractError(f'{spec.name}: this policy cannot drive without a goal')
    if observation.goal is not None and not np.isfinite(observation.goal).all():
        raise ContractError(f'{spec.name}: the goal must be finite, got {observation.goal}')
