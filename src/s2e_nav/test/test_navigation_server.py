"""The navigation server from outside: actions, services, GPS, and a camera that shows nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from policy_bench import CAMERA, PolicyBench
from sensor_msgs.msg import Imu, NavSatFix
from std_srvs.srv import Trigger

from s2e_core.se2 import Pose2
from s2e_nav.convert.poses import goal_message, quaternion_of
from s2e_nav.convert.stamps import to_time
from s2e_nav.errors import StartError
from s2e_nav.navigation.codes import Code

SECOND = 1_000_000_000
IMAGE = 200_000_000


class Client:
    """An action client and what it heard."""

    def __init__(self, bench: PolicyBench, name: str) -> None:
        if name not in bench.clients:
            pytest.skip('ROS missing: nav2_msgs')
        self.bench = bench
        self.kind, self.client = bench.clients[name]
        self.feedback: list = []
        bench.ros.wait(self.client.server_is_ready)

    def send(self, goal):
        """Send a goal; return its handle and the future of its result."""
        sent = self.client.send_goal_async(
            goal, feedback_callback=lambda message: self.feedback.append(message.feedback)
        )
        self.bench.ros.wait(sent.done)
        handle = sent.result()
        return handle, handle.get_result_async() if handle.accepted else None

    def to(self, x: float, y: float = 0.0):
        """Send a pose in odom."""
        return self.send(self.kind.Goal(pose=pose(x, y)))

    def end(self, future):
        """Wait for the result; return status and result."""
        self.bench.ros.wait(future.done)
        return future.result().status, future.result().result


def pose(x: float, y: float = 0.0, frame: str = 'odom') -> PoseStamped:
    return goal_message(np.array([x, y]), 0, frame)


@pytest.fixture
def bench(ros):
    """Return a bench in lock-step whose node is active."""
    made = PolicyBench(ros)
    yield made
    made.policy.free.set()
    made.node.close()


@pytest.fixture
def robot(ros):
    """Return a bench in real time, as on a robot."""
    made = PolicyBench(ros, mode='realtime')
    yield made
    made.node.close()


@pytest.fixture
def client(bench):
    """Return a client of navigate_to_pose."""
    return Client(bench, 'navigate_to_pose')


def status_of(name: str) -> int:
    from action_msgs.msg import GoalStatus

    return getattr(GoalStatus, f'STATUS_{name}')


def test_a_newer_goal_aborts_the_older_and_drives_on(bench, client):
    _, first = client.to(10.0)
    assert not bench.see(10 * SECOND).is_stop
    handle, second = client.to(20.0)
    status, result = client.end(first)
    assert (status, result.error_code) == (status_of('ABORTED'), Code.REPLACED)
    assert not bench.see(10 * SECOND + IMAGE).is_stop
    assert bench.policy.seen[-1].goal == pytest.approx((20.0, 0.0))
    # A goal on the topic replaces one of an action.
    bench.goal(30.0, 0.0, stamp=9)
    assert client.end(second)[1].error_code == Code.REPLACED


def test_a_refused_goal_leaves_the_one_before_alone(bench, client):
    client.to(10.0)
    bench.ros.wait(lambda: bench.value('state') == 'navigating')
    _, refused = client.send(client.kind.Goal(pose=pose(1.0, frame='mars')))
    status, result = client.end(refused)
    assert (status, result.error_code) == (status_of('ABORTED'), Code.UNKNOWN_FRAME)
    assert "'mars' cannot be transformed to 'odom'" in result.error_msg
    assert not bench.see(10 * SECOND).is_stop


def test_cancelling_the_older_goal_does_not_stop_the_newer(bench, client):
    old, first = client.to(10.0)
    client.to(20.0)
    client.end(first)
    done = old.cancel_goal_async()
    bench.ros.wait(done.done)
    assert not bench.see(10 * SECOND).is_stop


def test_cancel_stops_at_once_while_the_model_hangs(bench, client):
    handle, future = client.to(10.0)
    bench.ros.wait(lambda: bench.value('state') == 'navigating')
    bench.policy.free.clear()
    bench.show(10 * SECOND)
    assert bench.policy.busy.wait(30.0)
    before = len(bench.plans)
    handle.cancel_goal_async()
    status, result = client.end(future)
    assert (status, result.error_code) == (status_of('CANCELED'), Code.CANCELED)
    bench.ros.wait(lambda: len(bench.plans) > before)
    assert not bench.plans[-1].poses, 'a standing plan, though the model has not come back'
    bench.policy.free.set()
    # The model's late answer is for a goal that is gone: its image is answered by standing still.
    bench.ros.wait(lambda: bench.value('image_stamp') == str(10 * SECOND))
    assert not any(plan.poses for plan in bench.plans)


def test_feedback_tells_distance_time_and_no_recoveries(bench, client):
    client.to(10.0)
    bench.see(10 * SECOND, Pose2(4.0, 0.0, 0.0))
    bench.ros.wait(lambda: bool(client.feedback))
    feedback = client.feedback[-1]
    assert feedback.distance_remaining == pytest.approx(6.0)
    assert feedback.number_of_recoveries == 0
    assert feedback.current_pose.pose.position.x == pytest.approx(4.0)
    assert feedback.current_pose.header.frame_id == 'odom'
    assert feedback.navigation_time.sec >= 0


def test_a_route_is_driven_pose_by_pose(bench):
    client = Client(bench, 'navigate_through_poses')
    goal = client.kind.Goal()
    poses = [pose(5.0, 0.0, ''), pose(5.0, 5.0, '')]
    if hasattr(goal.poses, 'goals'):  # Kilted; Jazzy has a list
        goal.poses.goals, goal.poses.header.frame_id = poses, 'odom'
    else:
        goal.poses = [pose(5.0), pose(5.0, 5.0)]
    _, future = client.send(goal)
    bench.ros.wait(lambda: bench.value('state') == 'navigating')
    bench.see(10 * SECOND)
    bench.ros.wait(lambda: bool(client.feedback))
    assert client.feedback[-1].number_of_poses_remaining == 2
    assert client.feedback[-1].distance_remaining == pytest.approx(10.0)
    bench.see(10 * SECOND + IMAGE, Pose2(4.5, 0.0, 0.0))
    bench.ros.wait(lambda: client.feedback[-1].number_of_poses_remaining == 1)
    bench.see(10 * SECOND + 2 * IMAGE, Pose2(5.0, 4.9, 0.0))
    status, result = client.end(future)
    assert (status, result.error_code) == (status_of('SUCCEEDED'), Code.NONE)
    statuses = getattr(result, 'waypoint_statuses', [])
    assert all(s.waypoint_status == s.COMPLETED for s in statuses)


def test_goals_are_rejected_while_inactive(bench, client):
    bench.node.trigger_deactivate()
    handle, _ = client.to(1.0)
    assert not handle.accepted


def test_deactivate_aborts_the_goal_with_its_reason(bench, client):
    _, future = client.to(10.0)
    bench.ros.wait(lambda: bench.value('state') == 'navigating')
    bench.node.trigger_deactivate()
    status, result = client.end(future)
    assert (status, result.error_code) == (status_of('ABORTED'), Code.INACTIVE)
    assert result.error_msg == 'the policy node was deactivated'


def call(bench: PolicyBench, name: str) -> Trigger.Response:
    service = bench.driver.create_client(Trigger, f'policy/{name}')
    bench.ros.wait(service.service_is_ready)
    future = service.call_async(Trigger.Request())
    bench.ros.wait(future.done)
    return future.result()


def test_roaming_drives_without_a_goal_until_it_is_cancelled(bench):
    assert call(bench, 'roam').success
    assert not bench.see(10 * SECOND).is_stop
    assert bench.policy.seen[-1].goal is None
    # The gate is told by the stamp of a goal at the robot itself.
    bench.ros.wait(lambda: bool(bench.accepted))
    assert bench.accepted[-1].header.frame_id == 'base_link'
    assert call(bench, 'cancel').success
    assert bench.see(10 * SECOND + IMAGE).is_stop
    assert call(bench, 'cancel').message == 'there is no goal'


def test_the_end_of_a_goal_on_a_topic_is_published_too(bench):
    bench.goal(0.2, 0.0, stamp=77)
    bench.see(10 * SECOND)
    bench.ros.wait(lambda: bench.result().get('goal_stamp') == '77')
    assert (bench.result()['outcome'], bench.result()['error_code']) == ('succeeded', '0')


def test_a_bundle_that_is_refused_leaves_the_node_with_the_reason(ros):
    bench = PolicyBench(ros, autostart=False)

    def refuse(*args, **kwargs):
        raise StartError('sha256 must be 1, got 2')

    loads, bench.node._load = bench.node._load, refuse
    bench.node.trigger_configure()
    ros.wait(lambda: 'sha256 must be 1, got 2' in bench.value('fault'))
    assert bench.value('state') == 'unconfigured'
    bench.node._load = loads
    bench.node.trigger_configure()
    ros.wait(lambda: bench.value('state') == 'inactive')
    assert bench.value('fault') == ''
    bench.node.close()


def fix(latitude: float, longitude: float, status: int = 0) -> NavSatFix:
    message = NavSatFix(latitude=latitude, longitude=longitude)
    message.status.status = status
    message.header.stamp = to_time(10 * SECOND)
    return message


def test_a_gps_goal_needs_a_fix_and_a_heading(robot):
    driver = robot.driver
    goals = driver.create_publisher(NavSatFix, 'goal_gps', 10)
    fixes = driver.create_publisher(NavSatFix, 'gps/fix', 10)
    headings = driver.create_publisher(Imu, 'gps/heading', 10)
    robot.ros.wait(lambda: all(
        p.get_subscription_count() for p in (goals, fixes, headings)
    ))
    goals.publish(fix(48.0, 11.0))
    robot.ros.wait(lambda: 'no fix has come on gps/fix' in robot.value('fault'))
    robot.show(10 * SECOND, Pose2(2.0, 3.0, 0.0))
    north = fix(48.0 + 10.0 / 111_200, 11.0)

    def refused_for(text: str) -> None:
        def asked() -> bool:
            fixes.publish(fix(48.0, 11.0))
            goals.publish(north)
            return text in robot.value('fault')

        robot.ros.wait(asked)

    refused_for('no heading has come on gps/heading')

    def accepted() -> bool:
        headings.publish(Imu(orientation=quaternion_of(math.pi / 2)))
        fixes.publish(fix(48.0, 11.0))
        goals.publish(north)
        return bool(robot.accepted)

    robot.ros.wait(accepted)
    # It looks north, so 10 m to the north are 10 m ahead of (2, 3).
    point = robot.accepted[-1].pose.position
    assert (point.x, point.y) == pytest.approx((12.0, 3.0), abs=0.05)


def test_a_frozen_camera_drops_the_goal(robot):
    robot.goal(10.0, 0.0, stamp=6)
    picture = np.random.default_rng(0).integers(0, 256, (CAMERA.height, CAMERA.width, 3), np.uint8)
    assert not robot.see(10 * SECOND, rgb=picture).is_stop
    robot.show(10 * SECOND + IMAGE, Pose2(0.1, 0.0, 0.0), rgb=picture)
    robot.ros.wait(lambda: robot.result().get('error_name') == 'CAMERA_FAILED')
    assert 'the same picture while the robot went 0.10 m' in robot.results[-1].message
    robot.ros.wait(lambda: not robot.plans[-1].poses)
    # A camera that works again moves nothing: the goal is gone.
    assert robot.see(10 * SECOND + 2 * IMAGE, Pose2(0.2, 0.0, 0.0)).is_stop


def test_a_black_camera_drops_the_goal(robot):
    robot.goal(10.0, 0.0, stamp=6)
    assert not robot.see(10 * SECOND).is_stop
    robot.show(10 * SECOND + IMAGE, rgb=np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8))
    robot.ros.wait(lambda: robot.result().get('error_name') == 'CAMERA_FAILED')
    assert 'blank picture' in robot.results[-1].message
    robot.ros.wait(lambda: not robot.plans[-1].poses)
