"""Speed of the benchmark in lock-step: alone, and in several processes.

    python test/benchmark/bench_episodes.py [--workers 1 2] [--scenes city:100-101] [--episodes 4]

Writes results/bench_episodes.csv: a line for each policy and number of workers. `times_real` is
simulated over wall seconds and depends on what else the machine does; `cpu_per_simulated` is the
processor time of all processes behind a simulated second, and `possible` what it would be if every
core did nothing else (cores / cpu_per_simulated). `cpu_over_one` compares the processor time with
that of a single process: at 1.00 workers cost nothing beyond their start, so that K of them on K
idle cores are K times as fast. Starting is left out: what a run of one episode a scene costs is
taken off. `cpu_over_kernel` is the ratio to a fixed small kernel timed in the same run.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from kernel import kernel_seconds

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.runner.plan import PolicyFactory, RunConfig, parse_scenes, parse_tasks
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol
from s2e_cli.bench.policies import policy_factory

RESULTS = Path(__file__).parent / 'results' / 'bench_episodes.csv'


class Looking(StraightToGoal):
    """Drives straight at the goal; the images it does not need are drawn all the same."""

    needs_images = True

    def __init__(self, size: int) -> None:
        super().__init__(1.5)
        self.spec = replace(self.spec, camera=self.spec.camera.scaled(size, size))


@dataclass(frozen=True)
class Pictures:
    """Makes agents that look at images of one size."""

    size: int

    @property
    def name(self) -> str:
        """Name for the table."""
        return f'pictures {self.size}x{self.size}'

    def __call__(self) -> Looking:
        """Make one."""
        return Looking(self.size)


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def drive(config: RunConfig, factory: PolicyFactory) -> tuple[float, float, float]:
    """Run; returns simulated, wall and processor seconds."""
    simulated = [0.0]

    def count(done) -> None:
        simulated[0] += done.scores.duration if done.scores else 0.0

    with tempfile.TemporaryDirectory() as folder:
        begin, used = time.perf_counter(), cpu_seconds()
        run_benchmark(config, factory, Path(folder), progress=count)
        return simulated[0], time.perf_counter() - begin, cpu_seconds() - used


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--policies', nargs='+', default=['s2e-small', '128', '256'],
                        help='policies by name, or sizes of images that are only drawn')
    parser.add_argument('--workers', nargs='+', type=int, default=[1, 2])
    parser.add_argument('--scenes', nargs='+', default=['city:100-101'])
    parser.add_argument('--tasks', nargs='+', default=['obstacle_pedestrian'])
    parser.add_argument('--episodes', type=int, default=4)
    args = parser.parse_args()
    protocol = load_protocol()
    base = RunConfig(parse_scenes(args.scenes), parse_tasks(args.tasks), protocol, protocol.robot)
    cores = os.cpu_count() or 1
    lines = [('policy', 'workers', 'episodes', 'simulated_s', 'times_real', 'cpu_per_simulated',
              'possible', 'cpu_over_one', 'kernel_cpu_ms', 'cpu_over_kernel', 'load', 'cores')]
    for name in args.policies:
        factory = Pictures(int(name)) if name.isdigit() else policy_factory(name, 1.5)
        # Scenes are made and the code is compiled before anything is timed.
        drive(replace(base, episodes=1), factory)
        alone = 0.0
        for workers in args.workers:
            short, long = (
                drive(replace(base, episodes=count, workers=workers), factory)
                for count in (1, 1 + args.episodes)
            )
            simulated, wall, cpu = (b - a for a, b in zip(short, long, strict=True))
            kernel = kernel_seconds()
            alone = alone or cpu / simulated
            lines.append((
                factory.name, str(workers), str(len(base.scenes) * args.episodes),
                f'{simulated:.0f}', f'{simulated / wall:.1f}', f'{cpu / simulated:.3f}',
                f'{cores * simulated / cpu:.1f}', f'{cpu / simulated / alone:.2f}',
                f'{1e3 * kernel:.1f}', f'{cpu / simulated / kernel:.2f}',
                f'{os.getloadavg()[0]:.1f}', str(cores),
            ))
            print(', '.join(f'{k} {v}' for k, v in zip(lines[0], lines[-1], strict=True)))
    with RESULTS.open('w', newline='') as file:
        csv.writer(file, lineterminator='\n').writerows(lines)


if __name__ == '__main__':
    main()
