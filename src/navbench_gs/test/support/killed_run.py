"""A run that is killed from within, by a worker in the middle of an episode.

python killed_run.py PROTOCOL OUT WORKERS ANSWERS: after so many answers of one worker the whole
run's first process gets a SIGKILL, as from `kill -9`.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.runner.plan import RunConfig
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol

SCENES, TASKS, EPISODES = ('city:101',), ('empty', 'pedestrian'), 2


def config(protocol: str, workers: int) -> RunConfig:
    """Return the run; workers are all that differs."""
    return RunConfig(
        SCENES, TASKS, load_protocol(protocol), 'coco', episodes=EPISODES, workers=workers
    )


class Killer(StraightToGoal):
    """Drives to the goal and kills the run's first process at its n-th answer."""

    def __init__(self, process: int, answers: int) -> None:
        super().__init__()
        self._process, self._left = process, answers

    def infer(self, observation):
        """Answer, or kill first."""
        self._left -= 1
        if self._left == 0:
            os.kill(self._process, signal.SIGKILL)
        return super().infer(observation)


@dataclass(frozen=True)
class Straight:
    """Makes the agent; with a process and a number of answers the one that kills."""

    process: int = 0
    answers: int = 0
    name: str = 'straight'

    def __call__(self) -> StraightToGoal:
        """Make it."""
        return Killer(self.process, self.answers) if self.answers else StraightToGoal()


if __name__ == '__main__':
    chosen = config(sys.argv[1], int(sys.argv[3]))
    run_benchmark(chosen, Straight(os.getpid(), int(sys.argv[4])), Path(sys.argv[2]))
