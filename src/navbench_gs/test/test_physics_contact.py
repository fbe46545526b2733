"""Walls stop, crates are pushed, people touch, kerbs and slopes carry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from navbench_gs.errors import SimulationError
from navbench_gs.physics import PersonBody, PhysicsWorld, Solid, WorldTemplate
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

TICK = 50_000_000


def make_map(boxes: list[list[float]] | None = None, height: np.ndarray | None = None
             ) -> CollisionMap:
    """A free map of 40 x 40 m around the origin."""
    free = np.zeros((400, 400), bool)
    floor = np.zeros((400, 400), np.float32) if height is None else height.astype(np.float32)
    walls = np.array(boxes or [], np.float32).reshape(-1, 7)
    return CollisionMap(0.1, np.array([-20.0, -20.0]), free, floor, ~free, walls)


def make_world(name: str, collision: CollisionMap, start: Pose2,
               solids: Sequence[Solid] = (), people: Sequence[PersonBody] = (),
               people_at: np.ndarray | None = None) -> PhysicsWorld:
    template = WorldTemplate(load_robot(name), collision)
    return PhysicsWorld(template, start, solids, people, people_at)


def drive(world: PhysicsWorld, v: float, seconds: float, now: int = 0,
          people: np.ndarray | None = None) -> tuple[int, list[str]]:
    """Drive straight; returns the time and the contacts as 'body:onset'."""
    seen = []
    for _ in range(round(seconds / 0.05)):
        world.command(Command(now + 1, v, 0.0), now)
        world.step(now, 5, people)
        seen += [f'{event.body}:{event.onset}' for event in world.contacts.collect()]
        now += TICK
    return now, seen


def test_wall_stops_the_robot_where_it_stands() -> None:
    # Front face of the wall at x = 3; the nose is half of 0.85 m ahead of base_link: 2.575 m.
    world = make_world('coco', make_map([[3.5, 0, 1, 0.5, 2, 1, 0]]), Pose2())
    _, seen = drive(world, 1.0, 5.0)
    assert world.pose2().x == pytest.approx(2.575, abs=0.03)
    assert seen[0] == 'wall_0:True'
    assert set(seen[1:]) <= {'wall_0:False', 'wall_0:True'}
    assert len(seen) > 20


@pytest.mark.parametrize('pushable', [True, False])
def test_crate_moves_only_when_pushable(pushable: bool) -> None:
    crate = Solid('obstacle_0_crate', 'box', (0.3, 0.3, 0.3), 8.0, 2.0, 0.0, 0.0, pushable)
    world = make_world('coco', make_map(), Pose2(), [crate])
    _, seen = drive(world, 1.0, 4.0)
    moved = float(world.solid_poses()[0, 0, 3]) - 2.0
    assert 'obstacle_0_crate:True' in seen
    if pushable:
        # The nose (x + 0.425) pushes the crate's rear face (x - 0.3) ahead of it.
        assert moved > 1.0
        assert moved + 2.0 >= world.pose2().x + 0.425 + 0.3 - 0.05
        # Force on the floor is 0.5 x 8 x 9.81 = 39 N of 180 N drive: still about 1 m/s.
        assert world.velocity()[0] > 0.9
    else:
        assert moved == pytest.approx(0.0, abs=1e-9)
        assert world.pose2().x == pytest.approx(2.0 - 0.3 - 0.425, abs=0.03)


def test_obstacles_stand_still_until_touched() -> None:
    solids = [
        Solid(f'obstacle_{i}_bin', 'cylinder', (0.2, 0.4, 0.0), 6.0, 3.0 + i, 2.0, 0.3, True)
        for i in range(3)
    ]
    world = make_world('coco', make_map(), Pose2(), solids)
    before = world.solid_poses()
    drive(world, 1.0, 3.0)
    assert np.abs(world.solid_poses() - before).max() < 1e-3
    assert before[:, 2, 3] == pytest.approx(0.0, abs=0.005)


def test_driving_off_a_ledge_tips_the_robot() -> None:
    # The floor ends at x = 2 and goes on 1.5 m lower: the nose drops.
    x = (np.arange(400) + 0.5) * 0.1 - 20.0
    height = np.tile(np.where(x > 2.0, -1.5, 0.0), (400, 1))
    world = make_world('coco', make_map(height=height), Pose2())
    steepest, now = 0.0, 0
    for _ in range(8):
        now, _ = drive(world, 0.8, 0.5, now)
        steepest = max(steepest, world.tilt())
    assert steepest > 0.8


def test_a_state_that_is_not_finite_is_an_error() -> None:
    world = make_world('coco', make_map(), Pose2())
    world.data.qpos[0] = np.nan
    with pytest.raises(SimulationError, match='diverged'):
        world.step(0, 5)


def test_one_template_serves_many_episodes() -> None:
    template = WorldTemplate(load_robot('coco'), make_map([[3.5, 0, 1, 0.5, 2, 1, 0]]))
    crate = Solid('obstacle_0_crate', 'box', (0.3, 0.3, 0.3), 8.0, 2.0, 0.0, 0.0, True)
    first = PhysicsWorld(template, Pose2(), [crate])
    drive(first, 1.0, 2.0)
    second = PhysicsWorld(template, Pose2())
    assert second.model.nmocap == 0
    assert second.model.nbody == first.model.nbody - 1
    _, seen = drive(second, 1.0, 5.0)
    assert seen[0] == 'wall_0:True'


def test_the_floor_goes_on_beyond_the_map() -> None:
    # Height field: a step far away; the map ends at x = 20, 1 m ahead.
    height = np.zeros((400, 400))
    height[:, :20] = -0.12
    world = make_world('coco', make_map(height=height), Pose2(19.0, 0.0, 0.0))
    drive(world, 1.0, 4.0)
    assert world.pose2().x > 22.0
    assert world.tilt() < 0.01


def test_a_person_in_the_way_is_touched_and_not_driven_through() -> None:
    # Capsule of 0.25 m at x = 2: contact when base_link is at 2 - 0.25 - 0.425 = 1.325 m.
    at = np.array([[2.0, 0.0, 0.0, 0.0]])
    world = make_world('coco', make_map(), Pose2(), (),
                         [PersonBody('person_0', 0.25, 1.7)], at)
    _, seen = drive(world, 1.0, 4.0, people=at)
    assert seen[0] == 'person_0:True'
    assert world.pose2().x == pytest.approx(1.325, abs=0.03)


def test_a_walking_person_touches_a_standing_robot() -> None:
    world = make_world('coco', make_map(), Pose2(), (),
                         [PersonBody('person_0', 0.25, 1.7)], np.array([[0.0, 2.0, 0.0, 0.0]]))
    touched = None
    for index in range(30):
        y = 2.0 - 0.05 * (index + 1)
        world.step(index * TICK, 5, np.array([[0.0, y, 0.0, 0.0]]))
        if world.contacts.collect() and touched is None:
            touched = y
    # Half width 0.30 + radius 0.25 = 0.55 m, seen within one tick of 5 cm.
    assert touched is not None
    assert 0.49 < touched <= 0.551


def test_mocap_contact_wakes_a_sleeping_crate() -> None:
    crate = Solid('obstacle_0_box', 'box', (0.3, 0.3, 0.3), 5.0, 4.0, 3.0, 0.0, True)
    world = make_world('coco', make_map(), Pose2(), [crate],
                         [PersonBody('person_0', 0.25, 1.7)], np.array([[4.0, 6.0, 0.0, 0.0]]))
    for index in range(60):
        y = max(6.0 - 0.05 * index, 3.2)
        world.step(index * TICK, 5, np.array([[4.0, y, 0.0, 0.0]]))
    # Person's near side ends at 3.2 - 0.25 = 2.95; the crate's far face was at 3.3.
    assert world.solid_poses()[0, 1, 3] == pytest.approx(2.65, abs=0.1)


def test_height_field_lies_where_the_map_says() -> None:
    # Floor rises 10 % along x: the base rises with it and pitches by atan(0.1) = 0.0997 rad.
    # Speed lags by servo time x g sin = 0.03 x 9.81 x 0.0995 = 0.029 m/s: 1.5 - 0.06 = 1.44 m.
    x = (np.arange(400) + 0.5) * 0.1 - 20.0
    world = make_world('coco', make_map(height=np.tile(0.1 * x, (400, 1))),
                         Pose2())
    assert world.model.nhfield == 1
    drive(world, 1.0, 2.0)
    pose = world.pose()
    assert pose[0, 3] == pytest.approx(1.44, abs=0.03)
    assert pose[2, 3] == pytest.approx(0.1 * pose[0, 3], abs=0.02)
    assert world.tilt() == pytest.approx(0.0997, abs=0.01)


def test_height_field_varies_along_y_too() -> None:
    y = (np.arange(400) + 0.5) * 0.1 - 20.0
    height = np.tile((0.05 * y)[:, None], (1, 400))
    world = make_world('turtlebot4', make_map(height=height), Pose2(1.0, 4.0, 0.0))
    assert world.pose()[2, 3] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize('name', ['coco', 'turtlebot4'])
def test_running_into_a_kerb_is_entering_occupied_space(name: str) -> None:
    x = (np.arange(400) + 0.5) * 0.1 - 20.0
    height = np.tile(np.where(x > 1.0, 0.12, 0.0), (400, 1))
    world = make_world(name, make_map(height=height), Pose2())
    _, seen = drive(world, 0.4, 4.0)
    assert seen[0] == 'occupied:True'
    assert set(seen[1:]) <= {'occupied:False', 'occupied:True'}


def test_robot_climbs_a_low_kerb_and_is_stopped_by_a_high_one() -> None:
    x = (np.arange(400) + 0.5) * 0.1 - 20.0
    reached = {}
    for kerb in (0.04, 0.25):
        height = np.tile(np.where(x > 2.0, kerb, 0.0), (400, 1))
        world = make_world('coco', make_map(height=height), Pose2())
        drive(world, 1.0, 5.0)
        reached[kerb] = float(world.pose()[0, 3])
    assert reached[0.04] > 3.5
    assert reached[0.25] < 2.2
