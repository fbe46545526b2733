"""Learning from what every mode would have led to, not only the one that was driven.

A simulator can be asked. For each state it tells what following each of the M modes would cost,
so that a policy's expected cost is a sum over modes where PPO must estimate it from one that was
tried (all-action policy gradient; Allen et al., 2017). The policy that costs least while staying
near another one, min_q E_q[cost] / T + KL(q || p), is q_m ~ p_m exp(-cost_m / T) in closed form
(Peters et al., 2010, equation 7). Scores descend their divergence from it, in either direction:
T KL(pi || q) is, up to a constant, the expected cost less T times the entropy.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import ForesightConfig
from s2e_training.posttrain.guard import demand_finite
from s2e_training.posttrain.rollout import Rollout


def improved(logits: Tensor, cost: Tensor, temperature: float, prior: float) -> Tensor:
    """Return the log weights of the better choice, log softmax(prior log p - cost / T).

    Args:
        logits: Scores of the policy to stay near. [B, M]
        cost: Metres of way. [B, M]
        temperature: T, metres.
        prior: Power of p.
    """
    kept = prior * torch.log_softmax(logits, dim=-1)
    return torch.log_softmax(kept - cost / temperature, dim=-1)


def shortfall(logits: Tensor, target: Tensor, temperature: float, divergence: str) -> Tensor:
    """Return how far a choice is from the better one, T KL; the mean over states, metres.

    Args:
        logits: Scores. [B, M]
        target: Log weights of the better choice. [B, M]
        temperature: T, metres.
        divergence: See `ForesightConfig`.
    """
    own = torch.log_softmax(logits, dim=-1)
    pair = (target, own) if divergence == 'reverse' else (own, target)
    return temperature * F.kl_div(*pair, log_target=True, reduction='batchmean')


class Foresight:
    """Fits scores to foretold costs, over all rollouts of a segment."""

    def __init__(self, actor: Actor, config: ForesightConfig) -> None:
        """Start fresh.

        Args:
            actor: What is trained.
            config: Settings.
        """
        self._actor, self._config = actor, config
        self._parameters = [p for p in actor.model.parameters() if p.requires_grad]
        self._optimiser = torch.optim.Adam(self._parameters, lr=config.rate, eps=1e-5)
        self._memory: list[Rollout] = []

    def forget(self) -> None:
        """Let go of the rollouts so far: a checkpoint does not hold them."""
        self._memory = []

    def update(self, rollout: Rollout, generator: torch.Generator) -> dict[str, float]:
        """Remember a rollout and learn from all that are remembered.

        Returns:
            `foresight_loss`, metres; `foresight_cost`, metres that the best mode by score costs
            more than the cheapest; `foresight_missed`, share of states where that is the cap, so
            that it touches what could be missed; `foresight_still`, share of states where the
            best mode by score is the first, which stands; `foresight_moved`, RMS change
            of waypoints, metres; means over the steps.

        Raises:
            NonFiniteError: A loss or gradient is not finite.
        """
        c = self._config
        self._memory.append(rollout)
        count = len(rollout.log_prob)
        sums: dict[str, float] = {}
        steps = max(1, round(c.passes * count / c.minibatch))
        for _ in range(steps):
            chosen = int(torch.randint(len(self._memory), (1,), generator=generator))
            past = self._memory[chosen]
            rows = torch.randint(len(past.log_prob), (c.minibatch,), generator=generator)
            for name, value in self._descend(past, rows).items():
                sums[name] = sums.get(name, 0.0) + value / steps
        return sums

    def _descend(self, past: Rollout, rows: Tensor) -> dict[str, float]:
        c, foreseen = self._config, past.foreseen
        assert foreseen is not None
        cost = foreseen.cost[rows]
        cost = (cost - cost.min(dim=1, keepdim=True).values).clamp(max=c.cap)
        target = improved(foreseen.parent[rows], cost, c.temperature, c.prior)
        mixture = self._actor.answer(past.seen.rows(rows))
        loss = shortfall(mixture.logits, target, c.temperature, c.divergence)
        moved = (mixture.mean - foreseen.mean[rows]).square().sum(dim=-1).mean()
        demand_finite('foresight', loss=loss, moved=moved)
        self._optimiser.zero_grad(set_to_none=True)
        (c.weight * (loss + c.keep * moved)).backward()
        norm = torch.nn.utils.clip_grad_norm_(self._parameters, c.clip_norm)
        demand_finite('foresight', gradient=norm)
        self._optimiser.step()
        with torch.no_grad():
            best = mixture.logits.argmax(dim=-1)
            regret = cost.gather(1, best[:, None])
        return {
            'foresight_loss': float(loss.detach()), 'foresight_cost': float(regret.mean()),
            'foresight_missed': float((regret >= c.cap).float().mean()),
            'foresight_still': float((best == 0).float().mean()),
            'foresight_moved': float(moved.detach().sqrt()),
        }

    def state(self) -> dict[str, object]:
        """Return what a checkpoint keeps."""
        return {'optimiser': self._optimiser.state_dict()}

    def load(self, state: dict[str, dict[str, object]]) -> None:
        """Go on from a checkpoint."""
        self._optimiser.load_state_dict(state['optimiser'])
