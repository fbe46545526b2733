"""A run that is killed from within, by a worker in the middle of an episode.

python killed_run.py PROTOCOL OUT WORKERS ANSWERS: after so many answers of one worker the whole
run's first process gets a SIGKILL, as from `kill -9`.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.runner.plan import RunConfig
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol

SCENES, TASKS, EPISODES = ('city:101',), ('empty', 'pedestrian'), 3


def config(protocol: str, workers: int) -> RunConfig:
    """Return the run; workers are all that differs."""
    return RunConfig(
        SCENES, TASKS, load_protocol(protocol), 'coco', episodes=EPISODES, workers=workers
    )


class Looking(StraightToGoal):
    """Drives to the goal, as fast as the sum of all pixels says: one other bit, another drive.

    It kills the run's first process at its n-th answer; never where n is 0.
    """

    needs_images = True

    def __init__(self, process: int, answers: int) -> None:
        super().__init__()
        self._process, self._left = process, answers

    def infer(self, observation):
        """Answer, or kill first."""
        self._left -= 1
        if self._left == 0:
            os.kill(self._process, signal.SIGKILL)
        output = super().infer(observation)
        pace = 0.9 + 0.001 * (int(observation.images[-1].sum()) % 101)
        return replace(output, modes=output.modes * np.float32(pace))


@dataclass(frozen=True)
class Factory:
    """Makes the agent."""

    process: int = 0
    answers: int = 0
    name: str = 'looking'

    def __call__(self) -> Looking:
        """Make it."""
        return Looking(self.process, self.answers)


if __name__ == '__main__':
    chosen = config(sys.argv[1], int(sys.argv[3]))
    run_benchmark(chosen, Factory(os.getpid(), int(sys.argv[4])), Path(sys.argv[2]))
