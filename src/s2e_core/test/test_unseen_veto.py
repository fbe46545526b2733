"""Turns into unseen space: swept corners by hand, and turns that leave what was missed alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from s2e_core.errors import ConfigError
from s2e_core.gate import Gate, GateConfig, Reason, Source
from s2e_core.obstacle_veto import ObstacleConfig
from s2e_core.range_scan import RangeScan
from s2e_core.records import Command, Odometry
from s2e_core.robot import RobotProfile, load_robot
from s2e_core.se2 import Pose2
from s2e_core.seen_space import TOUCH, SeenSpace
from s2e_core.unseen_veto import UnseenConfig, UnseenVeto, outline, turn_poses

TICK = 50_000_000
SECOND = 1_000_000_000
BOX = RobotProfile(
    'box', 'differential', 0.9, 0.6, 0.8, 45.0, 0.13, 0.5, 1.5, 1.5, base_timeout=0.5
)
DISC = RobotProfile(
    'disc', 'differential', 0.6, 0.6, 0.8, 45.0, 0.13, 0.5, 1.5, 1.5, base_timeout=0.5,
    footprint='circle',
)
WATCH = UnseenConfig(watch=True)


def turn_of(scan: RangeScan, w: float = 1.5) -> float:
    """Return the yaw rate that is left of w on the spot, after one look from the origin."""
    veto = UnseenVeto(BOX, WATCH, 0.2)
    veto.stand(0, Pose2())
    veto.look(scan, Pose2())
    return veto.slow(Command(0, 0.0, w), Pose2(), 0)[0].w


def wedge(half: float, ranges: float, stamp_ns: int = 0, origin: Pose2 | None = None) -> RangeScan:
    """See the same distance to both sides of straight ahead, in beams of a degree."""
    count = round(math.degrees(2 * half))
    step = 2 * half / count
    return RangeScan(stamp_ns, origin or Pose2(), -half + step / 2, step, np.full(count, ranges))


def test_corners_of_a_turn_by_hand() -> None:
    """A quarter turn to the left brings the front left corner (0.45, 0.3) to (-0.3, 0.45)."""
    assert BOX.swing == pytest.approx(0.5408 - 0.3, abs=1e-4)
    assert DISC.swing == 0.0
    quarter = turn_poses(Command(0, 0.0, 1.0), np.array([0.0, math.pi / 2]))
    assert quarter == pytest.approx(np.array([[0, 0, 0], [0, 0, math.pi / 2]]))
    corner = Pose2(*quarter[1]).transform(np.array([0.45, 0.3]))
    assert corner == pytest.approx(np.array([-0.3, 0.45]))
    # Around a point 0.2 m to the left a half turn ends 0.4 m to the left, facing back.
    half = turn_poses(Command(0, 0.2, 1.0), np.array([math.pi]))[0]
    assert half == pytest.approx(np.array([0.0, 0.4, math.pi]))
    # To the right from a sidestep to the left: back along a circle of 0.2 m.
    aside = turn_poses(Command(0, 0.0, -1.0, 0.2), np.array([math.pi / 2]))[0]
    assert aside == pytest.approx(np.array([0.2, 0.2, -math.pi / 2]))
    edge = outline(0.9, 0.6)
    assert np.abs(edge).max(axis=0) == pytest.approx([0.45, 0.3])
    assert (np.isclose(np.abs(edge[:, 0]), 0.45) | np.isclose(np.abs(edge[:, 1]), 0.3)).all()


def test_beams_get_as_far_as_their_echo() -> None:
    """Four beams: an echo at 2 m, none, one that cannot tell, one inside the housing."""
    scan = RangeScan(0, Pose2(1.0, 0.0, 0.0), -0.15, 0.1, np.array([2.0, np.inf, np.nan, 0.05]),
                     range_low=0.1, reach=10.0)
    at = np.array([-0.15, -0.15, -0.05, -0.05, 0.05, 0.15, 1.0])
    far = np.array([1.9, 2.1, 9.9, 10.1, 1.0, 0.04, 1.0])
    points = np.stack([1.0 + far * np.cos(at), far * np.sin(at)], axis=1)
    assert scan.sees(points).tolist() == [True, False, True, False, False, False, False]
    assert not RangeScan(0, Pose2(), 0.0, 0.1, np.zeros(0)).sees(points).any()


def test_a_turn_needs_somebody_who_looks_to_the_sides() -> None:
    """All around: free. Ahead only: the rear right corner swings into the dark at once."""
    assert turn_of(wedge(math.pi, np.inf)) == 1.5
    assert turn_of(wedge(math.pi / 2, np.inf)) == 0.0
    assert turn_of(wedge(math.pi, np.nan)) == 0.0


def test_a_turn_ends_where_the_view_does_by_hand() -> None:
    """Corners are 0.5408 m out: a view of 0.52 m ends short of them, wherever they go.

    Seen up to a wall to the left at y = 0.45, the corner at 33.7 degrees passes it when
    0.45 = 0.5408 sin(33.7 deg + a), a = 0.395: 0.35 of that is sure, for which 3 rad/s^2 and
    0.2 s allow sqrt(0.36 + 6 x 0.35) - 0.6 rad/s.
    """
    assert turn_of(wedge(math.pi, 0.52)) == 0.0
    step = math.radians(0.25)
    angle = -math.pi + step * (np.arange(1440) + 0.5)
    ranges = np.full(1440, np.inf)
    left = np.sin(angle) > 0.05
    ranges[left] = 0.45 / np.sin(angle[left])
    scan = RangeScan(0, Pose2(), -math.pi + step / 2, step, ranges)
    assert turn_of(scan) == pytest.approx(math.sqrt(0.36 + 6 * 0.35) - 0.6)


def test_a_circle_turns_where_it_stands_and_corners_need_a_permit() -> None:
    """Nothing of a circle leaves it; a permit is for corners no longer than it says."""
    for robot, permit, left in ((DISC, 0.0, 1.0), (BOX, 0.0, 0.0), (BOX, 0.24, 0.0),
                                (BOX, 0.25, 1.0)):
        veto = UnseenVeto(robot, UnseenConfig(watch=True, permit=permit), 0.2)
        assert veto.slow(Command(0, 0.0, 1.0), Pose2(), 0)[0].w == left
    assert UnseenVeto(BOX, UnseenConfig(), 0.2).slow(Command(0, 0.0, 1.0), Pose2(), 0)[0].w == 1.0
    assert load_robot('turtlebot4').swing == 0.0
    with pytest.raises(ConfigError, match='a circle is as long as wide'):
        RobotProfile('egg', 'differential', 0.7, 0.6, 0.8, 45.0, 0.13, 0.5, 1.5, 1.5,
                     footprint='circle')
    with pytest.raises(ConfigError, match='permit must be in'):
        UnseenConfig(permit=0.6)


def test_a_curve_is_a_turn_while_a_side_goes_back() -> None:
    """Half the width is 0.3 m: at 1 rad/s the inner side goes back below 0.3 m/s."""
    veto = UnseenVeto(BOX, WATCH, 0.2)
    veto.stand(0, Pose2())
    assert not veto.slow(Command(0, 0.29, 1.0), Pose2(), 0)[0].moves
    assert 'turning left' in veto.slow(Command(0, 0.29, 1.0), Pose2(), 0)[1]
    assert 'a curve right' in veto.slow(Command(0, 0.31, -1.0), Pose2(), 0)[1]
    wide = Command(0, 0.31, -0.15)
    assert veto.slow(wide, Pose2(), 0) == (wide, '')
    straight = Command(0, 0.5)
    assert veto.slow(straight, Pose2(), 0) == (straight, '')


@pytest.mark.parametrize(('robot', 'tail'), [
    # The car turns about its rear axle, 0.25 m behind the middle and 0.175 m before the tail, at
    # 0.7 m: hypot(0.7 + 0.3, 0.175) - 1.0. The others about a point beside their middle:
    # hypot(0.43, 0.254) - 0.43 and hypot(0.31, 0.35) - 0.31. A circle sweeps nothing.
    ('coco', 0.0152), ('jackal', 0.0694), ('go2', 0.1575), ('turtlebot4', 0.0),
])
def test_tails_of_the_profiles_by_hand(robot: str, tail: float) -> None:
    assert load_robot(robot).tail == pytest.approx(tail, abs=5e-5)


@pytest.mark.parametrize('robot', ['coco', 'jackal', 'go2'])
def test_the_tail_that_is_driven_is_the_tail_that_was_computed(robot: str) -> None:
    """The outline along the poses of the tightest curve leaves the side by so much."""
    profile = load_robot(robot)
    radius = max(profile.min_turn_radius, profile.half_width)
    curve = Command(0, radius, 1.0, profile.axle)
    edge = outline(profile.length, profile.width)
    poses = turn_poses(curve, np.arange(0.0, 1.6, 0.005))
    right = min((Pose2(*pose).transform(edge)[:, 1]).min() for pose in poses)
    assert -right - profile.half_width == pytest.approx(profile.tail, abs=1e-4)


def test_a_tail_needs_to_be_seen_where_it_swings_out_by_more_than_five_centimetres() -> None:
    """BOX by 0.05 m at R: hypot(R + 0.3, 0.45) - (R + 0.3) = 0.05, R = 1.7."""
    assert BOX.tail_swing(1.7) == pytest.approx(0.05)
    assert BOX.tail == pytest.approx(0.15)
    wide, tight = Command(0, 0.5, 0.5 / 1.75), Command(0, 0.5, -0.5 / 1.65)
    blind = UnseenVeto(BOX, WATCH, 0.2)
    blind.stand(0, Pose2())
    assert blind.slow(wide, Pose2(), 0) == (wide, '')
    command, detail = blind.slow(tight, Pose2(), 0)
    assert not command.moves
    for said in ('a curve right swings the tail 0.15 m out', 'gate.unseen.permit: 0.16'):
        assert said in detail[:120]
    # The left one: a curve to the right swings the tail there, 0.45 m behind.
    assert float(detail.split(', y ')[1].split()[0]) >= 0.3
    for config in (UnseenConfig(watch=True, permit=0.15), UnseenConfig(watch=True, tails=0.15)):
        veto = UnseenVeto(BOX, config, 0.2)
        assert veto.slow(tight, Pose2(), 0) == (tight, '')


def test_a_scan_of_the_tails_side_is_enough_and_the_other_side_is_not() -> None:
    """A curve to the left swings the tail to the right, y below -0.3 m."""
    step = math.radians(1.0)
    angle = -math.pi + step * (np.arange(360) + 0.5)
    for side, moves in ((-1.0, True), (1.0, False)):
        veto = UnseenVeto(BOX, WATCH, 0.2)
        veto.stand(0, Pose2())
        seen = np.where(side * angle > 0.0, np.inf, np.nan)
        veto.look(RangeScan(0, Pose2(), angle[0], step, seen), Pose2())
        assert veto.slow(Command(0, 0.5, 1.0), Pose2(), 0)[0].moves is moves


@pytest.mark.parametrize(('way', 'pause', 'moves'), [
    # Corner to the lens: 0.75 m, and 0.45 m more until it is in a view of 90 degrees.
    (0.0, 0.0, False), (0.6, 0.0, False), (1.5, 0.0, True), (1.5, 6.0, False),
])
def test_what_lay_before_the_camera_counts_for_tails(
    way: float, pause: float, moves: bool
) -> None:
    """Without a source: the picture showed it, within 5 s, and the policy drove past it."""
    veto, now, pose = UnseenVeto(BOX, WATCH, 0.2), 0, Pose2()
    for k in range(round(way / 0.025) + 1):
        now, pose = k * TICK, Pose2(0.025 * k, 0.0)
        veto.stand(now, pose)
    now += round(pause * SECOND)
    veto.stand(now, pose)
    assert veto.slow(Command(now, 0.5, 0.5), pose, now)[0].moves is moves
    # A turn on the spot swings wider, and for it a picture is none that measures.
    assert not veto.slow(Command(now, 0.0, 1.0), pose, now)[0].moves


def test_a_curve_is_slowed_as_it_is() -> None:
    """Seen up to 0.35 m to the right: the tail may go 0.05 m out, which is 0.1 rad or more.

    The corner at (-0.45, -0.3) is at 1.0 - hypot(1.3, 0.45) sin(...): 0.106 of 0.45 a are 0.05
    at a = 0.118, of which 0.1 is sure; 2 m/s2 at 1 m are 2 rad/s2: sqrt(0.16 + 0.4) - 0.4.
    """
    step = math.radians(0.25)
    angle = -math.pi + step * (np.arange(1440) + 0.5)
    ranges = np.full(1440, np.inf)
    right = np.sin(angle) < -0.05
    ranges[right] = 0.35 / -np.sin(angle[right])
    veto = UnseenVeto(BOX, WATCH, 0.2)
    veto.stand(0, Pose2())
    veto.look(RangeScan(0, Pose2(), -math.pi + step / 2, step, ranges), Pose2())
    command, _ = veto.slow(Command(0, 1.0, 1.0), Pose2(), 0)
    assert command.w == pytest.approx(math.sqrt(0.16 + 4 * 0.1) - 0.4)
    assert command.v == pytest.approx(command.w)


def driven(memory: float, pause: float) -> float:
    """Drive 3 m ahead at 0.5 m/s with a camera of 90 degrees, wait, and turn left."""
    veto = UnseenVeto(BOX, UnseenConfig(watch=True, memory=memory), 0.2)
    camera, now = Pose2(0.3, 0.0), 0
    for k in range(61):
        now, pose = k * 2 * TICK, Pose2(0.05 * k, 0.0)
        veto.stand(now, pose)
        veto.look(wedge(math.pi / 4, np.inf, now, camera), pose)
    for _ in range(round(pause / 0.1)):
        now += 2 * TICK
        veto.stand(now, pose)
        veto.look(wedge(math.pi / 4, np.inf, now, camera), pose)
    return veto.slow(Command(now, 0.0, 1.0), pose, now)[0].w


def test_what_the_robot_drove_past_was_seen() -> None:
    """The rear corners lie 0.75 m behind the camera and came into view 0.54 m before it.

    So they were last looked at 1.29 m or 2.6 s ago: 5 s hold that, 2 s do not, nor do 5 s after
    3 s at rest.
    """
    assert driven(5.0, 0.0) == 1.0
    assert driven(2.0, 0.0) == 0.0
    assert driven(5.0, 3.0) == 0.0


def test_where_the_body_was_nothing_else_is() -> None:
    """A metre of the way back is known; a clock that goes back begins anew."""
    seen = SeenSpace(BOX, 5.0)
    for k in range(41):
        seen.stand(k * TICK, Pose2(0.025 * k, 0.0))
    way = np.array([[-0.44, 0.29], [1.44, -0.29], [0.5, 0.31], [1.5, 0.0]])
    assert seen.unseen(way, 40 * TICK).tolist() == [False, False, True, True]
    seen.stand(0, Pose2(5.0, 0.0))
    assert seen.unseen(way, 0).all()


def gate(**unseen: float) -> Gate:
    """Return a gate that watches, with fresh inputs at 0 s."""
    config = GateConfig(unseen=UnseenConfig(watch=True, **unseen))
    return Gate(BOX, config)


def ask(gate: Gate, now: int, v: float, w: float, source: Source = Source.AUTONOMY):
    """Run a tick at the origin."""
    gate.update_odometry(Odometry(now, Pose2()))
    gate.update_camera(now)
    gate.update_command(source, Command(now, v, w))
    return gate.step(now)


def test_the_gate_names_what_is_missing_and_forgets_it_at_once() -> None:
    """No latch: asked to go ahead it goes; a person turns as they like."""
    refusing = gate()
    outs = [ask(refusing, k * TICK, 0.0, 1.0) for k in range(4)]
    assert {out.reason for out in outs} == {Reason.UNSEEN_SPACE}
    assert not any(out.command.moves for out in outs) and refusing.latched is Reason.NONE
    for said in ('turning left', '0.24 m', 'obstacles:=scan', 'gate.unseen.permit: 0.25'):
        assert said in outs[-1].detail[:120], 'what ros2 topic echo shows'
    assert 'not seen in 5 s: x -0.' in outs[-1].detail
    assert ask(refusing, 4 * TICK, 0.5, 0.0).command.v == pytest.approx(0.05)
    person = gate()
    turned = [ask(person, k * TICK, 0.0, 1.0, Source.TELEOP) for k in range(3)]
    assert turned[-1].reason is Reason.NONE and turned[-1].command.w > 0.0
    allowed = gate(permit=0.25)
    assert [ask(allowed, k * TICK, 0.0, 1.0) for k in range(3)][-1].command.w > 0.0
    # The benchmark's gate looks away: contacts are counted there.
    still = Gate(BOX, GateConfig())
    assert [ask(still, k * TICK, 0.0, 1.0) for k in range(3)][-1].command.w > 0.0


POSTS = np.stack(np.meshgrid(np.arange(-1.5, 3.0, 0.09), np.arange(-1.5, 1.5, 0.09)), -1)
LEGS = st.lists(
    st.tuples(
        st.sampled_from(['ahead', 'turn', 'curve']), st.floats(-1.5, 1.5), st.integers(4, 30)
    ),
    min_size=2, max_size=6,
)


@settings(max_examples=25, deadline=None)
@given(LEGS, st.floats(0.3, 3.0), st.floats(0.3, 2.0))
@example([('ahead', 0.0, 4), ('turn', 4.6e-7, 4)], 1.0, 1.0)
@example([('ahead', 0.0, 4), ('curve', -1.0, 4)], 2.6875, 1.0)
def test_no_turn_touches_what_nobody_saw(
    legs: list[tuple[str, float, int]], half: float, reach: float
) -> None:
    """Posts stand wherever the sensor has not looked: turns leave them alone, and tails in curves.

    The inner side of a curve follows the nose; what it cuts is not watched.
    """
    obstacles = ObstacleConfig(source='depth', period=0.1)
    driver = Gate(BOX, GateConfig(obstacles=obstacles,
                                  unseen=UnseenConfig(watch=True, memory=30.0, tails=0.0)))
    posts, pose, now = POSTS.reshape(-1, 2), Pose2(), 0
    known = np.zeros(len(posts), bool)
    size = np.array([0.45, 0.3])
    for kind, rate, ticks in legs:
        for _ in range(ticks):
            now += TICK
            scan = wedge(half, reach, now, Pose2(0.2, 0.0))
            local = pose.inverse().transform(posts)
            # Posts on the outline are touched already, rounding aside.
            known |= scan.sees(local) | (np.abs(local) <= size + TOUCH).all(axis=1)
            known |= (local[:, 0] >= size[0]) & (np.abs(local[:, 1]) <= 2.0)
            driver.update_odometry(Odometry(now, pose))
            driver.update_camera(now)
            driver.update_obstacles(scan, pose)
            wanted = {'ahead': Command(now, abs(rate), 0.0), 'turn': Command(now, 0.0, rate),
                      'curve': Command(now, 0.5, rate)}[kind]
            driver.update_command(Source.AUTONOMY, wanted)
            command = driver.step(now).command
            turn = command.w * 0.05
            pose = pose.compose(Pose2(command.v * 0.05 * math.cos(turn / 2),
                                      command.v * 0.05 * math.sin(turn / 2), turn))
            # A side that moves by less than a micrometre a second does not turn.
            under = (np.abs(pose.inverse().transform(posts)) <= size - 1e-4).all(axis=1)
            if command.v >= abs(command.w) * size[1]:
                under &= -math.copysign(1.0, command.w) * local[:, 1] > size[1]
            assert not (under & ~known).any()
