"""One environment: `gymnasium.make('NavBenchGS-v0')`."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from navbench_gs.env.gym.options import EnvOptions, read_options
from navbench_gs.env.gym.session import Session
from navbench_gs.env.gym.setting import Setting
from navbench_gs.env.gym.spaces import action_space, observation_space
from navbench_gs.metrics.record import EpisodeLog
from s2e_core.camera import CameraModel

Observation = dict[str, NDArray[Any]]
METADATA: dict[str, Any] = {'render_modes': ['rgb_array'], 'render_fps': 5}
SCREEN = CameraModel.from_fov(640, 480, math.radians(90.0))
"""What `render` draws: the policy camera's place, sharper."""


class NavBenchEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """An episode of the benchmark at 5 Hz; the world waits for each action."""

    metadata: dict[str, Any] = METADATA

    def __init__(
        self, render_mode: str | None = None, config: EnvOptions | None = None, **settings: Any
    ) -> None:
        """Read protocol and robot; the first reset loads a scene.

        Args:
            render_mode: None or `rgb_array`.
            config: Options as a whole.
            settings: Options by name; see `EnvOptions`.

        Raises:
            S2EError: an option is wrong.
        """
        self.render_mode = render_mode
        self._setting = Setting.open(read_options(config, settings))
        self._session = Session(self._setting)
        self.observation_space: gymnasium.Space[Any] = observation_space(self._setting)
        self.action_space: gymnasium.Space[Any] = action_space(self._setting)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode; see `Session.reset` for `options`."""
        super().reset(seed=seed)
        self._session.reset(self.np_random, options, restart=seed is not None)
        return self._observe(), self._session.info()

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Drive for 0.2 s."""
        step = self._session.step(clipped(action, self.action_space))
        return (
            self._observe(), step.reward, step.terminated, step.truncated, self._session.info()
        )

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the camera's view. `[480, 640, 3]` uint8"""
        if self.render_mode is None:
            return None
        return self._session.world.view(SCREEN).rgb

    def close(self) -> None:
        """Let the scenes go."""
        self._setting.store.close()

    @property
    def episode_log(self) -> EpisodeLog:
        """The log of the episode that just ended, as `s2e bench` writes it."""
        return self._session.log()

    def _observe(self) -> Observation:
        return self._session.observe(self._session.world.image().rgb)


def clipped(action: NDArray[np.floating], space: gymnasium.Space[Any]) -> NDArray[np.floating]:
    """Return the action inside the bounds of its Box."""
    assert isinstance(space, gymnasium.spaces.Box)
    return np.clip(np.asarray(action), space.low, space.high)
