"""What all adapters share: the view they are given, and waypoints at our times."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from s2e_core.camera import CameraModel
from s2e_core.contract import (
    WAYPOINT_DT,
    WAYPOINTS,
    GoalUse,
    Observation,
    PolicyOutput,
    PolicySpec,
    check_observation,
)
from s2e_core.errors import ContractError
from s2e_policy.adapters.options import AdapterOptions

W_MAX = 1.5
"""No published file says how fast it may turn; the benchmark's robots are slower, rad/s."""


@dataclass(frozen=True)
class Contract:
    """How a published policy is fed and what its numbers mean."""

    kind: str
    """Its name."""
    frames: int
    """Images, oldest first."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    aspect: float
    """Width over height of the view that these pixels show; they need not be square."""
    frame_period: float
    """Seconds between two images."""
    waypoint_dt: float
    """Seconds between two waypoints."""
    scale: float
    """Metres per unit of the waypoints."""
    goal: GoalUse
    """Whether a point goal is used."""

    def spec(self, options: AdapterOptions) -> PolicySpec:
        """Return what the policy must be fed."""
        half = math.tan(math.radians(options.fov) / 2)
        fx, fy = self.width / 2 / half, self.height / 2 / (half / self.aspect)
        camera = CameraModel(self.width, self.height, fx, fy, self.width / 2, self.height / 2)
        period = round(self.frame_period * 1e9)
        return PolicySpec(
            self.kind, self.frames, camera, options.v_max, W_MAX, period, self.goal
        )


class Adapter(ABC):
    """A published policy; subclasses answer in metres at their own times."""

    def __init__(self, contract: Contract, options: AdapterOptions, provider: str) -> None:
        """Take contract and options.

        Args:
            contract: The published policy's.
            options: What the user said.
            provider: Execution provider in use.
        """
        self.contract, self.provider = contract, provider
        self.spec = contract.spec(options)
        self.scale = options.scale or contract.scale
        self.notes: dict[str, float] = {}
        """What else the newest answer said, such as the steps to a goal image."""

    @property
    @abstractmethod
    def digests(self) -> dict[str, str]:
        """sha256 of each graph file, by its name."""

    def reset(self) -> None:
        """Nothing is kept between two observations."""
        self.notes = {}

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer one observation.

        Raises:
            ContractError: The observation does not fit ``spec``, or the answer is not finite.
        """
        check_observation(observation, self.spec)
        waypoints, scores = self._answer(observation)
        if not np.isfinite(waypoints).all():
            raise ContractError(f'{self.spec.name}: the answer holds a value that is not finite')
        modes = resample(waypoints, self.contract.waypoint_dt)
        return PolicyOutput(observation.stamp_ns, modes, scores)

    @abstractmethod
    def _answer(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        """Return waypoints in base_link, metres [M, W, 2], and scores [M]."""


def resample(waypoints: np.ndarray, dt: float) -> np.ndarray:
    """Give waypoints our times: 0.2, 0.4 ... 2.0 s.

    Between waypoints the way is straight, and it begins at the robot. Where a policy looks less
    than 2 s ahead its last step goes on: to end the way there would say that it wants to stop.

    Args:
        waypoints: Waypoint k is due at (k + 1) dt; metres. [M, W, 2]
        dt: Seconds between two of them.

    Returns:
        [M, 10, 2] float32
    """
    points = np.concatenate([np.zeros_like(waypoints[:, :1]), waypoints], axis=1)
    place = WAYPOINT_DT * np.arange(1, WAYPOINTS + 1) / dt
    # The segment a time lies in; past the end it stays the last one, with a share above one.
    first = np.clip(np.ceil(place - 1e-9).astype(int) - 1, 0, waypoints.shape[1] - 1)
    share = (place - first)[None, :, None]
    return (points[:, first] * (1 - share) + points[:, first + 1] * share).astype(np.float32)
