"""NavBench-GS as the trainer wants it: stages, views before a reset, terms of the reward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from navbench_gs.env.gym.options import EnvOptions
from navbench_gs.env.gym.reward import GROUPS
from navbench_gs.env.gym.truth import TRUTH
from navbench_gs.env.gym.vector import NavBenchVectorEnv
from navbench_gs.tasks.protocol import Protocol, load_protocol
from s2e_core.config import to_mapping
from s2e_training.data.features import EncoderSession
from s2e_training.posttrain.config import EnvironmentConfig
from s2e_training.posttrain.curriculum import Stage
from s2e_training.posttrain.environment import Episode, Observations, Steps

TERMS = (*(name for names in GROUPS.values() for name in names), *GROUPS)
"""Terms of the reward, then the sums of R_G, R_R and R_H."""
PROTOCOL = 'stage.yaml'


@dataclass(frozen=True)
class NavBenchFactory:
    """Makes environments of one stage; fit to be sent to a worker."""

    config: EnvironmentConfig
    stage: Stage
    protocol: Path
    """The stage's rules, as `write_protocol` leaves them."""
    size: int
    """Height and width of the image, pixels."""
    encoder: bytes
    """The frozen encoder, ONNX."""
    threads: int
    """Of encoder and renderer."""
    foresight: str = ''
    """Whose knowledge foretells what plans would cost; empty: nobody's."""

    def __call__(self, count: int) -> NavBench:
        """Make some.

        Raises:
            S2EError: A scene, protocol or robot cannot be had.
        """
        return NavBench(self, count)


class NavBench:
    """`NavBenchVectorEnv` behind the trainer's protocol, its images encoded."""

    def __init__(self, setting: NavBenchFactory, count: int) -> None:
        """Make environments; scenes load with the first reset.

        Args:
            setting: What they share.
            count: How many.
        """
        config = setting.config
        self.count = count
        self._truths = TRUTH if config.truth else 0
        self._encoder = EncoderSession(setting.encoder, setting.threads)
        options = EnvOptions(
            scenes=config.scenes, tasks=setting.stage.tasks, protocol=str(setting.protocol),
            robot=config.robot, width=setting.size, height=setting.size, threads=setting.threads,
            jitter=config.jitter, reward=config.reward, goal_hidden=config.goal_hidden,
            episodes_per_scene=config.episodes_per_scene, renderer=config.renderer,
            survey_cache=config.survey_cache, end_stuck=config.end_stuck, truth=config.truth,
            scenes_kept=config.scenes_kept, foresight=setting.foresight,
        )
        self._environment = NavBenchVectorEnv(
            count, config=options, autoreset_mode=AutoresetMode.SAME_STEP
        )

    def reset(self, seed: int) -> Observations:
        """Begin new episodes everywhere, in scenes that the seed draws."""
        seen, info = self._environment.reset(seed=seed)
        return self._observations(seen, self._truth(info))

    def step(self, velocity: NDArray[np.float32]) -> Steps:
        """Drive for 0.2 s. [E, 2] m/s and rad/s"""
        seen, rewards, terminated, truncated, info = self._environment.step(velocity)
        done = terminated | truncated
        now = self._observations(seen, self._truth(info))
        final, ended = now, info.get('final_info', {})
        if done.any():
            rows = np.flatnonzero(done)
            last = self._observations({
                name: np.stack([info['final_obs'][row][name] for row in rows]) for name in seen
            }, self._truth(ended)[rows])
            final = Observations(
                _replaced(now.features, rows, last.features),
                _replaced(now.goal, rows, last.goal),
                _replaced(now.present, rows, last.present),
                _replaced(now.speed, rows, last.speed),
                _replaced(now.truth, rows, last.truth),
            )
        terms = {name: self._term(name, info, done) for name in TERMS}
        episodes = tuple(
            Episode(bool(ended['success'][row]), bool(ended['collision_free_success'][row]),
                    int(ended['collisions'][row]))
            for row in np.flatnonzero(done)
        )
        return Steps(
            now, rewards.astype(np.float32), terminated, truncated, final, terms, episodes
        )

    def foresee(self, plans: NDArray[np.float32]) -> NDArray[np.float32]:
        """Say what plans would cost. [E, M, T, 2] metres, base_link -> [E, M] metres of way"""
        return self._environment.foresee(plans).astype(np.float32)

    def close(self) -> None:
        """Let the scenes go."""
        self._environment.close()

    def _truth(self, info: dict[str, Any]) -> NDArray[np.float32]:
        nothing = np.zeros((self.count, self._truths), np.float32)
        return np.asarray(info.get('truth', nothing), np.float32)

    def _observations(
        self, seen: dict[str, NDArray[Any]], truth: NDArray[np.float32]
    ) -> Observations:
        return Observations(
            self._encoder.encode(seen['image']), seen['goal'].astype(np.float32),
            seen['goal_mask'][:, 0] > 0, seen['speed'].astype(np.float32), truth,
        )

    def _term(
        self, name: str, info: dict[str, Any], done: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Return a term of the step that was paid; `info` speaks of new episodes already."""
        nothing = np.zeros(self.count)
        going = info['reward'].get(name, nothing)
        ended = info.get('final_info', {}).get('reward', {}).get(name, nothing)
        return np.where(done, ended, going).astype(np.float32)


def write_protocol(config: EnvironmentConfig, stage: Stage, folder: Path) -> Path:
    """Write a stage's rules where the environments read them.

    Raises:
        ConfigError: There is no such protocol.
    """
    rules = stage_protocol(load_protocol(config.protocol), stage)
    path = folder / PROTOCOL
    path.write_text(yaml.safe_dump(to_mapping(rules), sort_keys=False), encoding='utf-8')
    return path


def stage_protocol(base: Protocol, stage: Stage) -> Protocol:
    """Return the benchmark's rules with a stage's distances, obstacles and people."""
    return replace(
        base, name=f'{base.name}-training',
        route=replace(
            base.route, geodesic_low=stage.geodesic_low, geodesic_high=stage.geodesic_high
        ),
        obstacle=replace(base.obstacle, per_area=stage.obstacles),
        people=replace(base.people, count=stage.people),
    )


def _replaced(
    values: NDArray[Any], rows: NDArray[np.integer], others: NDArray[Any]
) -> NDArray[Any]:
    """Return a copy with some rows exchanged."""
    result = values.copy()
    result[rows] = others
    return result
