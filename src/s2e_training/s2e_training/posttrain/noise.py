"""What the draws of an exploring policy depend on, independent from step to step or not."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

_EDGE = 1e-7
"""Keeps uniform numbers off 0 and 1, whose Gumbel numbers are infinite."""


class Noise(NamedTuple):
    """Standard normal numbers of E robots; each step's alone are independent of each other.

    A row is an AR(1) process in time, n' = r n + sqrt(1 - r^2) e, so that every single draw has
    the distribution of an independent one, while draws that follow each other resemble each
    other: exploration that lasts (as of Hollenstein et al., 2024, coloured noise in PPO).
    """

    modes: Tensor
    """Decide between the M modes. [E, M]"""
    normal: Tensor
    """z of the trajectory. [E, 2]"""

    @classmethod
    def draw(cls, count: int, modes: int, generator: torch.Generator) -> Noise:
        """Draw fresh numbers.

        Args:
            count: E.
            modes: M.
            generator: Source of randomness.
        """
        return cls(
            torch.randn(count, modes, generator=generator),
            torch.randn(count, 2, generator=generator),
        )

    @property
    def gumbel(self) -> Tensor:
        """Gumbel numbers, -log(-log Phi(n)). [E, M]"""
        uniform = torch.special.ndtr(self.modes).clamp(_EDGE, 1.0 - _EDGE)
        return -torch.log(-torch.log(uniform))

    def following(
        self, memory: tuple[float, float], fresh: Tensor, generator: torch.Generator
    ) -> Noise:
        """Return the next step's numbers.

        Args:
            memory: r of what decides between modes, and of z; 0 for independent steps.
            fresh: Where a new episode begins, which remembers nothing. [E] bool
            generator: Source of randomness.
        """
        new = Noise.draw(len(self.modes), self.modes.shape[1], generator)
        return Noise(
            _follow(self.modes, new.modes, memory[0], fresh),
            _follow(self.normal, new.normal, memory[1], fresh),
        )


def _follow(old: Tensor, new: Tensor, memory: float, fresh: Tensor) -> Tensor:
    keep = torch.where(fresh, 0.0, memory)[:, None]
    change = torch.where(fresh, 1.0, math.sqrt(1.0 - memory**2))[:, None]
    return keep * old + change * new
