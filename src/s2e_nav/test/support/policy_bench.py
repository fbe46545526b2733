"""A policy node with a policy made for the test, and the node that plays robot and user."""

from __future__ import annotations

import threading

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from s2e_core.camera import SMALL_CAMERA, CameraModel
from s2e_core.contract import Observation, PolicyOutput, PolicySpec
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.images import image_from_frame
from s2e_nav.convert.plans import plan_from_path
from s2e_nav.convert.poses import goal_message, message_from_odometry
from s2e_nav.nodes.policy import PolicyNode
from s2e_nav.policies import LoadedPolicy
from s2e_nav.qos import LATCHED

SECOND = 1_000_000_000
CAMERA = CameraModel.from_fov(160, 120, SMALL_CAMERA.hfov)


class Ahead:
    """Two modes straight ahead, 0.1 and 0.2 m a waypoint; the second has the higher score."""

    def __init__(self) -> None:
        self.spec = PolicySpec('ahead', 2, SMALL_CAMERA, 1.5, 1.0)
        self.seen: list[Observation] = []
        self.failure: Exception | None = None
        self.resets = 0
        self.busy, self.free = threading.Event(), threading.Event()
        self.free.set()

    def reset(self) -> None:
        self.resets += 1

    def infer(self, observation: Observation) -> PolicyOutput:
        if self.failure is not None:
            raise self.failure
        self.seen.append(observation)
        self.busy.set()
        assert self.free.wait(30.0)
        x = np.arange(1, 11, dtype=np.float32)
        modes = np.stack([np.stack([0.1 * x, 0 * x], 1), np.stack([0.2 * x, 0 * x], 1)])
        return PolicyOutput(
            observation.stamp_ns, modes.astype(np.float32), np.array([0.3, 0.7], np.float32)
        )


def _action_clients(node):
    """Return clients of the navigation actions by name; none where nav2_msgs is missing."""
    try:
        from nav2_msgs import action
    except ImportError:
        return {}
    kinds = {
        'navigate_to_pose': action.NavigateToPose,
        'navigate_through_poses': action.NavigateThroughPoses,
    }
    return {name: (kind, ActionClient(node, kind, name)) for name, kind in kinds.items()}


class PolicyBench:
    """The policy node and the node that plays robot and user."""

    def __init__(self, ros, **parameters) -> None:
        self.ros, self.policy = ros, Ahead()
        loaded = LoadedPolicy(self.policy, 'ahead@test', 'none')
        parameters = {'mode': 'lockstep', **parameters}
        overrides = [Parameter(key, value=value) for key, value in parameters.items()]
        self.node = PolicyNode(
            load=lambda *a, **k: loaded, context=ros.context, parameter_overrides=overrides
        )
        self.policy.seen.clear()
        self.driver = ros.node('driver')
        self.image = self.driver.create_publisher(Image, 'camera/image_raw', 20)
        self.info = self.driver.create_publisher(CameraInfo, 'camera/camera_info', 20)
        self.odom = self.driver.create_publisher(OdometryMessage, 'odom', 20)
        self.goals = self.driver.create_publisher(PoseStamped, 'goal_pose', 20)
        self.tf = self.driver.create_publisher(TFMessage, '/tf_static', LATCHED)
        self.gate = self.driver.create_publisher(DiagnosticStatus, 's2e/gate', LATCHED)
        self.plans = ros.listen(self.driver, Path, 's2e/trajectory')
        self.modes = ros.listen(self.driver, MarkerArray, 's2e/modes')
        self.states = ros.listen(self.driver, DiagnosticStatus, 's2e/status', LATCHED)
        self.accepted = ros.listen(self.driver, PoseStamped, 's2e/goal', LATCHED)
        self.results = ros.listen(self.driver, DiagnosticStatus, 's2e/result')
        # Before the driver spins: rclpy hands a client to the executor before it is complete.
        self.clients = _action_clients(self.driver)
        ros.spin(self.node)
        ros.spin(self.driver)
        if parameters.get('autostart', True):
            self.connect()

    def connect(self) -> None:
        """Wait until both sides see each other."""
        inputs = (self.image, self.info, self.odom, self.goals, self.tf, self.gate)
        self.ros.wait(lambda: all(p.get_subscription_count() for p in inputs))
        outputs = ('s2e/trajectory', 's2e/result')
        self.ros.wait(lambda: all(self.driver.count_publishers(t) == 1 for t in outputs))
        self.ros.wait(lambda: bool(self.states))

    def value(self, key: str) -> str:
        return status_values(self.states[-1])[key] if self.states else ''

    def result(self) -> dict[str, str]:
        """Return the values of the newest end of a goal."""
        return status_values(self.results[-1]) if self.results else {}

    def goal(self, x: float, y: float, frame: str = 'odom', stamp: int = 5) -> None:
        self.goals.publish(goal_message(np.array([x, y]), stamp, frame))
        self.ros.wait(lambda: self.value('goal_stamp') == str(stamp))

    def see(self, stamp: int, pose: Pose2 | None = None, **options):
        """Send one image with its odometry and return the plan."""
        before = len(self.plans)
        self.show(stamp, pose, **options)
        self.ros.wait(lambda: len(self.plans) > before)
        return plan_from_path(self.plans[-1])

    def show(self, stamp: int, pose: Pose2 | None = None, rgb: np.ndarray | None = None) -> None:
        """Send one image, noise of its own unless another is given, with its odometry."""
        if rgb is None:
            shape = (CAMERA.height, CAMERA.width, 3)
            rgb = np.random.default_rng(stamp).integers(0, 256, shape, np.uint8)
        self.info.publish(info_from_camera(CAMERA, stamp, 'optical'))
        self.odom.publish(message_from_odometry(Odometry(stamp, pose or Pose2())))
        # Topics overtake each other; what is tested here is not the order in which they come.
        intake = self.node._service._intake
        self.ros.wait(lambda: getattr(intake.odometry_at(stamp), 'stamp_ns', 0) == stamp)
        self.image.publish(image_from_frame(CameraFrame(stamp, rgb), 'optical'))
