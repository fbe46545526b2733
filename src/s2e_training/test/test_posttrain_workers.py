"""Environments in several processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from goal_reaching import LIMIT, GoalReaching

from s2e_training.errors import TrainingError
from s2e_training.posttrain.environment import Observations, Steps, VectorEnv
from s2e_training.posttrain.workers import Workers


class Seeded(GoalReaching):
    """Environment i draws from the seed plus i, as the benchmark's do."""

    def reset(self, seed: int) -> Observations:
        self._each = [GoalReaching(1) for _ in range(self.count)]
        return self._stack([e.reset(seed + i) for i, e in enumerate(self._each)])

    def step(self, velocity: np.ndarray) -> Steps:
        parts = [e.step(velocity[i:i + 1]) for i, e in enumerate(self._each)]
        return Steps(
            self._stack([p.observations for p in parts]),
            *(np.concatenate([getattr(p, n) for p in parts])
              for n in ('rewards', 'terminated', 'truncated')),
            self._stack([p.final for p in parts]),
            {n: np.concatenate([p.terms[n] for p in parts]) for n in parts[0].terms},
            tuple(e for p in parts for e in p.episodes),
        )

    def foresee(self, plans: np.ndarray) -> np.ndarray:
        return np.concatenate([e.foresee(plans[i:i + 1]) for i, e in enumerate(self._each)])

    @staticmethod
    def _stack(parts: list[Observations]) -> Observations:
        return Observations(*(
            np.concatenate([getattr(p, n) for p in parts])
            for n in ('features', 'goal', 'present', 'speed', 'truth')
        ))


@dataclass(frozen=True)
class Make:
    """Makes them; `fault` says what goes wrong in the third step."""

    fault: str = ''

    def __call__(self, count: int) -> VectorEnv:
        return Faulty(count) if self.fault else Seeded(count)


class Faulty(Seeded):
    """Reports an error in its third step."""

    steps = 0

    def step(self, velocity: np.ndarray) -> Steps:
        self.steps += 1
        if self.steps == 3:
            raise TrainingError('the scene is gone')
        return super().step(velocity)


def test_processes_change_nothing() -> None:
    alone, spread = Seeded(5), Workers(Make(), 5, 2)
    try:
        a, b = alone.reset(7), spread.reset(7)
        rng = np.random.default_rng(0)
        for _ in range(LIMIT + 3):
            np.testing.assert_array_equal(a.goal, b.goal)
            plans = rng.normal(0, 2, (5, 3, 10, 2)).astype(np.float32)
            np.testing.assert_array_equal(alone.foresee(plans), spread.foresee(plans))
            velocity = rng.uniform(0, 1, (5, 2)).astype(np.float32)
            x, y = alone.step(velocity), spread.step(velocity)
            for name in ('rewards', 'terminated', 'truncated'):
                np.testing.assert_array_equal(getattr(x, name), getattr(y, name))
            np.testing.assert_array_equal(x.final.goal, y.final.goal)
            np.testing.assert_array_equal(x.terms['progress'], y.terms['progress'])
            assert x.episodes == y.episodes
            a, b = x.observations, y.observations
    finally:
        spread.close()


def test_errors_come_through_and_dead_processes_are_noticed() -> None:
    workers = Workers(Make('error'), 4, 2)
    workers.reset(0)
    go = np.zeros((4, 2), np.float32)
    workers.step(go)
    workers.step(go)
    with pytest.raises(TrainingError, match='the scene is gone'):
        workers.step(go)
    for process in workers._processes:
        process.join(10)
    with pytest.raises(TrainingError, match='a process with environments died'):
        workers.step(go)
    workers.close()
