"""Goals as pictures: drawn where the way ends, in the heading in which it arrives."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.runner.bench import Bench
from navbench_gs.runner.goal_picture import arrival
from navbench_gs.runner.plan import RunConfig
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

PROTOCOL = load_protocol()
ROBOT = load_robot('coco')
SPEC = EpisodeSpec('city:0', 'blocks', 'coco', 'empty', 0, 0, Pose2(3.0, 3.0, 0.0), (15.0, 3.0),
                   12.0, 12.0, False, 40.0)


def test_along_a_street_it_looks_along_it(block_scene):
    world = SimpleNamespace(bundle=block_scene, robot=ROBOT)
    place = arrival(SPEC, world, PROTOCOL)
    assert (place.x, place.y) == (15.0, 3.0)
    assert place.yaw == pytest.approx(0.0, abs=0.05)


def test_behind_a_corner_it_looks_away_from_the_corner(block_scene):
    # A block fills 6 to 16 m in x and y. From (3, 3) to (20, 12) the way bends round its corner
    # (16, 6) at 0.8 m or so, thus near (16.6, 5.4): atan2(6.6, 3.4) = 1.10, while the straight
    # line's heading is atan2(9, 17) = 0.49.
    world = SimpleNamespace(bundle=block_scene, robot=ROBOT)
    place = arrival(replace(SPEC, goal=(20.0, 12.0), geodesic=21.0), world, PROTOCOL)
    assert place.yaw == pytest.approx(1.10, abs=0.12)
    assert place.yaw > math.atan2(9, 17) + 0.3


class DrivesToPicture(StraightToGoal):
    """Keeps the pictures it is given and gives up at its first image."""

    needs_images = True

    def __init__(self):
        super().__init__(1.0)
        self.pictures = []

    def set_goal_image(self, rgb):
        self.pictures.append(rgb)

    def infer(self, observation):
        raise ValueError('has seen enough')


class Factory:
    name = 'pictures'

    def __init__(self):
        self.policy = DrivesToPicture()

    def __call__(self):
        return self.policy


def test_the_benchmark_gives_each_route_its_picture(tmp_path):
    factory = Factory()
    config = RunConfig(
        scenes=('city:101',), tasks=('empty',), protocol=PROTOCOL, robot='coco', episodes=2
    )
    bench = Bench(config, factory, tmp_path, 1)
    for item in config.items():
        assert bench.run(item).detail == 'ValueError: has seen enough'
    first, second = factory.policy.pictures
    spec = factory.policy.spec.camera
    assert first.shape == second.shape == (spec.height, spec.width, 3)
    assert np.abs(first.astype(int) - second).mean() > 5.0
