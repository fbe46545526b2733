"""A tiny world: unicycles on an empty plane that are paid for coming nearer to a goal."""

from __future__ import annotations

import numpy as np

from s2e_core.robot import RobotProfile
from s2e_training.posttrain.environment import Episode, Observations, Steps

LIMIT = 20
"""Steps of an episode."""
RADIUS = 0.5

ROBOT = RobotProfile(
    name='unicycle', kinematics='differential', length=0.4, width=0.4, height=0.4, mass=10.0,
    wheel_radius=0.1, track=0.3, v_max=1.5, w_max=2.0,
)


class GoalReaching:
    """Reward: metres of straight distance gained, and 2 for arriving."""

    def __init__(self, count: int = 8) -> None:
        self.count = count
        self.closed = False

    def reset(self, seed: int) -> Observations:
        self._rng = np.random.default_rng(seed)
        self._goal = np.zeros((self.count, 2))
        self._age = np.zeros(self.count, int)
        self._speed = np.zeros((self.count, 2))
        self._draw(np.ones(self.count, bool))
        return self._observe()

    def step(self, velocity: np.ndarray) -> Steps:
        before = np.linalg.norm(self._goal, axis=1)
        v, turn = velocity[:, 0] * 0.2, velocity[:, 1] * 0.2
        # The goal in the robot's frame moves against the robot.
        x, y = self._goal[:, 0] - v * np.cos(turn / 2), self._goal[:, 1] - v * np.sin(turn / 2)
        c, s = np.cos(turn), np.sin(turn)
        self._goal = np.stack([c * x + s * y, c * y - s * x], axis=1)
        self._speed = velocity.copy()
        self._age += 1
        left = np.linalg.norm(self._goal, axis=1)
        terminated = left < RADIUS
        truncated = ~terminated & (self._age >= LIMIT)
        terms = {'progress': (before - left).astype(np.float32),
                 'arrive': (2.0 * terminated).astype(np.float32)}
        final, done = self._observe(), terminated | truncated
        episodes = tuple(Episode(bool(hit), bool(hit), 0) for hit in terminated[done])
        self._draw(done)
        return Steps(
            self._observe(), terms['progress'] + terms['arrive'], terminated, truncated, final,
            terms, episodes,
        )

    def foresee(self, plans: np.ndarray) -> np.ndarray:
        """Metres from the executed waypoint to the goal."""
        return np.linalg.norm(plans[:, :, 2] - self._goal[:, None], axis=-1).astype(np.float32)

    def close(self) -> None:
        self.closed = True

    def _draw(self, which: np.ndarray) -> None:
        count = int(which.sum())
        bearing = self._rng.uniform(-1.2, 1.2, count)
        distance = self._rng.uniform(1.5, 2.5, count)
        self._goal[which] = distance[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], 1)
        self._age[which], self._speed[which] = 0, 0.0

    def _observe(self) -> Observations:
        # No images are needed to reach a goal on an empty plane.
        return Observations(
            np.zeros((self.count, 112, 2, 2), np.float16), self._goal.astype(np.float32),
            np.ones(self.count, bool), self._speed.astype(np.float32),
            np.zeros((self.count, 0), np.float32),
        )
