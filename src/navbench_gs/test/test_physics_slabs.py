"""Level floor becomes boxes without changing what wheels and crates feel."""

from __future__ import annotations

import numpy as np
import pytest

from navbench_gs.physics import PhysicsWorld, Solid, WorldTemplate
from navbench_gs.physics.slabs import SUNK, level_rectangles, sink
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

TICK = 50_000_000


def test_two_levels_give_two_rectangles() -> None:
    heights = np.zeros((50, 60))
    heights[:, 30:] = 0.12
    rectangles, levels = level_rectangles(heights)
    found = {(*rectangle.tolist(), round(float(level), 6))
             for rectangle, level in zip(rectangles, levels, strict=True)}
    assert found == {(0, 0, 49, 29, 0.0), (0, 30, 49, 59, 0.12)}


def test_slopes_and_small_patches_stay_in_the_field() -> None:
    slope = np.tile(np.linspace(0.0, 3.0, 60), (50, 1))
    assert len(level_rectangles(slope)[0]) == 0
    patch = slope.copy()
    # 19 x 20 level vertices: 380 < 400.
    patch[:19, :20] = 0.5
    assert len(level_rectangles(patch)[0]) == 0


def test_sinking_keeps_the_border() -> None:
    heights = np.zeros((6, 6))
    sunk = sink(heights, np.array([[1, 1, 4, 4]]))
    expected = np.zeros((6, 6))
    expected[2:4, 2:4] = -SUNK
    assert sunk.tolist() == expected.tolist()


def street() -> CollisionMap:
    """Pavement at 0; a road 0.12 m lower from y = 3 on, reached by a ramp of 10 % at x 4..6."""
    axis = (np.arange(400) + 0.5) * 0.1 - 20.0
    x, y = np.meshgrid(axis, axis)
    height = np.where(y > 3.0, -0.12, 0.0)
    ramp = np.clip((3.0 - y) / 1.2, -1.0, 0.0) * 0.12
    height = np.where((x > 4.0) & (x < 6.0), ramp, height).astype(np.float32)
    free = np.zeros((400, 400), bool)
    return CollisionMap(0.1, np.array([-20.0, -20.0]), free, height, ~free,
                        np.zeros((0, 7), np.float32))


def drive(world: PhysicsWorld, v: float, seconds: float) -> None:
    now = 0
    for _ in range(round(seconds / 0.05)):
        world.command(Command(now + 1, v, 0.0), now)
        world.step(now, 5)
        now += TICK


def make_world(start: Pose2, solids: tuple[Solid, ...] = ()) -> PhysicsWorld:
    return PhysicsWorld(WorldTemplate(load_robot('coco'), street()), start, solids)


def test_robot_rolls_level_on_a_slab() -> None:
    world = make_world(Pose2(-6.0, 0.0, 0.0))
    assert world.model.nhfield == 1
    drive(world, 1.0, 8.0)
    pose = world.pose()
    # 8 s at 1 m/s less half a second of ramp.
    assert pose[0, 3] == pytest.approx(1.5, abs=0.04)
    assert pose[2, 3] == pytest.approx(0.0, abs=0.002)
    assert world.tilt() < 0.002


def test_ramp_leads_from_slab_to_slab() -> None:
    world = make_world(Pose2(5.0, 0.0, np.pi / 2))
    drive(world, 1.0, 7.0)
    pose = world.pose()
    assert pose[1, 3] == pytest.approx(6.5, abs=0.2)
    assert pose[2, 3] == pytest.approx(-0.12, abs=0.005)


def test_a_crate_is_pushed_along_the_slab() -> None:
    crate = Solid('obstacle_0_crate', 'box', (0.3, 0.3, 0.3), 8.0, 0.0, 0.0, 0.2, True)
    world = make_world(Pose2(-2.0, 0.0, 0.0), (crate,))
    drive(world, 1.0, 6.0)
    place = world.solid_poses()[0, :3, 3]
    assert place[0] > 3.0
    assert place[2] == pytest.approx(0.0, abs=0.01)
    assert world.velocity()[0] > 0.85
