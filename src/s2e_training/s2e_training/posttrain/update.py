"""PPO's update: some passes over a rollout.

Our own, since the maintained trainers (Stable-Baselines3, rsl_rl, TorchRL's losses) take a policy
whose log-probability, entropy and divergence have closed forms, which a mixture lacks.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.advantages import (
    ReturnScale,
    advantages,
    explained_variance,
    normalised,
    returns_to_end,
)
from s2e_training.posttrain.config import PPOConfig
from s2e_training.posttrain.entropy import entropy
from s2e_training.posttrain.guard import demand_finite
from s2e_training.posttrain.mixture import cut
from s2e_training.posttrain.objective import StepSize, clipped_objective, divergence
from s2e_training.posttrain.rollout import Rollout


@dataclass(frozen=True)
class Targets:
    """What one pass learns from, a row for each state."""

    actions: Tensor
    log_prob: Tensor
    advantage: Tensor
    """Mean 0, deviation 1."""
    returns: Tensor
    """In units of the value head."""


class Updater:
    """Optimisers of policy and value head, with their step sizes."""

    def __init__(self, actor: Actor, config: PPOConfig, waypoints: slice) -> None:
        """Start fresh.

        Args:
            actor: What is trained.
            config: Settings.
            waypoints: Those whose density is the policy's.
        """
        self._actor, self._config, self._waypoints = actor, config, waypoints
        self.scale = ReturnScale()
        self._step = StepSize(config, config.rate)
        self._policy = actor.policy_parameters()
        self._value = list(actor.value.parameters())
        self._optimiser = torch.optim.Adam(
            [{'params': self._policy, 'lr': config.rate},
             {'params': self._value, 'lr': config.value_rate}], eps=1e-5,
        )

    def update(
        self, rollout: Rollout, generator: torch.Generator, value_only: bool
    ) -> dict[str, float]:
        """Learn from a rollout.

        Args:
            rollout: States and actions of the policy as it is now.
            generator: Source of the minibatches.
            value_only: Whether the policy stays.

        Returns:
            Measures of the update: losses, entropy and divergence in nats, share of clipped
            ratios, explained variance, gradient norms and the learning rate.

        Raises:
            NonFiniteError: A loss or gradient is not finite.
        """
        c = self._config
        gained = advantages(
            rollout.rewards, rollout.values, rollout.following, rollout.terminated, rollout.done,
            c.gamma, c.lam,
        )
        returns = (gained + rollout.values).flatten()
        # Not of `returns`, which hold the values of every state on the way.
        explained = explained_variance(rollout.values, returns_to_end(
            rollout.rewards, rollout.following, rollout.terminated, rollout.done, c.gamma,
        ))
        self.scale.update(returns)
        targets = Targets(
            rollout.actions, rollout.log_prob, normalised(gained.flatten()),
            self.scale.normalise(returns),
        )
        for attempt in range(c.retries + 1):
            kept = self._keep()
            means, passes, moved = self._passes(rollout, targets, generator, value_only)
            if value_only or moved <= c.stop_kl * c.target_kl or attempt == c.retries:
                break
            self._take_back(kept)
        if not value_only:
            self._set_rate(self._step.update(moved))
        return {
            **means, 'explained_variance': explained, 'epochs': float(passes),
            'learning_rate': self._step.rate, 'return_mean': float(returns.mean()),
            'sigma_offset': float(self._actor.exploration.offset.detach().mean()),
        }

    def _passes(
        self, rollout: Rollout, targets: Targets, generator: torch.Generator, value_only: bool
    ) -> tuple[dict[str, float], int, float]:
        """Pass over the rollout until the policy has moved too far.

        Returns:
            Means over all steps, passes, and the divergence in the last of them, nats.
        """
        c = self._config
        sums: dict[str, float] = {}
        steps, passes, moved = 0, 0, 0.0
        for _ in range(c.epochs):
            moved = 0.0
            batches = list(minibatches(len(targets.actions), c.minibatch, generator))
            for rows in batches:
                measured = self._descend(rollout, targets, rows, value_only)
                moved += measured['kl'] / len(batches)
                sums = {k: sums.get(k, 0.0) + v for k, v in measured.items()}
                steps += 1
            passes += 1
            if moved > c.stop_kl * c.target_kl:
                break
        return {k: v / steps for k, v in sums.items()}, passes, moved

    def _keep(self) -> tuple[list[Tensor], dict[str, Any]]:
        weights = [weight.detach().clone() for weight in (*self._policy, *self._value)]
        return weights, copy.deepcopy(self._optimiser.state_dict())

    def _take_back(self, kept: tuple[list[Tensor], dict[str, Any]]) -> None:
        """Undo an update that went too far; the next one takes a third of its steps."""
        weights, state = kept
        with torch.no_grad():
            for weight, before in zip((*self._policy, *self._value), weights, strict=True):
                weight.copy_(before)
        self._optimiser.load_state_dict(state)
        self._step.rate = max(self._step.rate / 3.0, self._config.rate_low)
        self._set_rate(self._step.rate)

    def _set_rate(self, rate: float) -> None:
        self._optimiser.param_groups[0]['lr'] = rate

    def _descend(
        self, rollout: Rollout, targets: Targets, rows: Tensor, value_only: bool
    ) -> dict[str, float]:
        """Take one step."""
        c = self._config
        mixture, value = self._actor(rollout.seen.rows(rows))
        policy = cut(mixture, self._actor.exploration(mixture), self._waypoints)
        log_prob = policy.log_prob(targets.actions[rows])
        # e^20 is far past any clip; an overflow would end the run for nothing.
        log_ratio = (log_prob - targets.log_prob[rows]).clamp(-20.0, 20.0)
        ratio = log_ratio.exp()
        gain = clipped_objective(ratio, targets.advantage[rows], c.clip).mean()
        chance = entropy(c.entropy, policy, log_prob, ratio).mean()
        error = F.mse_loss(value, targets.returns[rows])
        loss = c.value_weight * error
        if not value_only:
            loss = loss - gain - c.entropy_weight * chance
        demand_finite('the update', loss=loss, log_prob=log_prob, value=value)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norms = [
            torch.nn.utils.clip_grad_norm_(group, c.clip_norm)
            for group in (self._policy, self._value)
        ]
        demand_finite('the update', policy_gradient=norms[0], value_gradient=norms[1])
        self._optimiser.step()
        with torch.no_grad():
            clipped = ((ratio - 1.0).abs() > c.clip).float().mean()
            return {
                'objective': float(gain), 'value_loss': float(error), 'entropy': float(chance),
                'kl': float(divergence(log_ratio)), 'clip_fraction': float(clipped),
                'policy_norm': float(norms[0]), 'value_norm': float(norms[1]),
            }

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            'optimiser': self._optimiser.state_dict(), 'rate': self._step.rate,
            'scale': self.scale.state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._optimiser.load_state_dict(state['optimiser'])
        self._step.rate = state['rate']
        self.scale.load(state['scale'])


def minibatches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield random rows, each once, in batches of about the same size."""
    order = torch.randperm(count, generator=generator)
    yield from order.tensor_split(max(1, round(count / size)))
