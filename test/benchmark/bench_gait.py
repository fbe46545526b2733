"""Measure the learned gait: how it tracks velocities, whether it falls, what it costs.

Run: python test/benchmark/bench_gait.py --scenes city:100 city:113 city:114
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time

import numpy as np

from navbench_gs.physics import PhysicsWorld, WorldTemplate
from navbench_gs.scenes import resolve_scene
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.records import Command
from s2e_core.robot import RobotProfile, load_robot
from s2e_core.se2 import Pose2

TICK_NS = 50_000_000
COMMANDS = ((0.0, 0.0), (0.2, 0.0), (0.5, 0.0), (1.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.0, 1.5),
            (0.5, 0.8), (1.0, 1.0))
SUNK = 0.15
"""A trunk this much lower than at a walk lies on the ground, metres."""


def kerb(up: bool, offset: float) -> CollisionMap:
    """Return a step of 0.12 m across the way, 2 m ahead."""
    ground = plane(20.0)
    height = ground.height.copy()
    height[:, round(10.0 * (22.0 + offset)):] = 0.12 if up else -0.12
    return dataclasses.replace(ground, height=height)


def climb(robot: RobotProfile, up: bool, count: int) -> dict[str, object]:
    """Walk straight at kerbs at 0.6 m/s, each 0.1 m farther; 10 s each."""
    over = falls = 0
    for index in range(count):
        ground = kerb(up, 0.1 * index)
        world = PhysicsWorld(WorldTemplate(robot, ground), Pose2())
        for tick in range(200):
            world.command(Command(tick * TICK_NS + 1, 0.6, 0.0), tick * TICK_NS)
            world.step(tick * TICK_NS, 5)
        falls += int(fallen(world, ground))
        over += int(world.pose2().x > 3.5 + 0.1 * index and not fallen(world, ground))
    return {'kerbs': count, 'walked_over': over, 'falls': falls}


def plane(half: float = 100.0) -> CollisionMap:
    """Return level ground."""
    free = np.zeros((round(20 * half), round(20 * half)), bool)
    return CollisionMap(0.1, np.array([-half, -half]), free, np.zeros(free.shape, np.float32),
                        ~free, np.zeros((0, 7), np.float32))


def fallen(world: PhysicsWorld, ground: CollisionMap) -> bool:
    """Whether the robot lies on its side or its belly."""
    pose = world.pose()
    floor = float(ground.floor(pose[None, :2, 3])[0])
    return bool(world.tilt() > math.radians(60.0) or pose[2, 3] < floor - SUNK)


def track(robot: RobotProfile, v: float, w: float) -> dict[str, object]:
    """Walk 20 s under one command; measure by the way covered after the first 3 s."""
    world = PhysicsWorld(WorldTemplate(robot, plane()), Pose2())
    turned, way, before = 0.0, 0.0, world.pose2()
    for tick in range(400):
        now = tick * TICK_NS
        world.command(Command(now + 1, v, w), now)
        world.step(now, 5)
        step = before.inverse().compose(world.pose2())
        before = world.pose2()
        if tick >= 60:
            turned, way = turned + step.yaw, way + step.x
    return {'v': v, 'w': w, 'walked_v': round(way / 17.0, 3), 'walked_w': round(turned / 17.0, 3)}


def stroll(
    world: PhysicsWorld, ground: CollisionMap, rng: np.random.Generator
) -> dict[str, object]:
    """Walk 60 s under commands that change every 2 s, away from what is near; stop at a fall."""
    begin, contact, way = time.process_time(), 0, 0.0
    before, v, w = world.pose2(), 0.0, 0.0
    for tick in range(1200):
        if tick % 40 == 0:
            v, w = rng.uniform(0.0, 1.0), rng.uniform(-0.8, 0.8)
        now, ahead = tick * TICK_NS, world.pose2().transform(np.array([0.8, 0.0]))
        free = float(ground.clearance(ahead[None])[0]) > 0.5
        command = (v, w) if free else (0.2, math.copysign(1.0, w))
        world.command(Command(now + 1, *command), now)
        world.step(now, 5)
        contact += int(bool(world.contacts.collect()))
        way += before.distance_to((world.pose2().x, world.pose2().y))
        before = world.pose2()
        if fallen(world, ground):
            break
    seconds = 0.05 * (tick + 1)
    return {'seconds': seconds, 'fell': fallen(world, ground), 'way': round(way, 1),
            'contact_seconds': round(0.05 * contact, 2),
            'cpu_per_second': round((time.process_time() - begin) / seconds, 4)}


def main() -> None:
    """Print the measurements as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--robot', default='go2')
    parser.add_argument('--scenes', nargs='*', default=['city:100', 'city:113', 'city:114'])
    parser.add_argument('--walks', type=int, default=10, help='of 60 s, on level ground and each '
                        'scene')
    args = parser.parse_args()
    robot = load_robot(args.robot)
    report: dict[str, object] = {'tracking': [track(robot, *command) for command in COMMANDS]}
    report['kerbs up'] = climb(robot, True, args.walks)
    report['kerbs down'] = climb(robot, False, args.walks)
    places = [('level', plane(), np.zeros((1, 2)))]
    places += [(n, b.collision, b.spawn) for n, b in ((n, resolve_scene(n)) for n in args.scenes)]
    for name, ground, starts in places:
        template, rng = WorldTemplate(robot, ground), np.random.default_rng(0)
        walks = []
        for _ in range(args.walks):
            x, y = starts[rng.integers(len(starts))]
            start = Pose2(float(x), float(y), float(rng.uniform(-math.pi, math.pi)))
            walks.append(stroll(PhysicsWorld(template, start), ground, rng))
        report[name] = {
            'height_range': round(float(np.ptp(ground.height)), 2),
            'walks': len(walks), 'falls': sum(bool(walk['fell']) for walk in walks),
            'walked_m': round(sum(float(str(walk['way'])) for walk in walks), 1),
            'contact_seconds': round(sum(float(str(w['contact_seconds'])) for w in walks), 1),
            'cpu_per_second': round(
                float(np.mean([float(str(w['cpu_per_second'])) for w in walks])), 4),
        }
    print(json.dumps(report, indent=1))


if __name__ == '__main__':
    main()
