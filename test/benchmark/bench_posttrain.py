"""Time a step of PPO end to end, and where it goes.

Run: python test/benchmark/bench_posttrain.py
     python test/benchmark/bench_posttrain.py --rollouts 4 --set ppo.bfloat16=false

Everything runs in one process on one thread, so CPU time is the whole cost: `environment` holds
physics, people, judge and image, `encode` the frozen encoder, `observe` the frozen layers behind
it, `forward` the exploring policy and the critic, `update` all passes over the rollout. The first
rollout, in which kernels are loaded, is not counted. `possible` is what two cores to themselves
would give if they shared the work evenly. `over_kernel` compares runs of different days.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernel import kernel_seconds

from s2e_core.config import from_mapping, from_yaml, to_mapping
from s2e_core.paths import find_config
from s2e_core.settings import assign
from s2e_training.data.features import EncoderSession
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.posttrain.navbench import NavBench
from s2e_training.posttrain.setup import make_trainer
from s2e_training.posttrain.update import Updater

RESULTS = Path(__file__).parent / 'results/bench_posttrain.csv'
PARTS: dict[str, tuple[type, list[str]]] = {
    'environment': (NavBench, ['step', 'foresee']), 'encode': (EncoderSession, ['encode']),
    'observe': (Actor, ['perceive', 'observe', 'parent_scores']), 'forward': (Actor, ['forward']),
    'update': (Updater, ['update']),
}
FIXED = [
    'environment.workers=1', 'environment.renderer=exact', 'ppo.value_warmup=0',
    'evaluation.every=1000000', 'segment=1000',
]


class Clock:
    """CPU seconds spent in some methods; `encode` is no part of the environment that calls it."""

    def __init__(self) -> None:
        """Nothing is spent yet."""
        self.spent: Counter[str] = Counter()
        self._running: list[str] = []

    def watch(self, name: str, owner: type, method: str) -> None:
        """Put a stopwatch around a method."""
        inner: Callable[..., Any] = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if 'update' in self._running:
                return inner(*args, **kwargs)
            begin = time.process_time()
            self._running.append(name)
            try:
                return inner(*args, **kwargs)
            finally:
                total = time.process_time() - begin
                self._running.pop()
                self.spent[name] += total
                if self._running:
                    self.spent[self._running[-1]] -= total

        setattr(owner, method, timed)


def measure(settings: list[str], rollouts: int) -> dict[str, Any]:
    """Train for some rollouts; returns CPU ms a step of every part."""
    plain = to_mapping(from_yaml(PosttrainConfig, find_config('training/posttrain_study.yaml')))
    assign(plain, [*FIXED, *settings])
    config = from_mapping(PosttrainConfig, plain, source='bench_posttrain')
    clock = Clock()
    for name, (owner, methods) in PARTS.items():
        for method in methods:
            clock.watch(name, owner, method)
    marks: list[tuple[float, float]] = []

    def mark(_: object) -> None:
        marks.append((time.process_time(), time.perf_counter()))
        if len(marks) == 1:
            clock.spent.clear()

    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(config, Path(folder), time.monotonic)
        trainer._evaluate = None
        trainer.run(mark, stop_at=rollouts + 1)
    steps = rollouts * config.rollout * config.environment.count
    cpu, wall = (b - a for a, b in zip(marks[0], marks[-1], strict=True))
    row = {name: round(1e3 * clock.spent[name] / steps, 2) for name in PARTS}
    row['rest'] = round(1e3 * cpu / steps - sum(row.values()), 2)
    return {
        'bfloat16': config.ppo.bfloat16, 'epochs': config.ppo.epochs, 'steps': steps, **row,
        'cpu_ms': round(1e3 * cpu / steps, 2), 'steps_per_s': round(steps / wall, 1),
        'possible': round(2.0 * steps / cpu, 1),
    }


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rollouts', type=int, default=3)
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE')
    parser.add_argument('--out', type=Path, default=RESULTS)
    args = parser.parse_args()
    kernel = kernel_seconds()
    row = measure(args.set, args.rollouts)
    row['kernel_cpu_ms'] = round(1e3 * kernel, 1)
    row['over_kernel'] = round(1e-3 * row['cpu_ms'] / kernel, 3)
    row['load'], row['cores'] = round(os.getloadavg()[0], 1), os.cpu_count()
    print(row)
    new = not args.out.is_file()
    with args.out.open('a', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, row.keys())
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == '__main__':
    main()
