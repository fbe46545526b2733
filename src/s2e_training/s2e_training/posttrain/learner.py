"""What a run repeats: a rollout and its update, or a supervised update of the same size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

from s2e_core.robot import RobotProfile
from s2e_training.data.windows import WindowSet
from s2e_training.models.agdm import LossConfig
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.posttrain.curriculum import Curriculum, Stage
from s2e_training.posttrain.environment import Episode, VectorEnv
from s2e_training.posttrain.foresight import Foresight
from s2e_training.posttrain.rollout import Driver, Driving, Rollout
from s2e_training.posttrain.sft import SupervisedUpdater
from s2e_training.posttrain.update import Updater

ACTIONS, EPISODES = 2, 3
"""Keys of the streams of randomness."""


class Learner(Protocol):
    """One way to learn."""

    def begin(self, rollout: int) -> None:
        """Begin a segment: forget everything that no checkpoint holds."""

    def learn(self, rollout: int) -> dict[str, float]:
        """Gather experience once, learn from it and return measures."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps beside the network."""

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""

    def last_states(self) -> dict[str, Any]:
        """Return the newest experience, to find out what went wrong."""

    def close(self) -> None:
        """Let go of everything."""


class Reinforcement:
    """PPO in environments that grow harder."""

    def __init__(
        self, config: PosttrainConfig, actor: Actor,
        make_environment: Callable[[Stage], VectorEnv], robot: RobotProfile,
    ) -> None:
        """Take the parts; environments are made when a segment begins.

        Args:
            config: Settings.
            actor: Policy and value.
            make_environment: Makes the environments of a stage.
            robot: What drives.
        """
        self._config, self._actor, self._make = config, actor, make_environment
        self._driving = Driving(
            robot, config.follower, config.navigator, config.ppo.density
        )
        self._updater = Updater(actor, config.ppo, self._driving.waypoints)
        self._foresight = (
            Foresight(actor, config.foresight) if config.foresight.weight > 0.0 else None
        )
        self._curriculum = Curriculum(config.curriculum)
        self._environment: VectorEnv | None = None
        self._made: Stage | None = None
        self._rollout: Rollout | None = None

    def begin(self, rollout: int) -> None:
        """Enter the next stage if it is earned and begin new episodes everywhere."""
        self._curriculum.advance()
        if self._environment is None or self._made != self._curriculum.stage:
            self.close()
            self._made = self._curriculum.stage
            self._environment = self._make(self._made)
            self._driver = Driver(
                self._actor, self._environment, self._driving, self._foresight is not None
            )
        if self._foresight is not None:
            self._foresight.forget()
        seed = np.random.default_rng([self._config.seed, EPISODES, rollout]).integers(2**31)
        self._driver.reset(int(seed))

    def learn(self, rollout: int) -> dict[str, float]:
        """Drive, learn, and return measures; those of episodes are NaN where none ended.

        Raises:
            NonFiniteError: A number that nobody can use came up.
        """
        c = self._config
        seed = np.random.default_rng([c.seed, ACTIONS, rollout]).integers(2**62)
        generator = torch.Generator().manual_seed(int(seed))
        self._rollout = None
        driven = self._driver.drive(c.rollout, self._updater.scale, generator)
        self._rollout = driven
        self._curriculum.add([episode.success for episode in driven.episodes])
        measured = self._updater.update(driven, generator, rollout < c.ppo.value_warmup)
        if self._foresight is not None:
            measured |= self._foresight.update(driven, generator)
        return {
            'reward': float(driven.rewards.mean()),
            **{f'reward_{name}': value for name, value in driven.terms.items()},
            **episode_means(driven.episodes), 'stage': float(self._curriculum.index), **measured,
        }

    def state(self) -> dict[str, Any]:
        """Return optimisers, curriculum, exploration and value head."""
        foresight = {} if self._foresight is None else self._foresight.state()
        return {
            'foresight': foresight,
            'updater': self._updater.state(), 'curriculum': self._curriculum.state(),
            'exploration': self._actor.exploration.state_dict(),
            'value': self._actor.value.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._updater.load(state['updater'])
        if self._foresight is not None:
            self._foresight.load(state['foresight'])
        self._curriculum.load(state['curriculum'])
        self._actor.exploration.load_state_dict(state['exploration'])
        self._actor.value.load_state_dict(state['value'])

    def last_states(self) -> dict[str, Any]:
        """Return the last rollout."""
        driven = self._rollout
        if driven is None:
            return {}
        return {'seen': tuple(driven.seen), 'actions': driven.actions, 'rewards': driven.rewards}

    def close(self) -> None:
        """Close the environments."""
        if self._environment is not None:
            self._environment.close()
            self._environment = None


class Supervised:
    """Fine-tuning on clips; a step for each environment step that RL would take."""

    def __init__(
        self, config: PosttrainConfig, actor: Actor, windows: WindowSet, loss: LossConfig
    ) -> None:
        """Take the parts.

        Args:
            config: Settings.
            actor: Holds the network.
            windows: Samples.
            loss: As in pre-training.
        """
        self._config = config
        self._updater = SupervisedUpdater(actor.model, windows, config.sft, loss)

    def begin(self, rollout: int) -> None:
        """Nothing outlives an update but what a checkpoint holds."""

    def learn(self, rollout: int) -> dict[str, float]:
        """Take as many samples as a rollout has steps.

        Raises:
            NonFiniteError: A loss or gradient is not finite.
        """
        c = self._config
        rng = np.random.default_rng([c.seed, ACTIONS, rollout])
        return self._updater.update(c.environment.count * c.rollout, rng)

    def state(self) -> dict[str, Any]:
        """Return the optimiser."""
        return self._updater.state()

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._updater.load(state)

    def last_states(self) -> dict[str, Any]:
        """Return nothing: samples are drawn again from the seed."""
        return {}

    def close(self) -> None:
        """Nothing to let go of."""


def episode_means(episodes: tuple[Episode, ...]) -> dict[str, float]:
    """Average finished episodes; NaN where none ended."""
    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else float('nan')

    return {
        'episodes': float(len(episodes)),
        'success': mean([float(e.success) for e in episodes]),
        'clean_success': mean([float(e.clean) for e in episodes]),
        'collisions': mean([float(e.collisions) for e in episodes]),
    }
