"""Many environments in one process, their cameras drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, create_empty_array
from numpy.typing import NDArray

from navbench_gs.env.gym.options import EnvOptions, read_options
from navbench_gs.env.gym.session import Session, Step
from navbench_gs.env.gym.setting import Setting
from navbench_gs.env.gym.single import METADATA, SCREEN, Observation, clipped
from navbench_gs.env.gym.spaces import action_space, observation_space
from navbench_gs.errors import SimulationError
from navbench_gs.render import Frame, Renderer, View

CHUNKS = 4
"""Of environments that are driven and drawn in turns."""
Mask = NDArray[np.bool_]
Answer = tuple[Observation, NDArray[np.float64], Mask, Mask, dict[str, Any]]


class NavBenchVectorEnv(VectorEnv[Observation, NDArray[np.float32], NDArray[Any]]):
    """`gymnasium.make_vec('NavBenchGS-v0', num_envs=N)`: N episodes at a time.

    Environments in the same scene share its splats, physics template and looks. Environment i
    reset with seed s is `NavBenchEnv` reset with s + i, step by step.
    """

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        config: EnvOptions | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **settings: Any,
    ) -> None:
        """Read protocol and robot; the first reset loads scenes.

        Args:
            num_envs: N.
            render_mode: None or `rgb_array`.
            config: Options as a whole.
            autoreset_mode: `NextStep`, `SameStep` or `Disabled`.
            settings: Options by name; see `EnvOptions`.

        Raises:
            S2EError: an option is wrong.
        """
        self.num_envs, self.render_mode = num_envs, render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**METADATA, 'autoreset_mode': self.autoreset_mode}
        self._setting = Setting.open(read_options(config, settings))
        self._sessions = [Session(self._setting) for _ in range(num_envs)]
        self.single_observation_space = observation_space(self._setting)
        self.single_action_space = action_space(self._setting)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        # While one chunk is drawn, the next one drives: drawing needs no interpreter.
        self._chunks = [[int(i) for i in chunk] for chunk in np.array_split(
            np.arange(num_envs), min(num_envs, CHUNKS))]
        self._painter = ThreadPoolExecutor(1, thread_name_prefix='painter')
        self._over = np.zeros(num_envs, bool)
        self._rngs: list[np.random.Generator] | None = None
        self._pictures: list[Observation] = [{} for _ in range(num_envs)]

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode in each environment, or in those that `reset_mask` names.

        Args:
            seed: s gives environment i the seed s + i; a list gives each its own.
            options: As for one environment, and `reset_mask`, `[N]` bool.

        Raises:
            SimulationError: seeds or mask do not fit the number of environments.
        """
        options = dict(options or {})
        mask = np.asarray(options.pop('reset_mask', np.ones(self.num_envs, bool)))
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise SimulationError(
                f'reset_mask must be [{self.num_envs}] bool with one True, got {mask!r}'
            )
        if seed is None or isinstance(seed, int):
            seeds = [None if seed is None else seed + i for i in range(self.num_envs)]
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise SimulationError(f'seed: need {self.num_envs}, got {len(seeds)}')
        infos: dict[str, Any] = {}
        chosen = [int(i) for i in np.flatnonzero(mask)]
        for i in chosen:
            self._begin(i, seeds[i], options)
            infos = self._add_info(infos, self._sessions[i].info(), i)
        self._see(chosen, self._draw(chosen).result())
        self._over[mask] = False
        return self._batch(), infos

    def step(self, actions: NDArray[np.float32]) -> Answer:
        """Drive each environment for 0.2 s; those that are over begin anew as the mode says."""
        if self._over.any() and self.autoreset_mode is AutoresetMode.DISABLED:
            raise SimulationError(
                f'environments {np.flatnonzero(self._over).tolist()} are over: reset them'
            )
        actions = clipped(actions, self.action_space)
        infos: dict[str, Any] = {}
        steps = [Step() for _ in self._sessions]
        drawing = []
        for chunk in self._chunks:
            for i in chunk:
                if self._over[i]:
                    self._begin(i, None, {})
                else:
                    steps[i] = self._sessions[i].step(actions[i])
            over = [i for i in chunk if steps[i].outcome is not None]
            if over and self.autoreset_mode is AutoresetMode.SAME_STEP:
                infos = self._turn_over(over, infos)
            drawing.append(self._draw(chunk))
        for i, session in enumerate(self._sessions):
            infos = self._add_info(infos, session.info(), i)
        for chunk, frames in zip(self._chunks, drawing, strict=True):
            self._see(chunk, frames.result())
        terminated = np.array([step.terminated for step in steps])
        truncated = np.array([step.truncated for step in steps])
        same = self.autoreset_mode is AutoresetMode.SAME_STEP
        self._over = np.zeros(self.num_envs, bool) if same else terminated | truncated
        rewards = np.array([step.reward for step in steps])
        return self._batch(), rewards, terminated, truncated, infos

    def foresee(self, plans: NDArray[np.floating]) -> NDArray[np.float64]:
        """Say what following each of K plans would cost each robot.

        Args:
            plans: Waypoints 0.2 s apart, base_link, metres. [N, K, T, 2]

        Returns:
            Metres of way; see `Session.foresee`. [N, K]
        """
        rows = zip(self._sessions, plans, strict=True)
        return np.stack([session.foresee(own) for session, own in rows])

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Draw each camera's view, sharper. N times `[480, 640, 3]` uint8"""
        if self.render_mode is None:
            return None
        return tuple(session.world.view(SCREEN).rgb for session in self._sessions)

    def close_extras(self, **kwargs: Any) -> None:
        """Let the scenes go."""
        self._painter.shutdown()
        self._setting.store.close()

    def _begin(self, i: int, seed: int | None, options: dict[str, Any]) -> None:
        """Reset one environment; an unseeded one goes on with its generator."""
        if self._rngs is None:
            self._rngs = [gymnasium.utils.seeding.np_random()[0] for _ in self._sessions]
        if seed is not None:
            self._rngs[i] = gymnasium.utils.seeding.np_random(seed)[0]
        self._sessions[i].reset(self._rngs[i], options, restart=seed is not None)

    def _turn_over(self, over: list[int], infos: dict[str, Any]) -> dict[str, Any]:
        """Keep the last view of what is over as `final_obs` and begin it anew."""
        self._see(over, self._draw(over).result())
        for i in over:
            final = {'final_obs': self._pictures[i], 'final_info': self._sessions[i].info()}
            infos = self._add_info(infos, final, i)
            self._begin(i, None, {})
        return infos

    def _draw(self, which: list[int]) -> Future[list[Frame]]:
        """Begin to draw what some environments see now."""
        shots = [self._sessions[i].world.shot() for i in which]
        return self._painter.submit(draw_together, shots)

    def _see(self, which: list[int], frames: list[Frame]) -> None:
        """Keep the observations that go with frames of now."""
        for i, frame in zip(which, frames, strict=True):
            self._pictures[i] = self._sessions[i].observe(frame.rgb)

    def _batch(self) -> Observation:
        batch: Any = create_empty_array(self.single_observation_space, self.num_envs)
        for name, rows in batch.items():
            for i, picture in enumerate(self._pictures):
                rows[i] = picture[name]
        return dict(batch)


def draw_together(shots: Sequence[tuple[Renderer, View]]) -> list[Frame]:
    """Draw views of one or several scenes, each scene's in one call, in the order given."""
    groups: dict[int, list[int]] = {}
    for index, (renderer, _) in enumerate(shots):
        groups.setdefault(id(renderer), []).append(index)
    frames: dict[int, Frame] = {}
    for indices in groups.values():
        drawn = shots[indices[0]][0].render_many([shots[index][1] for index in indices])
        frames.update(zip(indices, drawn, strict=True))
    return [frames[index] for index in range(len(shots))]
