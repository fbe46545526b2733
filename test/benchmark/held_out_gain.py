"""Does an update of PPO improve anything but the steps it was made of?

Run: python test/benchmark/held_out_gain.py [--rollouts 16] [--set exploration.memory=0.8]

The parent drives and explores, its critic learns, its policy stays. Then updates are made, each of
its own share of the rollouts and from the parent's weights anew, and judged by the others: the
gain is the mean of (ratio - 1) times the advantage, in deviations of the advantage, which an
update in which PPO learns something raises on steps that it has not seen. Prints, and adds to
results/held_out_gain.csv.
"""

from __future__ import annotations

import argparse
import csv
import functools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2e_core.config import from_mapping, from_yaml, to_mapping
from s2e_core.paths import find_config
from s2e_core.settings import assign
from s2e_training.posttrain.actor import Actor, joined
from s2e_training.posttrain.advantages import (
    advantages,
    explained_variance,
    normalised,
    returns_to_end,
)
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.posttrain.mixture import cut
from s2e_training.posttrain.objective import divergence
from s2e_training.posttrain.rollout import Rollout
from s2e_training.posttrain.setup import make_trainer
from s2e_training.posttrain.update import Updater

RESULTS = Path(__file__).parent / 'results' / 'held_out_gain.csv'
CRITIC = 6
"""Rollouts that only the critic learns from."""
SIZES = (1, 4, 8)
"""Rollouts that an update is made of."""
JUDGED = 2048
"""States at a time."""


def drive(config: PosttrainConfig, rollouts: int) -> tuple[Actor, list[Rollout], slice]:
    """Return the policy, rollouts of it after those that the critic began with, its waypoints."""
    kept: list[Rollout] = []
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(config, Path(folder), time.monotonic)
        trainer._evaluate = None
        updater = trainer._learner._updater
        inner = updater.update

        @functools.wraps(inner)
        def keep(rollout: Rollout, *args: Any) -> dict[str, float]:
            kept.append(rollout)
            print(f'rollout {len(kept)} of {CRITIC + rollouts}', flush=True)
            return inner(rollout, *args)

        updater.update = keep
        trainer.run(lambda _: None, stop_at=CRITIC + rollouts)
    return updater._actor, kept[CRITIC:], updater._waypoints


def together(rollouts: Sequence[Rollout]) -> Rollout:
    """Return rollouts after one another; nothing is handed on from one to the next."""
    first = rollouts[0]
    done = [torch.cat([r.done[:-1], torch.ones_like(r.done[-1:])]) for r in rollouts]
    columns = {
        name: torch.cat([getattr(r, name) for r in rollouts])
        for name in ('actions', 'log_prob', 'values', 'following', 'rewards', 'terminated')
    }
    return replace(
        first, seen=joined([r.seen for r in rollouts]), done=torch.cat(done), **columns,
        episodes=tuple(one for r in rollouts for one in r.episodes),
    )


def judge(actor: Actor, rollout: Rollout, waypoints: slice, gamma: float, lam: float
          ) -> tuple[float, float]:
    """Return the gain on a rollout, and how far the policy has moved there, nats."""
    gained = normalised(advantages(
        rollout.rewards, rollout.values, rollout.following, rollout.terminated, rollout.done,
        gamma, lam,
    ).flatten())
    ratios = []
    with torch.no_grad():
        for rows in torch.arange(len(gained)).split(JUDGED):
            mixture, _ = actor(rollout.seen.rows(rows))
            policy = cut(mixture, actor.exploration(mixture), waypoints)
            ratios.append(policy.log_prob(rollout.actions[rows]) - rollout.log_prob[rows])
    log_ratio = torch.cat(ratios)
    gain = (log_ratio.exp() - 1.0) * gained
    return float(gain.mean()), float(divergence(log_ratio).mean())


def measure(
    config: PosttrainConfig, actor: Actor, rollouts: Sequence[Rollout], waypoints: slice,
    size: int,
) -> dict[str, float]:
    """Make updates of `size` rollouts each, and average what they bring here and elsewhere."""
    start = {name: value.clone() for name, value in actor.state_dict().items()}
    found = []
    for begin in range(0, len(rollouts) - size + 1, size):
        own = together(rollouts[begin:begin + size])
        other = together([*rollouts[:begin], *rollouts[begin + size:]])
        actor.load_state_dict(start)
        generator = torch.Generator().manual_seed(begin)
        Updater(actor, config.ppo, waypoints).update(own, generator, False)
        scored = [judge(actor, r, waypoints, config.ppo.gamma, config.ppo.lam)
                  for r in (own, other)]
        found.append([*scored[0], *scored[1]])
    actor.load_state_dict(start)
    values = np.array(found)
    means = values.mean(0)
    error = values[:, 2].std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else float('nan')
    return {'size': size, 'updates': len(values), 'gain_own': means[0], 'kl_own': means[1],
            'gain_held_out': means[2], 'gain_held_out_se': error, 'kl_held_out': means[3]}


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rollouts', type=int, default=16)
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE')
    parser.add_argument('--out', type=Path, default=RESULTS)
    args = parser.parse_args()
    plain = to_mapping(from_yaml(PosttrainConfig, find_config('training/posttrain_short.yaml')))
    assign(plain, args.set)
    config = from_mapping(PosttrainConfig, plain, source='held_out_gain')
    frozen = replace(config, ppo=replace(config.ppo, value_warmup=10**6), steps=10**9)
    actor, rollouts, waypoints = drive(frozen, args.rollouts)
    whole = together(rollouts)
    earned = returns_to_end(whole.rewards, whole.following, whole.terminated, whole.done,
                            config.ppo.gamma)
    ends = whole.episodes
    facts = {
        'settings': ' '.join(args.set), 'steps': len(whole.actions), 'episodes': len(ends),
        'success': np.mean([e.success for e in ends]),
        'clean_success': np.mean([e.clean for e in ends]),
        'explained': explained_variance(whole.values, earned),
    }
    rows = [{**facts, **measure(config, actor, rollouts, waypoints, size)} for size in SIZES
            if size < len(rollouts)]
    new = not args.out.is_file()
    with args.out.open('a', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator='\n')
        if new:
            writer.writeheader()
        for row in rows:
            shown = {k: round(float(v), 5) if isinstance(v, float) else v for k, v in row.items()}
            print(shown)
            writer.writerow(shown)


if __name__ == '__main__':
    main()
