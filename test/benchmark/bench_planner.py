"""Time the privileged planner, episode sampling and the judge, in processor seconds.

Run: python test/benchmark/bench_planner.py --scene city:100
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
from kernel import kernel_seconds

from navbench_gs.agents.privileged import PrivilegedPlanner
from navbench_gs.runner.judge import EpisodeJudge
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.scenes import resolve_scene
from navbench_gs.tasks.geodesic import solve
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from s2e_core.records import Command
from s2e_core.robot import load_robot


def milliseconds(call: Callable[[], object], count: int) -> float:
    """Return the processor time of one call after a first one that compiles."""
    call()
    begin = time.process_time()
    for _ in range(count):
        call()
    return round(1e3 * (time.process_time() - begin) / count, 3)


def main() -> None:
    """Print the times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--scene', default='city:100')
    parser.add_argument('--task', default='obstacle_pedestrian')
    args = parser.parse_args()
    bundle, robot, protocol = resolve_scene(args.scene), load_robot('coco'), load_protocol()
    spec = sample_episode(bundle, args.task, 0, 0, protocol, robot)
    world, planner = KinematicWorld(bundle, robot), PrivilegedPlanner()
    world.reset(spec)
    planner.bind(world, spec)
    judge = EpisodeJudge(spec, bundle, protocol, robot)
    open_floor = np.ones((800, 800), np.float32)
    kernel = kernel_seconds()
    print(json.dumps({
        'scene': args.scene,
        'people': len(spec.people),
        'obstacles': len(spec.obstacles),
        'field_800x800_ms': milliseconds(
            lambda: solve(0.1, np.zeros(2), open_floor, (40.0, 40.0)), 10),
        'sample_ms': milliseconds(
            lambda: sample_episode(bundle, args.task, 0, 0, protocol, robot), 5),
        'bind_ms': milliseconds(lambda: planner.bind(world, spec), 10),
        'trajectory_ms': milliseconds(
            lambda: planner.trajectory(world.true_pose(), world.time_ns, 1.0), 200),
        'judge_ms': milliseconds(lambda: judge.observe(world, Command(0)), 200),
        'kernel_seconds': round(kernel, 4),
    }, indent=1))


if __name__ == '__main__':
    main()
