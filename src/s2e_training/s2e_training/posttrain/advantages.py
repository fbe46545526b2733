"""Generalised advantage estimation, and the scale of returns."""

from __future__ import annotations

import torch
from torch import Tensor


def advantages(
    rewards: Tensor, values: Tensor, following: Tensor, terminated: Tensor, done: Tensor,
    gamma: float, lam: float,
) -> Tensor:
    """Estimate advantages (Schulman et al., 2016, equation 16).

    A time-out is no state of the world: where an episode is cut, the value of the state it was
    cut in stands for what would have come (Pardo et al., 2018).

    Args:
        rewards: [T, E]
        values: Of the states that were acted in. [T, E]
        following: Of the states that came of it, before any reset. [T, E]
        terminated: Whether the world ended there, worth nothing. [T, E] bool
        done: Whether the episode ended there, by the world or by time. [T, E] bool
        gamma: Discount.
        lam: Decay of the estimate.

    Returns:
        Advantages; with `values` they are the returns. [T, E]
    """
    delta = rewards + gamma * following * (~terminated) - values
    result = torch.zeros_like(delta)
    running = torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        running = delta[t] + gamma * lam * running * (~done[t])
        result[t] = running
    return result


def returns_to_end(
    rewards: Tensor, following: Tensor, terminated: Tensor, done: Tensor, gamma: float
) -> Tensor:
    """Return what was earned until an episode or the rollout ended, and the value there.

    Arguments as of `advantages`. Returns of lambda hold the values of every state on the way,
    which a critic agrees with; these hold one.

    Returns:
        [T, E]
    """
    result = torch.zeros_like(rewards)
    running = following[-1]
    for t in reversed(range(len(rewards))):
        running = torch.where(done[t], following[t], running)
        running = rewards[t] + gamma * running * (~terminated[t])
        result[t] = running
    return result


class ReturnScale:
    """Running mean and deviation of returns, so that the value head learns unit numbers."""

    def __init__(self) -> None:
        """Start without any return."""
        self.mean, self.variance, self.count = 0.0, 1.0, 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation, kept off zero."""
        return max(self.variance, 1e-8) ** 0.5

    def update(self, returns: Tensor) -> None:
        """Take in returns (Chan et al., 1983, parallel variance).

        Args:
            returns: Any shape.
        """
        size = float(returns.numel())
        mean = float(returns.double().mean())
        variance = float(returns.double().var(unbiased=False))
        total = self.count + size
        apart = mean - self.mean
        self.variance = (
            self.variance * self.count + variance * size
            + apart**2 * self.count * size / total
        ) / total
        self.mean += apart * size / total
        self.count = total

    def normalise(self, returns: Tensor) -> Tensor:
        """Return returns in units of the value head."""
        return (returns - self.mean) / self.deviation

    def restore(self, values: Tensor) -> Tensor:
        """Return the value head's answers in units of the reward."""
        return values * self.deviation + self.mean

    def state(self) -> dict[str, float]:
        """Return what a checkpoint keeps."""
        return {'mean': self.mean, 'variance': self.variance, 'count': self.count}

    def load(self, state: dict[str, float]) -> None:
        """Go on from a checkpoint."""
        self.mean, self.variance = state['mean'], state['variance']
        self.count = state['count']


def normalised(values: Tensor) -> Tensor:
    """Shift and scale to mean 0 and deviation 1; equal values become zeros."""
    return (values - values.mean()) / (values.std(unbiased=False) + 1e-8)


def explained_variance(values: Tensor, returns: Tensor) -> float:
    """1 - Var(returns - values) / Var(returns); NaN where returns do not vary."""
    spread = float(returns.var(unbiased=False))
    if spread <= 0.0:
        return float('nan')
    return 1.0 - float((returns - values).var(unbiased=False)) / spread
