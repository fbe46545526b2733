"""Where goals lie: in frames of TF, and on the globe."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from tf2_msgs.msg import TFMessage

from s2e_core.geodesy import Geodetic
from s2e_core.se2 import Pose2
from s2e_nav.convert.poses import goal_message, transform_from_pose2
from s2e_nav.errors import ConversionError
from s2e_nav.frames import MAX_AGE, FrameTree
from s2e_nav.navigation.codes import Code, GoalRefusedError
from s2e_nav.navigation.goals import FrameTarget
from s2e_nav.navigation.gps import Fix, GpsConfig, GpsLocaliser, GpsTarget, Heading

HERE = Pose2()


def tree(map_x: float = 10.0, now: float = 0.0) -> FrameTree:
    frames = FrameTree()
    frames.update(TFMessage(transforms=[
        transform_from_pose2(Pose2(map_x, 0.0, math.pi / 2), 0, 'map', 'odom'),
        transform_from_pose2(Pose2(1.0, 2.0, 0.0), 0, 'odom', 'base_link'),
    ]), now)
    return frames


def goal(x: float, y: float, frame: str) -> PoseStamped:
    return goal_message(np.array([x, y]), 7, frame)


def target(frames: FrameTree, *poses: PoseStamped, default: str = '') -> FrameTarget:
    return FrameTarget(poses, frames, 'odom', 0.0, default)


def test_a_map_goal_reaches_odom_and_stays_in_map():
    # map <- odom is (10, 0, 90 deg): map (10, 5) lies 5 m along odom's x.
    frames = tree()
    asked = target(frames, goal(10.0, 5.0, 'map'))
    np.testing.assert_allclose(asked.points(0.0, HERE), [(5.0, 0.0)], atol=1e-7)
    # Localisation finds that odom lies 1 m further along map's x: in odom the goal is 1 m to
    # the left, along +y, which is map's -x.
    frames.update(TFMessage(transforms=[
        transform_from_pose2(Pose2(11.0, 0.0, math.pi / 2), 0, 'map', 'odom')
    ]), 1.0)
    np.testing.assert_allclose(asked.points(1.0, HERE), [(5.0, 1.0)], atol=1e-7)


def test_a_goal_ahead_of_the_robot_stays_where_it_was():
    frames = tree()
    asked = target(frames, goal(1.0, 0.0, 'base_link'))
    np.testing.assert_allclose(asked.points(0.0, HERE), [(2.0, 2.0)], atol=1e-7)
    frames.update(TFMessage(transforms=[
        transform_from_pose2(Pose2(5.0, 5.0, 1.0), 0, 'odom', 'base_link')
    ]), 1.0)
    np.testing.assert_allclose(asked.points(1.0, HERE), [(2.0, 2.0)], atol=1e-7)


def test_a_route_may_mix_frames_and_name_one_for_all():
    asked = target(tree(), goal(3.0, 4.0, 'odom'), goal(10.0, 5.0, ''), default='map')
    np.testing.assert_allclose(asked.points(0.0, HERE), [(3.0, 4.0), (5.0, 0.0)], atol=1e-7)


def test_localisation_that_died_ends_the_goal():
    asked = target(tree(), goal(10.0, 5.0, 'map'))
    asked.points(MAX_AGE - 0.1, HERE)
    with pytest.raises(GoalRefusedError, match=r"from 'odom' to 'map' is 5\.1 s old") as caught:
        asked.points(MAX_AGE + 0.1, HERE)
    assert caught.value.code is Code.UNKNOWN_FRAME


def test_static_transforms_do_not_age():
    frames = FrameTree()
    frames.update(TFMessage(transforms=[transform_from_pose2(Pose2(), 0, 'map', 'odom')]))
    assert frames.lookup('odom', 'map', 1e6) == Pose2()


@pytest.mark.parametrize(('frame', 'code'), [
    ('', Code.INVALID_GOAL), ('utm', Code.UNKNOWN_FRAME),
])
def test_a_goal_in_an_unknown_frame_is_refused(frame, code):
    with pytest.raises(GoalRefusedError) as caught:
        target(tree(), goal(1.0, 0.0, frame))
    assert caught.value.code is code


def test_what_is_no_goal_is_refused():
    with pytest.raises(GoalRefusedError, match='1 to 10000 poses, got 0'):
        target(tree())
    with pytest.raises(GoalRefusedError, match='finite'):
        target(tree(), goal(math.nan, 0.0, 'odom'))


def test_a_ring_of_frames_ends():
    frames = FrameTree()
    frames.update(TFMessage(transforms=[
        transform_from_pose2(Pose2(), 0, 'a', 'b'), transform_from_pose2(Pose2(), 0, 'b', 'a'),
    ]))
    with pytest.raises(ConversionError):
        frames.lookup('odom', 'a')


ROBOT = Geodetic(48.0, 11.0)
# A degree of latitude is 111.2 km at 48 deg.
NORTH_100 = Geodetic(48.0 + 100.0 / 111_200, 11.0)


def localiser(
    deviation: float = 1.0, yaw: float = math.pi / 2, heard: float = 100.0
) -> GpsLocaliser:
    made = GpsLocaliser(GpsConfig())
    made.add_fix(Fix(ROBOT, deviation, Pose2(2.0, 3.0, 0.0), 100.0))
    made.add_heading(Heading(yaw, 0.05, heard))
    return made


def test_a_gps_goal_by_hand():
    # The robot looks north and odom's x axis is its own: 100 m ahead of (2, 3).
    point = localiser().locate(NORTH_100, 100.5, Pose2(2.0, 3.0, 0.0))
    assert point == pytest.approx((102.0, 3.0), abs=0.1)
    # A heading of now, a quarter turn to the left after the fix: west now means north then.
    point = localiser(yaw=math.pi).locate(NORTH_100, 100.5, Pose2(2.0, 3.0, math.pi / 2))
    assert point == pytest.approx((102.0, 3.0), abs=0.1)


@pytest.mark.parametrize(('made', 'text'), [
    (GpsLocaliser(), 'no fix has come on gps/fix'),
    (localiser(deviation=9.0), 'standard deviation is 9.0 m, at most 5 m'),
    (localiser(heard=97.0), r'the last one is 3\.5 s old'),
])
def test_without_a_position_or_a_heading_a_goal_is_refused(made, text):
    with pytest.raises(GoalRefusedError, match=text) as caught:
        made.locate(NORTH_100, 100.5, HERE)
    assert caught.value.code is Code.NO_GPS


def test_a_position_alone_is_no_heading():
    made = GpsLocaliser()
    made.add_fix(Fix(ROBOT, 1.0, HERE, 100.0))
    with pytest.raises(GoalRefusedError, match='does not say where the goal lies'):
        made.locate(NORTH_100, 100.5, HERE)


def test_an_old_fix_and_a_receiver_without_one_are_named():
    made = localiser()
    with pytest.raises(GoalRefusedError, match=r'the last fix is 3\.0 s old'):
        made.locate(NORTH_100, 103.0, HERE)
    made.add_fix(None, 'the receiver reports no fix')
    with pytest.raises(GoalRefusedError, match='the receiver reports no fix'):
        made.locate(NORTH_100, 100.5, HERE)


def test_an_uncertain_heading_is_refused():
    made = localiser()
    made.add_heading(Heading(0.0, 0.6, 100.0))
    with pytest.raises(GoalRefusedError, match=r'0\.60 rad, at most 0\.35'):
        made.locate(NORTH_100, 100.5, HERE)


def test_a_goal_on_another_continent_is_a_mistake():
    with pytest.raises(GoalRefusedError, match='km away, farther than the 5 km') as caught:
        localiser().locate(Geodetic(0.0, 0.0), 100.5, HERE)
    assert caught.value.code is Code.INVALID_GOAL


def test_new_fixes_move_the_goal_by_a_tenth_and_a_tunnel_does_not():
    made = localiser()
    asked = GpsTarget(made, NORTH_100, 0.1, 100.0, Pose2(2.0, 3.0, 0.0))
    before = asked.points(100.5, HERE)[0]
    # The receiver finds itself 10 m further along odom's x: so does the goal, a tenth of it.
    made.add_fix(Fix(ROBOT, 1.0, Pose2(12.0, 3.0, 0.0), 101.0))
    after = asked.points(101.0, Pose2(12.0, 3.0, 0.0))[0]
    assert after - before == pytest.approx((1.0, 0.0), abs=1e-6)
    made.add_fix(None, 'tunnel')
    assert asked.points(105.0, HERE)[0] == pytest.approx(after)
