"""What the trainer asks of a vector of environments; `navbench.py` fulfils it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Observations:
    """What E robots see."""

    features: NDArray[np.float16]
    """What the frozen encoder makes of the policy camera's images. [E, C, h, w]"""
    goal: NDArray[np.float32]
    """Goals in base_link, metres; anything where there is none. [E, 2]"""
    present: NDArray[np.bool_]
    """Whether there is a goal. [E]"""
    speed: NDArray[np.float32]
    """Speed (m/s) and yaw rate (rad/s) by odometry. [E, 2]"""
    truth: NDArray[np.float32]
    """What only the value head may know. [E, P]"""


@dataclass(frozen=True)
class Episode:
    """How an episode ended."""

    success: bool
    clean: bool
    """Success without a collision."""
    collisions: int


@dataclass(frozen=True)
class Steps:
    """What came of one action of each robot."""

    observations: Observations
    """To act in next; of the new episode where one ended."""
    rewards: NDArray[np.float32]
    """[E]"""
    terminated: NDArray[np.bool_]
    """Whether the world ended the episode. [E]"""
    truncated: NDArray[np.bool_]
    """Whether time did. [E]"""
    final: Observations
    """Where the action led, before any reset. [E]"""
    terms: dict[str, NDArray[np.float32]]
    """The reward's terms; always the same names. [E] each"""
    episodes: tuple[Episode, ...]
    """Episodes that ended."""

    @property
    def done(self) -> NDArray[np.bool_]:
        """Whether an episode ended. [E]"""
        return self.terminated | self.truncated


class VectorEnv(Protocol):
    """E environments that begin anew by themselves."""

    count: int
    """E."""

    def reset(self, seed: int) -> Observations:
        """Begin new episodes everywhere; all that follows depends on the seed alone."""

    def step(self, velocity: NDArray[np.float32]) -> Steps:
        """Drive for 0.2 s.

        Args:
            velocity: Speed (m/s) and yaw rate (rad/s). [E, 2]
        """

    def foresee(self, plans: NDArray[np.float32]) -> NDArray[np.float32]:
        """Say what following each of M plans from here would cost each robot, in metres of way.

        Args:
            plans: Waypoints, metres, base_link. [E, M, T, 2]

        Returns:
            [E, M]
        """

    def close(self) -> None:
        """Let go of everything."""
