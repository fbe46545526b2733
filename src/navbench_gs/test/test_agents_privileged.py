"""The planner reaches goals from wherever it is put, without touching anything."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from navbench_gs.agents.drives import Caution
from navbench_gs.agents.privileged import PrivilegedPlanner
from navbench_gs.agents.terrain import TerrainConfig
from navbench_gs.errors import TaskError
from navbench_gs.metrics.scores import evaluate
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec, PersonSpec
from s2e_core.control import ControlLoop
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

PROTOCOL = load_protocol()
COCO = load_robot('coco')


def episode(start, goal, obstacles=(), people=(), robot='coco'):
    length = math.dist((start.x, start.y), goal)
    return EpisodeSpec('city:0', 'blocks', robot, 'empty', 0, 0, start, goal, length, length,
                       False, 60.0, tuple(obstacles), tuple(people))


def bound(scene, spec, robot=COCO, **careful):
    world = KinematicWorld(scene, robot)
    world.reset(spec)
    planner = PrivilegedPlanner(**careful)
    planner.bind(world, spec)
    return world, planner


def drive(scene, spec, robot=COCO, **careful):
    world, planner = bound(scene, spec, robot, **careful)
    log = run_episode(
        world, spec, ControlLoop(planner, robot), PROTOCOL, 'privileged', look=world.image
    )
    return evaluate(log, PROTOCOL.judge)


def test_unbound_planner_says_so():
    with pytest.raises(TaskError, match='bound'):
        PrivilegedPlanner().trajectory(Pose2(), 0, 0.0)


def test_waypoints_obey_the_robot(block_scene):
    spec = episode(Pose2(3.0, 3.0, 0.0), (20.0, 20.0))
    _, planner = bound(block_scene, spec)
    for yaw in np.linspace(-math.pi, math.pi, 9):
        for v in (0.0, 0.7, 1.5):
            points = planner.trajectory(Pose2(20.0, 3.0, yaw), 0, v)
            assert points.shape == (10, 2)
            track = np.concatenate([np.zeros((1, 2)), points])
            steps = np.linalg.norm(np.diff(track, axis=0), axis=1)
            assert steps.max() <= 1.5 * 0.2 + 1e-6
            # Speeding up by 0.9 m/s^2 in steps of 0.05 s:
            # 0.05 x (0.045 + 0.09 + 0.135 + 0.18) = 0.0225 m more than at constant speed.
            assert steps[0] <= v * 0.2 + 0.0226


def test_equal_calls_give_equal_plans(block_scene):
    spec = episode(Pose2(3.0, 3.0, 0.0), (20.0, 20.0))
    first = bound(block_scene, spec)[1].trajectory(Pose2(4.0, 3.0, 0.3), 0, 0.5)
    second = bound(block_scene, spec)[1].trajectory(Pose2(4.0, 3.0, 0.3), 0, 0.5)
    assert (first == second).all()


@pytest.mark.parametrize('robot', ['coco', 'turtlebot4'])
@pytest.mark.parametrize('yaw', [0.0, 1.6, 3.1, -1.6])
def test_reaches_goals_facing_any_way(block_scene, robot, yaw):
    profile = load_robot(robot)
    spec = episode(Pose2(20.0, 3.0, yaw), (25.0, 3.0), robot=robot)
    scores = drive(block_scene, spec, profile)
    assert scores.collision_free_success


def test_comes_back_from_beside_a_wall(block_scene):
    # The block's face is y = 6; the footprint's side is 0.15 m from it.
    scores = drive(block_scene, episode(Pose2(8.0, 5.55, 0.0), (20.0, 3.0)))
    assert scores.collision_free_success


def test_keeps_a_distance_a_person_would_keep(block_scene):
    scores = drive(block_scene, episode(Pose2(20.0, 10.0, math.pi / 2), (12.0, 20.0)))
    assert scores.collision_free_success
    assert scores.clearance > 0.25


def test_passes_obstacles(block_scene):
    obstacles = [
        ObstacleSpec('box', k, 8.0 + 3.0 * k, 3.0 + 0.5 * (-1) ** k, 0.3, False) for k in range(4)
    ]
    spec = episode(Pose2(3.0, 3.0, 0.0), (22.0, 3.0), obstacles)
    assert drive(block_scene, spec).collision_free_success


def test_a_careful_planner_passes_farther_off(block_scene):
    # A box on the line with metres of room on one side: who cares more keeps more of them.
    obstacles = [ObstacleSpec('box', 0, 12.0, 3.2, 0.3, False)]
    spec = episode(Pose2(3.0, 3.0, 0.0), (22.0, 3.0), obstacles)
    usual = drive(block_scene, spec)
    careful = drive(
        block_scene, spec, config=TerrainConfig(comfort=0.8, wall_cost=12.0),
        caution=Caution(near=0.15, comfort=0.5),
    )
    assert usual.collision_free_success and careful.collision_free_success
    assert careful.clearance > usual.clearance + 0.1


def test_makes_way_for_someone_oncoming(block_scene):
    people = [PersonSpec(1, (20.0, 20.0), (20.0, 2.0), 1.2, True)]
    spec = episode(Pose2(20.0, 4.0, math.pi / 2), (20.0, 20.0), people=people)
    assert drive(block_scene, spec).collision_free_success


def test_stands_at_the_goal(block_scene):
    spec = episode(Pose2(20.0, 3.0, 0.0), (25.0, 3.0))
    _, planner = bound(block_scene, spec)
    at_goal = planner.trajectory(Pose2(25.0, 3.0, 0.0), 0, 0.0)
    assert np.abs(at_goal).max() < 0.05
    short = planner.trajectory(Pose2(24.0, 3.0, 0.0), 0, 0.8)
    assert tuple(short[-1]) == pytest.approx((1.0, 0.0), abs=0.08)


def test_solves_again_when_an_obstacle_was_pushed(block_scene):
    box = ObstacleSpec('box', 1, 9.0, 5.0, 0.0, True)
    spec = episode(Pose2(3.0, 3.0, 0.0), (22.0, 3.0), [box])
    world, planner = bound(block_scene, spec)
    before = planner.terrain
    planner.trajectory(spec.start, 0, 0.0)
    assert planner.terrain is before
    world._patches[0] = dataclasses.replace(world._patches[0], y=3.0)
    planner.trajectory(spec.start, 0, 0.0)
    assert planner.terrain is not before


def test_drawn_episodes_are_driven_clean(block_scene):
    for index in range(4):
        spec = sample_episode(block_scene, 'obstacle', index, 5, PROTOCOL, COCO)
        assert drive(block_scene, spec).collision_free_success, spec.id
