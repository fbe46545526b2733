"""Where the runs of a study are driven: a simulator behind its bridge, or a robot in a place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prepared:
    """A run that could begin."""

    id: str
    """Name of its episode."""
    scene: str
    task: str
    index: int
    hint: str = ''
    """What the participant should know: where the robot is to be put."""


@dataclass(frozen=True)
class Result:
    """A run that is over."""

    id: str
    outcome: str
    duration: float
    """Seconds by the world's clock."""
    collisions: int


@dataclass(frozen=True)
class Listener:
    """Whom a world tells."""

    prepared: Callable[[Prepared | None], None]
    """Called with the next run, or None after the last."""
    started: Callable[[int], None]
    """Called when the world moves, with the ROS time at which it began, nanoseconds."""
    over: Callable[[Result], None]
    failed: Callable[[str], None]
    """Called with what makes it impossible to go on."""


class World(Protocol):
    """Runs in their order; each is prepared, begun, started and over."""

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""

    def next(self) -> None:
        """Prepare the next run; one that is not over is dropped."""

    def begin(self) -> tuple[NDArray[np.float64], int]:
        """The participant has agreed: return the goal, odom [2], and the stamp that names it."""

    def start(self) -> None:
        """Policy and gate know the goal: let the world move."""

    def touch(self) -> None:
        """Somebody saw a collision."""

    def end(self) -> None:
        """Somebody ends the run."""
