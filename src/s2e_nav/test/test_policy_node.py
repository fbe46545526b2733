"""The policy node with a policy made for the test: goals, answers, faults, lifecycle."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from policy_bench import PolicyBench
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from s2e_core.records import CameraFrame
from s2e_core.se2 import Pose2
from s2e_nav.convert.diagnostics import status_message, status_values
from s2e_nav.convert.images import image_from_frame
from s2e_nav.convert.modes import output_from_markers
from s2e_nav.convert.plans import plan_from_path
from s2e_nav.convert.poses import goal_message, transform_from_pose2
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import StartError
from s2e_nav.nodes.policy import PolicyNode
from s2e_nav.qos import SENSOR

SECOND = 1_000_000_000


@pytest.fixture
def bench(ros):
    """Return a bench whose node is active."""
    made = PolicyBench(ros)
    yield made
    made.node.close()


def test_without_a_goal_each_image_is_answered_by_standing_still(bench):
    plan = bench.see(10 * SECOND)
    assert plan.is_stop and plan.stamp_ns == 10 * SECOND
    assert not bench.policy.seen


def test_the_best_mode_becomes_a_plan_in_odom(bench):
    bench.goal(10.0, 2.0)
    plan = bench.see(10 * SECOND, Pose2(1.0, 2.0, np.pi / 2))
    # 0.2 m a waypoint along base x, which is odom y here.
    np.testing.assert_allclose(plan.points[:, 1], 2.0 + 0.2 * np.arange(1, 11), atol=1e-6)
    np.testing.assert_allclose(plan.points[:, 0], 1.0, atol=1e-6)
    bench.ros.wait(lambda: bench.value('image_stamp') == str(10 * SECOND))
    assert (bench.value('mode'), bench.value('state')) == ('1', 'navigating')
    bench.ros.wait(lambda: bool(bench.modes))
    output, chosen = output_from_markers(bench.modes[-1])
    assert chosen == 1 and len(output.modes) == 2


def test_the_policy_sees_its_own_camera_and_the_goal_from_the_robot(bench):
    bench.goal(1.0, 5.0)
    bench.see(10 * SECOND, Pose2(1.0, 2.0, round(np.pi / 2, 9)))
    [observation] = bench.policy.seen
    assert observation.images.shape == (2, 128, 128, 3)
    np.testing.assert_allclose(observation.goal, (3.0, 0.0), atol=1e-6)


def test_arrival_is_reported_and_stands_still(bench):
    bench.goal(0.2, 0.0)
    assert bench.see(10 * SECOND).is_stop
    bench.ros.wait(lambda: bench.value('state') == 'arrived')


def test_a_goal_in_map_is_brought_to_odom(bench):
    bench.tf.publish(TFMessage(transforms=[
        transform_from_pose2(Pose2(10.0, 0.0, 0.0), 0, 'map', 'odom')
    ]))
    # Until the transform has come the goal is refused, so it is sent until it is taken.
    def sent() -> bool:
        bench.goals.publish(goal_message(np.array([13.0, 1.0]), 6, 'map'))
        return bench.value('goal_stamp') == '6'

    bench.ros.wait(sent)
    bench.ros.wait(lambda: bool(bench.accepted))
    assert bench.accepted[-1].pose.position.x == pytest.approx(3.0)


def test_a_goal_in_an_unknown_frame_is_refused_with_its_reason(bench):
    bench.goals.publish(goal_message(np.array([1.0, 0.0]), 6, 'mars'))
    bench.ros.wait(lambda: 'mars' in bench.value('fault'))
    assert bench.value('goal_stamp') == '0' and not bench.accepted
    assert bench.see(10 * SECOND).is_stop


def test_a_policy_that_raises_stands_still_and_the_node_lives(bench):
    bench.goal(10.0, 0.0)
    bench.policy.failure = RuntimeError('out of cheese')
    plan = bench.see(10 * SECOND)
    assert plan.is_stop and plan.stamp_ns == 10 * SECOND
    bench.ros.wait(lambda: bench.value('failure') == 'RuntimeError: out of cheese')
    assert bench.states[-1].level == DiagnosticStatus.ERROR
    # The goal is gone: a model that works again moves nothing by itself.
    bench.ros.wait(lambda: bench.value('goal_stamp') == '0')
    bench.policy.failure = None
    assert bench.see(10 * SECOND + 200_000_000).is_stop
    bench.goal(10.0, 0.0, stamp=6)
    assert not bench.see(10 * SECOND + 400_000_000).is_stop


def test_a_latched_gate_drops_the_goal(bench):
    bench.goal(10.0, 0.0)
    assert not bench.see(10 * SECOND).is_stop
    values = {'latched': 'e_stop', 'goal_stamp': 5}
    bench.gate.publish(status_message('gate', DiagnosticStatus.ERROR, 'e_stop', values))
    bench.ros.wait(lambda: bench.value('goal_stamp') == '0')
    assert 'e_stop' in bench.value('fault')
    assert bench.see(10 * SECOND + 200_000_000).is_stop


def test_deactivate_stops_and_activate_waits_for_a_new_goal(bench):
    bench.goal(10.0, 0.0)
    assert not bench.see(10 * SECOND).is_stop
    before = len(bench.plans)
    bench.node.trigger_deactivate()
    bench.ros.wait(lambda: len(bench.plans) > before)
    assert plan_from_path(bench.plans[-1]).is_stop
    # Plan and status are two topics: either may come first.
    bench.ros.wait(lambda: bench.value('state') == 'inactive')
    bench.node.trigger_activate()
    assert bench.see(10 * SECOND + 200_000_000).is_stop


def test_each_image_is_told_to_the_gate_by_its_stamp(ros):
    """Also those that the policy does not take: 0.2 s have not passed."""
    bench = PolicyBench(ros, mode='realtime')
    heard = ros.listen(bench.driver, Header, 's2e/image', SENSOR)
    ros.wait(lambda: bench.driver.count_publishers('s2e/image') == 1)
    frame = CameraFrame(10 * SECOND, np.zeros((120, 160, 3), np.uint8))
    for stamp in (10 * SECOND, 10 * SECOND + 66_000_000):
        bench.image.publish(image_from_frame(dataclasses.replace(frame, stamp_ns=stamp), 'eye'))
        ros.wait(lambda stamp=stamp: heard and to_ns(heard[-1].stamp) == stamp)
    bench.node.close()


@pytest.mark.parametrize('source', ['none', 'free_space'])
def test_a_node_that_is_configured_anew_holds_no_more_than_before(ros, source):
    bench = PolicyBench(ros, mode='realtime', robot='coco', **{'obstacles.source': source})
    held = _held(bench.node)
    bench.node.trigger_deactivate()
    bench.node.trigger_cleanup()
    bench.node.trigger_configure()
    bench.node.trigger_activate()
    assert _held(bench.node) == held
    bench.node.close()


def _held(node: PolicyNode) -> dict[str, list[str]]:
    return {
        'publishers': sorted(p.topic for p in node.publishers),
        'subscriptions': sorted(s.topic for s in node.subscriptions),
        'services': sorted(s.service_name for s in node.services),
        'timers': [str(t.timer_period_ns) for t in node.timers],
        'waitables': sorted(type(w).__name__ for w in node.waitables),
    }


def test_the_status_says_why_this_policy(ros):
    """By itself for the robot's lens, or in the words of whoever started the node."""
    alone = PolicyBench(ros, robot='jackal')
    ros.wait(lambda: alone.states)
    said = status_values(alone.states[-1])['policy_choice']
    assert said == 'lens of 69 degrees, 67% of the view: s2e-small-lens, trained down to 19%'
    alone.node.close()


