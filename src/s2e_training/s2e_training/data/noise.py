"""Disturbs the teacher's driving, so that clips show how to come back.

Laskey et al., "DART" (2017): noise on the commands while the labels stay the teacher's own, taken
from wherever the robot then is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2e_core.config import check, option
from s2e_core.records import Command


@dataclass(frozen=True)
class NoiseConfig:
    """When and how strongly commands are disturbed."""

    rate: float = option(0.25, unit='1/s', low=0, high=10, help='Bursts started per second.')
    shortest: float = option(0.4, unit='s', low=0.05, high=10, help='Shortest burst.')
    longest: float = option(1.4, unit='s', low=0.05, high=10, help='Longest burst.')
    turn: float = option(0.9, unit='rad/s', low=0, high=3, help='Largest added yaw rate.')
    slow: float = option(0.5, low=0, high=1, help='Largest share of speed taken away.')
    share: float = option(0.8, low=0, high=1, help='Share of clips that are disturbed at all.')

    def __post_init__(self) -> None:
        check(self, source='noise')


class CommandNoise:
    """Bursts of added yaw rate and lost speed."""

    def __init__(self, config: NoiseConfig, rng: np.random.Generator) -> None:
        """Start quiet."""
        self._config = config
        self._rng = rng
        self._active = rng.random() < config.share
        self._until = 0.0
        self._turn = 0.0
        self._factor = 1.0

    def __call__(self, command: Command, dt: float) -> Command:
        """Disturb a command.

        Args:
            command: The one that the gate let through.
            dt: Seconds since the last call.
        """
        c, rng = self._config, self._rng
        if not self._active or command.v <= 0:
            return command
        self._until -= dt
        if self._until <= 0:
            if rng.random() >= c.rate * dt:
                return command
            self._until = rng.uniform(c.shortest, c.longest)
            self._turn = rng.choice((-1.0, 1.0)) * rng.uniform(0.3, 1.0) * c.turn
            self._factor = 1.0 - rng.uniform(0, c.slow)
        return Command(
            command.stamp_ns, command.v * self._factor, command.w * self._factor + self._turn
        )
