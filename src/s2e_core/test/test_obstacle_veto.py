"""Free distance by hand, and a gate that comes to rest before what is in its way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2e_core.camera import SMALL_CAMERA, CameraMount
from s2e_core.contract import PolicyOutput, PolicySpec
from s2e_core.errors import ContractError
from s2e_core.gate import Gate, GateConfig, Reason, Source
from s2e_core.navigator import Navigator, NavigatorStatus
from s2e_core.obstacle_memory import ObstacleMemory
from s2e_core.obstacle_veto import ObstacleConfig, ObstacleVeto
from s2e_core.range_scan import RangeScan, scan_from_free_space
from s2e_core.records import CameraFrame, Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2
from s2e_core.swept_path import contact_on_path, free_travel, stopping_distance, stopping_speed

TICK = 50_000_000
CAR = RobotProfile(
    'car', 'car', 0.9, 0.6, 0.8, 45.0, 0.13, 0.5, 1.5, 1.5, wheelbase=0.5, min_turn_radius=0.7,
    base_timeout=0.5,
)
BOX = RobotProfile(
    'box', 'differential', 0.9, 0.6, 0.8, 45.0, 0.13, 0.5, 1.5, 1.5, base_timeout=0.5
)


def look(points: np.ndarray, stamp_ns: int = 0, beams: int = 720) -> RangeScan:
    """Scan the full turn from base_link; each point [N, 2] fills the beam it lies in."""
    step = 2 * math.pi / beams
    ranges = np.full(beams, np.inf)
    beam = ((np.arctan2(points[:, 1], points[:, 0]) + math.pi) / step + 0.5).astype(int) % beams
    np.minimum.at(ranges, beam, np.hypot(points[:, 0], points[:, 1]))
    return RangeScan(stamp_ns, Pose2(), -math.pi, step, ranges)


def free(x: float, y: float, v: float, w: float, robot: RobotProfile = CAR) -> float:
    """Free travel to one point with a margin of 0.1 m, looking 3 m ahead."""
    return free_travel(np.array([[x, y]]), v, w, robot, 0.1, 3.0)


def test_free_travel_on_the_straight_by_hand() -> None:
    """The nose is at 0.45, with its margin at 0.55: 2 m leave 1.45; 0.41 m aside nothing."""
    assert free(2.0, 0.0, 1.0, 0.0) == pytest.approx(1.40, abs=0.051)
    assert free(2.0, 0.39, 1.0, 0.0) == free(2.0, 0.0, 1.0, 0.0)
    assert math.isinf(free(2.0, 0.41, 1.0, 0.0))
    assert math.isinf(free(4.0, 0.0, 1.0, 0.0)), 'behind the horizon'
    assert math.isinf(free(-2.0, 0.0, 1.0, 0.0))
    assert free(-2.0, 0.0, -1.0, 0.0) == pytest.approx(1.40, abs=0.051), 'backwards'


def test_free_travel_on_a_curve_by_hand() -> None:
    """Radius 2 to the left: a quarter is 3.14 m and ends at (2, 2) facing +y.

    A point 1 m ahead of there, (2, 3), is met 0.55 m before the nose reaches it: about 3.6 m of
    arc less; straight ahead at (3.5, 0) nothing is met at all.
    """
    assert math.isinf(free_travel(np.array([[3.5, 0.0]]), 1.0, 0.5, CAR, 0.1, 5.0))
    met = free_travel(np.array([[2.0, 2.6]]), 1.0, 0.5, CAR, 0.1, 5.0)
    assert met == pytest.approx(math.pi, abs=0.15)


def test_free_turn_on_the_spot_by_hand() -> None:
    """The corner with its margin sweeps a circle of 0.68 m.

    A point at (0, 0.5) is met by the side edge when the front left corner, at 36 degrees, has
    turned so far that cos(t) 0.4 + ... : |sin t| 0.5 <= 0.55 and cos t 0.5 <= 0.4, t = 0.64 rad.
    """
    assert free(0.0, 0.5, 0.0, 1.0, BOX) == pytest.approx(0.60, abs=0.051)
    assert math.isinf(free(0.0, 0.7, 0.0, 1.0, BOX))


def test_what_touches_already_holds_nothing_up_but_what_is_beside_may_not_be_cut() -> None:
    """Under the footprint: ignored. In the margin: passed along, not driven over."""
    assert math.isinf(free(0.2, 0.1, 1.0, 0.0))
    assert math.isinf(free(0.0, 0.35, 1.0, 0.0)), 'along a wall 5 cm to the left'
    assert free(0.5, 0.0, 1.0, 0.0) == 0.0, '5 cm before the nose'
    assert free(0.4, 0.35, 1.0, 1.0) < 0.5, 'the nose would cut into it'


def test_speeds_by_hand() -> None:
    """0.45 m at 2 m/s^2 and 0.2 s: 1 m/s needs 0.2 + 0.25 m."""
    assert stopping_speed(0.45, 2.0, 0.2) == pytest.approx(1.0)
    assert stopping_distance(1.0, 2.0, 0.2) == pytest.approx(0.45)
    assert stopping_speed(0.0, 2.0, 0.2) == stopping_speed(-1.0, 2.0, 0.2) == 0.0
    # Without reaction it is sqrt(2 a d).
    assert stopping_speed(1.0, 2.0, 0.0) == pytest.approx(2.0)


def test_contact_on_a_path() -> None:
    """Two metres ahead, then two to the left: a thing at (2, 1) is met on the second leg."""
    path = np.array([[1.0, 0.0], [2.0, 0.0], [2.0, 1.0], [2.0, 2.0]])
    way = contact_on_path(np.array([[2.0, 1.5]]), path, CAR, 0.1)
    assert way == pytest.approx(2.9, abs=0.1)
    assert math.isinf(contact_on_path(np.array([[3.0, 1.5]]), path, CAR, 0.1))
    assert math.isinf(contact_on_path(np.array([[3.0, 1.5]]), np.zeros((10, 2)), CAR, 0.1))


def test_a_scan_keeps_its_limits() -> None:
    """NaN, nearer than the housing and out of reach are no readings."""
    ranges = np.array([np.nan, 0.05, 1.0, np.inf, 20.0])
    scan = RangeScan(0, Pose2(0.3, 0.0, 0.0), -0.2, 0.1, ranges, range_low=0.1, reach=10.0)
    assert scan.points() == pytest.approx(np.array([[1.3, 0.0]]))
    seen = scan.covers(np.array([[2.0, 0.0], [2.0, 0.6], [-2.0, 0.0], [20.0, 0.0]]))
    assert seen.tolist() == [True, False, False, False]
    with pytest.raises(ContractError, match='angle_step > 0'):
        RangeScan(0, Pose2(), 0.0, -0.1, ranges)
    with pytest.raises(ContractError, match='B <= 10000'):
        RangeScan(0, Pose2(), 0.0, 0.1, np.zeros(10_001))


def test_memory_replaces_what_is_in_view_and_keeps_what_is_beside() -> None:
    """After a quarter turn the camera sees to the left; what was ahead is to the right now."""
    memory = ObstacleMemory(2.0)
    half = math.pi / 4
    ranges = np.full(2, 3.0)
    memory.add(RangeScan(0, Pose2(), -half / 2, half, ranges), Pose2())
    assert len(memory.near(Pose2(), 5.0)) == 2
    turned = Pose2(0.0, 0.0, math.pi / 2)
    free_view = np.full(2, np.inf)
    memory.add(RangeScan(10**9, Pose2(), -half / 2, half, free_view), turned)
    assert memory.near(turned, 5.0)[:, 1] == pytest.approx([-2.77, -2.77], abs=0.01)
    # The same free view from before: what it saw there is gone.
    memory.add(RangeScan(10**9 + 1, Pose2(), -half / 2, half, free_view), Pose2())
    assert len(memory.near(Pose2(), 5.0)) == 0


def test_memory_ends() -> None:
    """What left the view is known for two seconds; a stamp from before begins anew."""
    memory = ObstacleMemory(2.0)
    behind = RangeScan(0, Pose2(0.0, 0.0, math.pi), -0.05, 0.1, np.array([1.0]))
    ahead = np.array([np.inf])
    memory.add(behind, Pose2())
    memory.add(RangeScan(2 * 10**9, Pose2(), -0.05, 0.1, ahead), Pose2())
    assert len(memory.near(Pose2(), 5.0)) == 1
    memory.add(RangeScan(2 * 10**9 + 1, Pose2(), -0.05, 0.1, ahead), Pose2())
    assert len(memory.near(Pose2(), 5.0)) == 0
    memory.add(behind, Pose2())
    assert memory.stamp_ns == 0 and len(memory.near(Pose2(), 5.0)) == 1


def output(free_space: np.ndarray, sure: np.ndarray) -> PolicyOutput:
    """Answer with three straight modes at 1 m/s: left, ahead (the best), right."""
    steps = 0.2 * np.arange(1, 11)
    modes = np.stack([np.stack([np.cos(a) * steps, np.sin(a) * steps], 1)
                      for a in (0.6, 0.0, -0.6)])
    return PolicyOutput(0, modes, np.array([0.2, 0.5, 0.3]), free_space=free_space,
                        free_confidence=sure)


def test_free_space_goes_left_to_right_and_doubt_is_no_reading() -> None:
    """The first bearing is 45 - 0.9 degrees to the left; 10 m is nothing seen."""
    free_space, sure = np.full(48, 10.0), np.ones(48)
    free_space[[0, 47]], sure[47] = 2.0, 0.3
    mount = CameraMount(0.3, 0.0, 0.6, 0.1)
    scan = scan_from_free_space(output(free_space, sure), SMALL_CAMERA, mount, 0.5)
    assert scan is not None
    angle = math.radians(45 - 45 / 48)
    assert scan.points() == pytest.approx(
        np.array([[0.3 + 2 * math.cos(angle), 2 * math.sin(angle)]]))
    assert scan_from_free_space(output(free_space[:5], sure), SMALL_CAMERA, mount, 0.5) is None


class Seer:
    """A policy with `free_space`."""

    spec = PolicySpec('seer', 1, SMALL_CAMERA, 1.5, 1.0)

    def __init__(self) -> None:
        """See nothing near."""
        self.free_space = np.full(48, 10.0)

    def reset(self) -> None:
        """Nothing to forget."""

    def infer(self, observation: object) -> PolicyOutput:
        """Answer."""
        return output(self.free_space, np.ones(48))


def test_modes_that_hit_are_rejected_with_the_distance() -> None:
    """A post 1.5 m ahead closes the best mode; the right one is next."""
    policy = Seer()
    frame = CameraFrame(0, np.zeros((128, 128, 3), np.uint8))
    veto = ObstacleVeto(BOX, ObstacleConfig(source='free_space'))
    navigator = Navigator(policy, obstacles=veto)
    navigator.set_goal((10.0, 0.0))
    assert navigator.step(frame, Odometry(0, Pose2())).plan.mode == 1
    policy.free_space[23:25] = 1.3
    result = navigator.step(frame, Odometry(0, Pose2()))
    assert result.plan.mode == 2 and result.status is NavigatorStatus.NAVIGATING
    assert result.rejected[1].startswith('hits something in 1.')
    assert result.free_space is not None
    # Everything closed: the one that gets farthest, for the gate to stop.
    policy.free_space[:] = 1.0
    policy.free_space[:22] = 2.3
    assert navigator.step(frame, Odometry(0, Pose2())).plan.mode == 0
    off = Navigator(policy, obstacles=ObstacleVeto(BOX, ObstacleConfig()))
    off.set_goal((10.0, 0.0))
    assert off.step(frame, Odometry(0, Pose2())).rejected == {}


class World:
    """A car on a plane with posts, a scanner of 10 Hz, and a gate that is asked to drive."""

    def __init__(
        self, posts: list[tuple[float, float]], robot: RobotProfile = CAR, assist: bool = False
    ) -> None:
        """Start at the origin."""
        obstacles = ObstacleConfig(source='scan', period=0.1, assist=assist)
        config = GateConfig(obstacles=obstacles)
        self.gate, self.posts, self.tick = Gate(robot, config), posts, 0
        self.pose, self.robot = Pose2(), robot

    def step(
        self, v: float, w: float, scans: bool = True, source: Source = Source.AUTONOMY,
        vy: float = 0.0,
    ):
        """Run a tick of 50 ms; the base obeys exactly."""
        now = self.tick * TICK
        self.gate.update_odometry(Odometry(now, self.pose))
        self.gate.update_camera(now)
        if scans and self.tick % 2 == 0:
            seen = self.pose.inverse().transform(np.array(self.posts))
            self.gate.update_obstacles(look(seen, now), self.pose)
        self.gate.update_command(source, Command(now, v, w, vy))
        out = self.gate.step(now)
        turn, way = out.command.w * 0.05, out.command.v * 0.05
        aside = out.command.vy * 0.05
        self.pose = self.pose.compose(
            Pose2(way * math.cos(turn / 2), way * math.sin(turn / 2) + aside, turn))
        self.tick += 1
        return out

    def gap(self) -> float:
        """Return metres between the bare footprint and the nearest post."""
        local = self.pose.inverse().transform(np.array(self.posts))
        gaps = np.abs(local) - (self.robot.length / 2, self.robot.width / 2)
        return float(gaps.max(axis=1).min())


@settings(max_examples=25, deadline=None)
@given(st.floats(1.0, 4.0), st.floats(-0.5, 0.5), st.floats(0.2, 1.5), st.floats(-0.9, 0.9))
def test_the_gate_comes_to_rest_before_a_wall(
    distance: float, slant: float, v: float, curve: float
) -> None:
    """A row of posts across the way, at any angle: never touched, whatever is asked for."""
    posts = [(distance + slant * y, float(y)) for y in np.arange(-4.0, 4.0, 0.08)]
    world = World(posts)
    out = None
    for _ in range(120):
        out = world.step(v, v * curve)
        assert world.gap() > 0.0
    assert out is not None
    assert (out.reason is Reason.OBSTACLE and out.command.v == 0.0) or world.gap() > 0.1


def test_it_slows_by_the_law_and_goes_on_when_the_way_is_free() -> None:
    """At each moment v t + v^2 / 2a stays below the free distance; no goal is needed after."""
    world = World([(3.0, 0.0)])
    outs = []
    for _ in range(120):
        outs.append(world.step(1.5, 0.0))
        left = 3.0 - 0.45 - world.pose.x
        assert stopping_distance(outs[-1].command.v, 2.0, 0.2) <= left + 1e-6
    assert outs[-1].reason is Reason.OBSTACLE and 'obstacle in 0.' in outs[-1].detail
    # Asked for 1.5 m/s: slowed once it may no longer go at 1.35 m/s, until it stands.
    slowed = [out.slowed for out in outs]
    assert not any(slowed[:10]) and not slowed[-1]
    assert all(out.command.v < 1.35 for out in outs if out.slowed) and sum(slowed) > 5
    assert world.gate.latched is Reason.NONE
    assert 0.1 < world.gap() < 0.3
    world.posts = [(30.0, 0.0)]
    again = [world.step(1.5, 0.0) for _ in range(20)]
    assert again[-1].reason is Reason.NONE and again[-1].command.v > 0.5


def test_a_turn_on_the_spot_ends_before_the_wall() -> None:
    """A wall 0.45 m to the left of a box of 0.9 x 0.6 m: a corner would reach 0.54 m."""
    world = World([(float(x), 0.45) for x in np.arange(-1.0, 1.0, 0.05)], BOX)
    for _ in range(80):
        world.step(0.0, 1.0)
        assert world.gap() > 0.0
    assert 0.0 < world.pose.yaw < 0.5


def test_a_scanner_that_ends_is_a_fault_only_while_it_matters() -> None:
    """Two periods + 100 ms after the last look the ramp has begun; a person may drive on."""
    world = World([(30.0, 0.0)])
    for _ in range(40):
        assert world.step(1.0, 0.0).reason is Reason.NONE
    last = (world.tick - 2) * TICK
    outs = [world.step(1.0, 0.0, scans=False) for _ in range(10)]
    first = next(k for k, out in enumerate(outs) if out.reason is Reason.OBSTACLES_STALE)
    assert (world.tick - 10 + first) * TICK - last <= 300_000_000
    quiet = World([(30.0, 0.0)])
    assert [quiet.step(0.0, 0.0, scans=False).reason for _ in range(40)][-1] is Reason.NONE
    person = World([(0.6, 0.0)])
    for _ in range(40):
        assert person.step(0.5, 0.0, scans=False, source=Source.TELEOP).reason is Reason.NONE


def test_a_person_who_wants_help_is_stopped_too_and_may_back_off() -> None:
    """Without assistance the same stick drives into the post."""
    alone, gaps = World([(1.5, 0.0)]), []
    for _ in range(60):
        alone.step(1.0, 0.0, source=Source.TELEOP)
        gaps.append(alone.gap())
    assert min(gaps) < 0.0
    helped = World([(1.5, 0.0)], assist=True)
    outs = [helped.step(1.0, 0.0, source=Source.TELEOP) for _ in range(60)]
    assert outs[-1].reason is Reason.OBSTACLE and outs[-1].source is Source.TELEOP
    assert outs[-1].command.v == 0.0 and 0.0 < helped.gap() < 0.3
    assert helped.gate.latched is Reason.NONE, 'another way to steer drives at once'
    back = [helped.step(-0.3, 0.0, source=Source.TELEOP) for _ in range(20)]
    assert back[-1].reason is Reason.NONE and back[-1].command.v == pytest.approx(-0.3)


def test_a_person_who_is_helped_is_stopped_sideways_too() -> None:
    """A post 1 m to the left of a mecanum base 0.5 m wide."""
    robot = RobotProfile(
        'mecanum', 'holonomic', 0.6, 0.5, 0.4, 30.0, 0.08, 0.4, 1.0, 2.0, vy_max=0.5,
        base_timeout=0.5,
    )
    helped = World([(0.0, 1.0)], robot, assist=True)
    outs = [helped.step(0.0, 0.0, source=Source.TELEOP, vy=0.5) for _ in range(80)]
    assert outs[-1].reason is Reason.OBSTACLE and outs[-1].command.vy == 0.0
    assert 0.0 < helped.gap() < 0.3 and any(out.slowed for out in outs)


def test_help_without_a_scan_stops_the_person() -> None:
    helped = World([(30.0, 0.0)], assist=True)
    outs = [helped.step(0.5, 0.0, scans=False, source=Source.TELEOP) for _ in range(3)]
    assert outs[-1].reason is Reason.OBSTACLES_STALE and outs[-1].command.v == 0.0


def test_the_policys_own_eyes_are_worth_half_a_metre_per_second() -> None:
    """A cap of 0.5 m/s with `free_space`; an independent source has none of its own."""
    for source, top in (('free_space', 0.5), ('depth', 1.5)):
        world = World([(30.0, 0.0)])
        world.gate = Gate(CAR, GateConfig(obstacles=ObstacleConfig(source=source, period=0.1)))
        speeds = [world.step(1.5, 0.0).command.v for _ in range(60)]
        assert max(speeds) == pytest.approx(top)
    assert ObstacleConfig(source='free_space').camera_only
    assert not ObstacleConfig(source='scan').camera_only
