"""Drives the environments with the exploring policy and keeps what an update needs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from s2e_core.follower import FollowerConfig
from s2e_core.navigator import NavigatorConfig
from s2e_core.robot import RobotProfile
from s2e_policy.goal import encode_goal
from s2e_training.models.policy import Mixture
from s2e_training.posttrain.actor import Actor, Seen, joined
from s2e_training.posttrain.advantages import ReturnScale
from s2e_training.posttrain.controller import (
    arrived,
    executed_aim,
    executed_waypoint,
    velocity,
)
from s2e_training.posttrain.environment import Episode, Observations, Steps, VectorEnv
from s2e_training.posttrain.guard import demand_finite
from s2e_training.posttrain.history import FrameHistory
from s2e_training.posttrain.mixture import cut, sample
from s2e_training.posttrain.noise import Noise


@dataclass(frozen=True)
class Driving:
    """How a trajectory becomes a velocity."""

    robot: RobotProfile
    follower: FollowerConfig
    navigator: NavigatorConfig
    density: str = 'executed'
    """See `PPOConfig.density`."""

    @property
    def waypoint(self) -> int:
        """Index of the executed waypoint."""
        return executed_waypoint(self.follower)

    @property
    def waypoints(self) -> slice:
        """The waypoints whose density is the policy's."""
        if self.density == 'trajectory':
            return slice(None)
        return slice(self.waypoint, self.waypoint + 1)

    def command(self, trajectory: Tensor, goal: Tensor, present: Tensor) -> Tensor:
        """Return velocities. [B, T, 2], [B, 2], [B] -> [B, 2]"""
        tolerance = self.navigator.goal_tolerance
        aim = executed_aim(trajectory, goal, present, self.waypoint, tolerance)
        result = velocity(aim, self.robot, self.follower)
        return torch.where(arrived(goal, present, tolerance)[:, None], 0.0, result)


@dataclass(frozen=True)
class Foreseen:
    """What every mode would have led to in N states."""

    cost: Tensor
    """Metres of way. [N, M]"""
    parent: Tensor
    """Scores of the parent. [N, M]"""
    mean: Tensor
    """Waypoints of the policy that drove, metres, base_link. [N, M, T, 2]"""


@dataclass(frozen=True)
class Rollout:
    """T steps of E environments; N = T E states in order of time."""

    seen: Seen
    """[N]"""
    actions: Tensor
    """Waypoints as they were drawn, metres, base_link. [N, P, 2]"""
    log_prob: Tensor
    """Of the actions, nats. [N]"""
    values: Tensor
    """Of the states, in units of the reward. [T, E]"""
    following: Tensor
    """Values of what came of them. [T, E]"""
    rewards: Tensor
    """[T, E]"""
    terminated: Tensor
    """[T, E] bool"""
    done: Tensor
    """[T, E] bool"""
    terms: dict[str, float]
    """Mean of each term of the reward, a step."""
    episodes: tuple[Episode, ...]
    """Episodes that ended."""
    foreseen: Foreseen | None = None
    """Where foresight is asked for."""


