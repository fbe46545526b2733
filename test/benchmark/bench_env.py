"""Time the Gymnasium environment: steps per second, alone, vectorised and in processes.

Run: python test/benchmark/bench_env.py
     python test/benchmark/bench_env.py --envs 8 --scenes city:1000-1003 --steps 400

A step is 0.2 s of driving with obstacles, people and an image. Every environment drives towards
its goal, so episodes end and begin as they do in training; resets and scene changes are included.
`steps_per_s` is wall time and depends on what else the machine does; `cpu_ms` a step, over all
processes, does far less, and `cpu_over_kernel` is its ratio to a small kernel timed in the same
run. `possible` is steps per second if both cores did nothing else and shared the work evenly.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from kernel import kernel_seconds

from navbench_gs.env.gym import ENV_ID

RESULTS = Path(__file__).parent / 'results/bench_env.csv'
WARM_UP = 20


def cpu_seconds() -> float:
    """CPU time of this process and of its children so far."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        fields = Path(f'/proc/{child.pid}/stat').read_text().rsplit(')', 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    return total


def towards(goals: np.ndarray) -> np.ndarray:
    """Drive at the goal `[N, 2]` and brake for it; returns `[N, 2]`."""
    distance = np.hypot(goals[:, 0], goals[:, 1])
    bearing = np.arctan2(goals[:, 1], goals[:, 0])
    speed = np.where(distance < 0.3, 0.0, np.minimum(1.2, distance))
    return np.stack([speed, np.clip(1.5 * bearing, -1.5, 1.5)], axis=1).astype(np.float32)


def drive(envs: Any, steps: int) -> tuple[int, int]:
    """Step all environments; returns how many steps and how many resets there were."""
    observation, _ = envs.reset(seed=0)
    resets = 0
    for _ in range(steps):
        observation, _, terminated, truncated, _ = envs.step(towards(observation['goal']))
        resets += int((terminated | truncated).sum())
    return steps * envs.num_envs, resets


def measure(mode: str, count: int, args: argparse.Namespace, renderer: str) -> dict[str, Any]:
    """Time one way of running environments."""
    settings = {
        'scenes': args.scenes, 'tasks': args.task, 'width': args.size, 'height': args.size,
        'renderer': renderer, 'threads': 1 if mode == 'async' else args.threads,
        'survey_cache': args.survey_cache,
    }
    envs = gymnasium.make_vec(ENV_ID, count, vectorization_mode=mode, **settings)
    drive(envs, WARM_UP)
    loaded, begin = cpu_seconds(), time.perf_counter()
    rounds = max(1, args.steps // count)
    steps, resets = drive(envs, rounds)
    wall = time.perf_counter() - begin
    cpu = cpu_seconds() - loaded
    envs.close()
    return {'mode': mode, 'envs': count, 'renderer': renderer, 'size': args.size,
            'task': args.task, 'scenes': args.scenes, 'threads': settings['threads'],
            'steps': steps, 'resets': resets, 'wall_s': round(wall, 1),
            'steps_per_s': round(steps / wall, 1), 'cpu_ms': round(1e3 * cpu / steps, 2),
            'possible': round(2.0 * steps / cpu, 1)}


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--scenes', default='city:1000-1003')
    parser.add_argument('--task', default='obstacle_pedestrian')
    parser.add_argument('--size', type=int, default=128)
    parser.add_argument('--envs', type=int, default=8)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--steps', type=int, default=1200)
    parser.add_argument('--survey-cache', default='', help='folder for the surveys of fast')
    parser.add_argument('--out', type=Path, default=RESULTS)
    args = parser.parse_args()
    kernel = kernel_seconds()
    ways = [('sync', 1), ('vector_entry_point', args.envs), ('async', 2)]
    rows = [measure(mode, count, args, renderer) for renderer in ('exact', 'coarse')
            for mode, count in ways]
    if args.survey_cache:
        rows.append(measure('vector_entry_point', args.envs, args, 'fast'))
    for row in rows:
        row['kernel_cpu_ms'] = round(1e3 * kernel, 1)
        row['cpu_over_kernel'] = round(1e-3 * row['cpu_ms'] / kernel, 3)
        row['load'], row['cores'] = round(os.getloadavg()[0], 1), os.cpu_count()
        print(row)
    with args.out.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
