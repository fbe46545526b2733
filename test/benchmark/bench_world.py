"""Time one episode of driving and say where the time goes.

Run: python test/benchmark/bench_world.py --scene city:1000 --size 128
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from kernel import kernel_seconds

from navbench_gs.env import Simulation
from navbench_gs.scenes import resolve_scene
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.records import Command
from s2e_core.robot import load_robot

TICKS = 200
"""10 s of driving."""


class Clock:
    """Sums processor time by part: with one thread that is wall time on an idle core."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the time of the block to a part."""
        begin = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - begin


def drive(sim: Simulation, clock: Clock) -> None:
    """Drive 10 s with an image every fourth tick and a scan with it."""
    for index in range(TICKS):
        if index % 4 == 0:
            with clock.part('image'):
                sim.image()
            with clock.part('scan'):
                sim.scan()
        with clock.part('tick'):
            sim.tick(Command(sim.time_ns, 1.0, 0.0))


def main() -> None:
    """Print the split as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--scene', default='city:1000')
    parser.add_argument('--size', type=int, default=128)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--task', default='obstacle_pedestrian')
    args = parser.parse_args()
    bundle, robot = resolve_scene(args.scene), load_robot('coco')
    camera = SMALL_CAMERA.scaled(args.size, args.size)
    sim = Simulation(bundle, robot, camera=camera, mount=SMALL_MOUNT, threads=args.threads)
    spec = sample_episode(bundle, args.task, 0, 0, load_protocol(), robot)
    sim.reset(replace(spec, scene_hash=bundle.hash))
    drive(sim, Clock())
    clock = Clock()
    with clock.part('reset'):
        sim.reset(spec)
    drive(sim, clock)
    total = sum(clock.seconds.values()) - clock.seconds['scan']
    print(json.dumps({
        'scene': args.scene,
        'gaussians': bundle.gaussians,
        'obstacles': len(spec.obstacles),
        'people': len(spec.people),
        'seconds': {name: round(value, 4) for name, value in clock.seconds.items()},
        'image_ms': round(1e3 * clock.seconds['image'] / (TICKS / 4), 2),
        'scan_ms': round(1e3 * clock.seconds['scan'] / (TICKS / 4), 3),
        'tick_ms': round(1e3 * clock.seconds['tick'] / TICKS, 3),
        'times_real_time': round(TICKS * 0.05 / total, 1),
        'kernel_seconds': round(kernel_seconds(), 4),
    }, indent=1))


if __name__ == '__main__':
    main()