class Driver:
    """Holds the environments between rollouts."""

    def __init__(
        self, actor: Actor, environment: VectorEnv, driving: Driving, foresees: bool = False
    ) -> None:
        """Take the parts.

        Args:
            actor: Policy and value.
            environment: Where to drive.
            driving: From trajectory to velocity.
            foresees: Whether to ask in each state what every mode would lead to.
        """
        self._foresees = foresees
        self._actor, self._environment, self._driving = actor, environment, driving
        self._history = FrameHistory(actor.model.config.frames)
        self._noise: Noise | None = None

    def reset(self, seed: int) -> None:
        """Begin new episodes everywhere."""
        self._now = self._environment.reset(seed)
        self._noise = None
        self._history.begin(self._perceive(self._now.features))

    def drive(self, steps: int, scale: ReturnScale, generator: torch.Generator) -> Rollout:
        """Drive all environments for some steps.

        Args:
            steps: T.
            scale: Units of the value head.
            generator: Source of the actions.

        Raises:
            NonFiniteError: A number that nobody can use came up.
        """
        state, taken = self._judge(), []
        for _ in range(steps):
            step, state = self._step(state, scale, generator)
            taken.append(step)
        results = [item.result for item in taken]
        names = results[0].terms
        return Rollout(
            joined([item.seen for item in taken]),
            torch.cat([item.action for item in taken]),
            torch.cat([item.log_prob for item in taken]),
            torch.stack([item.value for item in taken]),
            torch.stack([item.following for item in taken]),
            torch.from_numpy(np.stack([r.rewards for r in results])),
            torch.from_numpy(np.stack([r.terminated for r in results])),
            torch.from_numpy(np.stack([r.done for r in results])),
            {name: float(np.mean([r.terms[name] for r in results])) for name in names},
            tuple(episode for r in results for episode in r.episodes),
            _gathered([item.foreseen for item in taken if item.foreseen is not None]),
        )

    @torch.no_grad()
    def _judge(self) -> _State:
        seen = self._observe(self._history.windows, self._now)
        mixture, value = self._actor(seen)
        demand_finite('the policy', mean=mixture.mean, logits=mixture.logits, value=value)
        return _State(seen, mixture, value)

    @torch.no_grad()
    def _step(
        self, state: _State, scale: ReturnScale, generator: torch.Generator
    ) -> tuple[_Taken, _State]:
        driving, now, mixture = self._driving, self._now, state.mixture
        log_sigma = self._actor.exploration(mixture)
        if self._noise is None:
            shape = len(log_sigma), log_sigma.shape[1]
            self._noise = Noise.draw(*shape, generator)
        trajectory = sample(mixture, log_sigma, self._noise)
        action = trajectory[:, driving.waypoints]
        log_prob = cut(mixture, log_sigma, driving.waypoints).log_prob(action)
        goal, present = torch.from_numpy(now.goal), torch.from_numpy(now.present)
        command = driving.command(trajectory, goal, present)
        foreseen = self._foresee(state) if self._foresees else None
        result = self._environment.step(command.numpy().astype(np.float32))
        demand_finite(
            'the environment', reward=torch.from_numpy(result.rewards),
            goal=torch.from_numpy(result.observations.goal),
        )
        done = result.done
        self._noise = self._noise.following(
            self._actor.exploration.memory, torch.from_numpy(done), generator
        )
        over = torch.from_numpy(np.flatnonzero(done))
        ended = self._ended(result, over) if len(over) else None
        self._history.push(self._perceive(result.observations.features), torch.from_numpy(done))
        self._now = result.observations
        following = self._judge()
        values = following.value
        if ended is not None:
            values = values.index_put((over,), ended)
        return _Taken(
            state.seen, action, log_prob, scale.restore(state.value), scale.restore(values),
            result, foreseen,
        ), following

    def _foresee(self, state: _State) -> Foreseen:
        mean = state.mixture.mean
        cost = torch.from_numpy(self._environment.foresee(mean.numpy()))
        demand_finite('the foresight', cost=cost)
        return Foreseen(cost, self._actor.parent_scores(state.seen), mean)

    def _ended(self, result: Steps, over: Tensor) -> Tensor:
        """Return the values of where the actions led whose episodes are over. [R]"""
        final = Observations(*(
            getattr(result.final, part.name)[over.numpy()] for part in fields(Observations)
        ))
        windows = self._history.following(self._perceive(final.features), over)
        value: Tensor = self._actor(self._observe(windows, final))[1]
        return value

    def _perceive(self, features: NDArray[np.float16]) -> Tensor:
        return self._actor.perceive(torch.from_numpy(features))

    def _observe(self, windows: Tensor, seen: Observations) -> Seen:
        encoding = self._actor.model.config.goal_encoding
        code, mask = encode_goal(np.where(seen.present[:, None], seen.goal, 0.0), encoding)
        present = seen.present[:, None].astype(np.float32)
        return self._actor.observe(
            windows, torch.from_numpy(code * present),
            torch.from_numpy(mask * present), torch.from_numpy(seen.speed),
            torch.from_numpy(seen.truth),
        )


@dataclass(frozen=True)
class _State:
    """Where every environment stands."""

    seen: Seen
    mixture: Mixture
    value: Tensor
    """In units of the value head. [E]"""


@dataclass(frozen=True)
class _Taken:
    """One step of every environment."""

    seen: Seen
    action: Tensor
    log_prob: Tensor
    value: Tensor
    following: Tensor
    result: Steps
    foreseen: Foreseen | None


def _gathered(steps: list[Foreseen]) -> Foreseen | None:
    """Put what was foreseen step by step after one another."""
    if not steps:
        return None
    return Foreseen(
        torch.cat([step.cost for step in steps]), torch.cat([step.parent for step in steps]),
        torch.cat([step.mean for step in steps]),
    )