def test_a_start_that_has_chosen_is_repeated_in_the_status(ros):
    told = PolicyBench(ros, robot='jackal', policy='s2e-small', policy_choice='because')
    ros.wait(lambda: told.states)
    assert status_values(told.states[-1])['policy_choice'] == 'because'
    told.node.close()


def test_a_policy_that_cannot_be_had_ends_the_start_with_its_reason(ros):
    def refuse(*args, **kwargs):
        raise StartError('sha256 must be 1, got 2')

    with pytest.raises(StartError, match='sha256 must be 1'):
        PolicyNode(load=refuse, context=ros.context)


def test_navigate_to_pose_succeeds_cancels_and_refuses(bench):
    pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')
    from action_msgs.msg import GoalStatus

    kind, client = bench.clients['navigate_to_pose']
    bench.ros.wait(client.server_is_ready)
    feedback: list[float] = []

    def send(x: float, frame: str = 'odom'):
        goal = kind.Goal(pose=goal_message(np.array([x, 0.0]), 0, frame))
        sent = client.send_goal_async(
            goal, feedback_callback=lambda m: feedback.append(m.feedback.distance_remaining)
        )
        bench.ros.wait(sent.done)
        return sent.result(), sent.result().get_result_async()

    _, refused = send(1.0, 'mars')
    bench.ros.wait(refused.done)
    assert refused.result().status == GoalStatus.STATUS_ABORTED
    assert 'mars' in refused.result().result.error_msg

    handle, cancelled = send(10.0)
    bench.ros.wait(lambda: bench.value('state') == 'navigating')
    assert not bench.see(10 * SECOND).is_stop
    bench.ros.wait(lambda: bool(feedback))
    assert feedback[0] == pytest.approx(10.0)
    handle.cancel_goal_async()
    bench.ros.wait(cancelled.done)
    assert cancelled.result().status == GoalStatus.STATUS_CANCELED
    assert bench.see(10 * SECOND + 200_000_000).is_stop

    _, arrived = send(0.1)
    bench.ros.wait(lambda: bench.value('goal_stamp') != '0')
    bench.see(10 * SECOND + 400_000_000)
    bench.ros.wait(arrived.done)
    assert arrived.result().status == GoalStatus.STATUS_SUCCEEDED
    assert arrived.result().result.error_code == 0
