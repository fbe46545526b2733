"""Which episode comes next: scenes in stretches, tasks and numbers at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from navbench_gs.tasks.spec import Task

EPISODES = 2**31 - 1
"""Numbers of episodes are drawn below this."""


@dataclass(frozen=True)
class Draw:
    """An episode, as the benchmark names it."""

    scene: str
    task: Task
    index: int


class EpisodeStream:
    """Draws episodes; equal generators give equal streams."""

    def __init__(self, scenes: Sequence[str], tasks: Sequence[Task], stretch: int) -> None:
        """Prepare.

        Args:
            scenes: Scenes to draw from.
            tasks: Tasks to draw from.
            stretch: Episodes in a scene before the next one.
        """
        self._scenes, self._tasks, self._stretch = tuple(scenes), tuple(tasks), stretch
        self.restart()

    def restart(self) -> None:
        """Forget the scene; the next draw enters one."""
        self._left = 0
        self.upcoming: str | None = None
        """The scene after the current one, once an episode was drawn."""

    def next(self, rng: np.random.Generator) -> Draw:
        """Draw an episode."""
        if self._left == 0:
            self._scene = self.upcoming or self._pick(rng)
            self.upcoming, self._left = self._pick(rng), self._stretch
        self._left -= 1
        task = self._tasks[int(rng.integers(len(self._tasks)))]
        return Draw(self._scene, task, int(rng.integers(EPISODES)))

    def leave(self) -> None:
        """Go on to the next scene with the next draw."""
        self._left = 0

    def _pick(self, rng: np.random.Generator) -> str:
        return self._scenes[int(rng.integers(len(self._scenes)))]
