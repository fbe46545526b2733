"""The teacher as usual, careful of things, and of people too: clearance and outcomes.

Run: python test/benchmark/bench_teacher.py
     python test/benchmark/bench_teacher.py --teachers usual careful --scenes city:100-103

The planner on the true map drives episodes of the benchmark, which need no images. `careful` are
the settings of config/training/careful.yaml.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navbench_gs.agents.drives import Caution
from navbench_gs.agents.privileged import PrivilegedPlanner
from navbench_gs.agents.terrain import TerrainConfig
from navbench_gs.runner.plan import Finished, RunConfig, parse_scenes, parse_tasks
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol

RESULTS = Path(__file__).parent / 'results/bench_teacher.csv'
FAR = TerrainConfig(comfort=0.8, wall_cost=12.0)
TEACHERS = {
    'usual': (TerrainConfig(), Caution()),
    'careful': (FAR, Caution(near=0.15, comfort=0.5)),
    'people': (FAR, Caution(near=0.15, comfort=0.5, near_person=0.5, personal=1.2)),
}


@dataclass(frozen=True)
class Teacher:
    """Makes the planner in each worker."""

    name: str

    def __call__(self) -> PrivilegedPlanner:
        """Make it."""
        return PrivilegedPlanner(1.5, *TEACHERS[self.name])


def measure(config: RunConfig, name: str) -> list[dict[str, object]]:
    """Drive with one teacher; a row for each task."""
    done: list[Finished] = []
    with tempfile.TemporaryDirectory() as folder:
        run_benchmark(config, Teacher(name), Path(folder), progress=done.append)
    rows = []
    for task in config.tasks:
        scores = [item.scores for item in done if item.item.task == task and item.scores]
        rows.append({
            'teacher': name, 'task': task, 'episodes': len(scores),
            'success': round(float(np.mean([s.success for s in scores])), 2),
            'clean': round(float(np.mean([s.collision_free_success for s in scores])), 2),
            'clearance_median': round(float(np.median([s.clearance for s in scores])), 2),
            'duration_mean': round(float(np.mean([s.duration for s in scores])), 1),
        })
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Drive, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--teachers', nargs='+', default=list(TEACHERS), choices=TEACHERS)
    parser.add_argument('--scenes', nargs='+', default=['city:100-107'])
    parser.add_argument('--episodes', type=int, default=3)
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    args = parser.parse_args()
    protocol = load_protocol()
    tasks = parse_tasks(['obstacle', 'pedestrian', 'obstacle_pedestrian'])
    config = RunConfig(
        parse_scenes(args.scenes), tasks, protocol, protocol.robot, args.episodes, workers=2
    )
    rows = [row for name in args.teachers for row in measure(config, name)]
    with args.out.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
