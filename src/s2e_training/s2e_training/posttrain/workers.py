"""Environments spread over processes: each drives and encodes its share on a core of its own."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from dataclasses import fields
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from s2e_core.errors import S2EError
from s2e_training.errors import TrainingError
from s2e_training.posttrain.environment import Observations, Steps, VectorEnv

_EXIT_WAIT = 5.0


class Factory(Protocol):
    """Makes environments in a worker; it is pickled, so it holds settings only."""

    def __call__(self, count: int) -> VectorEnv:
        """Make some environments."""


class Workers:
    """A `VectorEnv` of several; which process an environment lives in changes nothing.

    Environment i draws its episodes from the seed plus i, as it would in one process.
    """

    def __init__(self, factory: Factory, count: int, workers: int) -> None:
        """Start the processes.

        Args:
            factory: Makes a share of the environments.
            count: Environments in all.
            workers: Processes.
        """
        self.count = count
        self._shares = [len(part) for part in np.array_split(np.arange(count), workers)]
        context = multiprocessing.get_context('spawn')
        self._pipes: list[Connection] = []
        self._processes = []
        for share in self._shares:
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, factory, share), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def reset(self, seed: int) -> Observations:
        """Begin new episodes everywhere."""
        firsts = np.cumsum([0, *self._shares[:-1]])
        return _together(self._ask([('reset', seed + int(first)) for first in firsts]))

    def step(self, velocity: NDArray[np.float32]) -> Steps:
        """Drive for 0.2 s. [E, 2] m/s and rad/s"""
        parts = np.split(velocity, np.cumsum(self._shares[:-1]))
        answers: list[Steps] = self._ask([('step', part) for part in parts])
        return Steps(
            _together([a.observations for a in answers]),
            np.concatenate([a.rewards for a in answers]),
            np.concatenate([a.terminated for a in answers]),
            np.concatenate([a.truncated for a in answers]),
            _together([a.final for a in answers]),
            {name: np.concatenate([a.terms[name] for a in answers]) for name in answers[0].terms},
            tuple(episode for a in answers for episode in a.episodes),
        )

    def foresee(self, plans: NDArray[np.float32]) -> NDArray[np.float32]:
        """Say what plans would cost. [E, M, T, 2] metres, base_link -> [E, M] metres of way"""
        parts = np.split(plans, np.cumsum(self._shares[:-1]))
        return np.concatenate(self._ask([('foresee', part) for part in parts]))

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            try:
                pipe.send(None)
            except OSError:
                continue  # dead already
        for process in self._processes:
            process.join(_EXIT_WAIT)
            if process.is_alive():
                process.terminate()
                process.join()
        for pipe in self._pipes:
            pipe.close()
        self._pipes, self._processes = [], []

    def _ask(self, questions: Sequence[tuple[str, Any]]) -> list[Any]:
        """Let all processes work at once.

        Raises:
            TrainingError: One reports an error, or died.
        """
        answers = []
        try:
            for pipe, question in zip(self._pipes, questions, strict=True):
                pipe.send(question)
            for pipe in self._pipes:
                answers.append(pipe.recv())
        except (EOFError, OSError) as error:
            raise TrainingError('a process with environments died; out of memory?') from error
        for answer in answers:
            if isinstance(answer, str):
                raise TrainingError(answer)
        return answers


def serve(pipe: Connection, factory: Factory, count: int) -> None:
    """Do what comes through the pipe; the body of a worker process."""
    # Ctrl-C reaches the whole group; the parent ends the workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    environment: VectorEnv | None = None
    try:
        environment = factory(count)
        while (question := pipe.recv()) is not None:
            what, argument = question
            pipe.send(getattr(environment, what)(argument))
    except S2EError as error:
        pipe.send(str(error))
    except (EOFError, OSError):
        pass  # the parent was killed
    finally:
        if environment is not None:
            environment.close()


def _together(parts: Sequence[Observations]) -> Observations:
    names = [field.name for field in fields(Observations)]
    return Observations(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
