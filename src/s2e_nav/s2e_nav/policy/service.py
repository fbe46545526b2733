"""What the policy node does once configured: topics, goals, status."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from s2e_core.camera import CameraMount
from s2e_core.contract import WAYPOINT_DT
from s2e_core.navigator import NavigatorResult, NavigatorStatus
from s2e_core.records import Plan
from s2e_nav.convert.cameras import camera_from_info
from s2e_nav.convert.diagnostics import (
    ERROR,
    OK,
    WARN,
    diagnostics,
    status_message,
    status_values,
)
from s2e_nav.convert.images import frame_from_compressed, frame_from_image
from s2e_nav.convert.modes import markers_from_output
from s2e_nav.convert.plans import path_from_plan
from s2e_nav.convert.poses import goal_message, odometry_from_message
from s2e_nav.convert.stamps import to_ns
from s2e_nav.errors import ConversionError
from s2e_nav.frames import FrameTree
from s2e_nav.policies import LoadedPolicy
from s2e_nav.policy.goals import Goal, accept
from s2e_nav.policy.intake import Intake
from s2e_nav.policy.worker import Worker
from s2e_nav.qos import LATCHED, RELIABLE, input_qos
from s2e_nav.runtime.timers import steady_timer

if TYPE_CHECKING:
    from s2e_nav.nodes.policy import PolicyParameters
    from s2e_nav.policy.action import NavigateAction

NO_LATCH = 'none'


class PolicyService:
    """Topics and goals around the inference thread."""

    def __init__(
        self, node: Node, config: PolicyParameters, loaded: LoadedPolicy,
        mounts: tuple[CameraMount, CameraMount] | None = None,
    ) -> None:
        """Create publishers, subscriptions and the action; nothing is answered yet."""
        self._node, self._config, self._loaded = node, config, loaded
        lockstep = config.mode == 'lockstep'
        self._intake = Intake(loaded.policy.spec.camera, lockstep, mounts)
        self._worker = Worker(
            loaded.policy, config.navigator, self._intake, self._on_result, self._on_fault
        )
        self._frames = FrameTree()
        self._lock = threading.Lock()
        self._goal: Goal | None = None
        self._started = 0.0
        self._state, self._fault, self._failure = 'inactive', '', ''
        self._stamp, self._mode = 0, -1
        self._trajectory = node.create_publisher(Path, 's2e/trajectory', RELIABLE)
        self._modes = node.create_publisher(MarkerArray, 's2e/modes', RELIABLE)
        self._status = node.create_publisher(DiagnosticStatus, 's2e/status', LATCHED)
        self._goals = node.create_publisher(PoseStamped, 's2e/goal', LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)
        self._subscribe(lockstep)
        self._action = self._offer_action()
        self._timer = steady_timer(node, 1.0, self._each_second)

    def activate(self) -> None:
        """Begin to answer images."""
        self._state = 'idle'
        self._worker.start()
        self._publish_status()

    def deactivate(self) -> None:
        """Drop the goal, end the thread, leave a plan that stands still."""
        self._drop('policy was deactivated')
        self._worker.stop()
        self._intake.clear()
        self._state = 'inactive'
        self._stand_still()
        self._publish_status()

    def close(self) -> None:
        """End for good."""
        self._intake.close()
        try:
            self.deactivate()
            if self._action is not None:
                self._action.destroy()
        except InvalidHandle:
            self._worker.stop()
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _subscribe(self, lockstep: bool) -> None:
        node, qos = self._node, input_qos(lockstep)
        if self._config.compressed:
            camera = node.create_subscription(
                CompressedImage, 'camera/image_raw/compressed', self._on_compressed, qos
            )
        else:
            camera = node.create_subscription(Image, 'camera/image_raw', self._on_image, qos)
        self._subscriptions = [
            camera,
            node.create_subscription(CameraInfo, 'camera/camera_info', self._on_camera, qos),
            node.create_subscription(OdometryMessage, 'odom', self._on_odometry, qos),
            node.create_subscription(PoseStamped, 'goal_pose', self._on_goal, RELIABLE),
            node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, LATCHED),
            node.create_subscription(TFMessage, '/tf_static', self._frames.update, LATCHED),
        ]
        if not lockstep:
            # In lock-step goals come in odom; 20 transforms a second would only cost time.
            self._subscriptions.append(
                node.create_subscription(TFMessage, '/tf', self._frames.update, RELIABLE)
            )

    def _offer_action(self) -> NavigateAction | None:
        """Offer navigate_to_pose where nav2_msgs is installed."""
        try:
            from s2e_nav.policy.action import NavigateAction
        except ImportError as error:
            self._node.get_logger().warning(f'navigate_to_pose is not offered: {error}')
            return None
        return NavigateAction(self._node, self._begin, self._on_action_cancel)

    def _on_image(self, message: Image) -> None:
        self._intake.offer(to_ns(message.header.stamp), lambda: frame_from_image(message))

    def _on_compressed(self, message: CompressedImage) -> None:
        self._intake.offer(to_ns(message.header.stamp), lambda: frame_from_compressed(message))

    def _on_camera(self, message: CameraInfo) -> None:
        try:
            problem = self._intake.set_camera(camera_from_info(message))
        except ConversionError as error:
            problem = str(error)
        if problem:
            self._node.get_logger().error(problem, throttle_duration_sec=5.0)

    def _on_odometry(self, message: OdometryMessage) -> None:
        try:
            odometry = odometry_from_message(message)
        except ConversionError as error:
            self._node.get_logger().error(f'odom: {error}', throttle_duration_sec=5.0)
            return
        if odometry.finite:
            self._intake.add_odometry(odometry)

    def _on_goal(self, message: PoseStamped) -> None:
        try:
            self._begin(message)
        except ConversionError as error:
            self._fault = f'goal refused: {error}'
            self._node.get_logger().error(self._fault)
            self._publish_status()

    def _begin(self, message: PoseStamped) -> None:
        """Accept a goal.

        Raises:
            ConversionError: It is refused.
        """
        if self._state == 'inactive':
            raise ConversionError('the policy node is not active')
        now = int(self._node.get_clock().now().nanoseconds)
        goal = accept(message, self._frames, self._config.odom_frame, now)
        with self._lock:
            self._goal, self._started = goal, time.monotonic()
            self._fault = self._failure = ''
        self._worker.set_goal(goal.point)
        self._state = 'navigating'
        self._goals.publish(goal_message(goal.point, goal.stamp_ns, self._config.odom_frame))
        self._publish_status()

    def _on_action_cancel(self) -> None:
        self._worker.cancel()
        with self._lock:
            self._goal = None
        self._state = 'idle'
        self._stand_still()
        self._publish_status()

    def _on_gate(self, message: DiagnosticStatus) -> None:
        """A stop that waits for a rearm drops the goal that was set before it."""
        values = status_values(message)
        with self._lock:
            current = 0 if self._goal is None else self._goal.stamp_ns
        mine = values.get('goal_stamp') == str(current)
        if current and mine and values.get('latched', NO_LATCH) != NO_LATCH:
            self._drop(f'the gate stopped: {values["latched"]}')
            self._publish_status()

    def _drop(self, reason: str) -> None:
        self._worker.cancel()
        with self._lock:
            had, self._goal = self._goal is not None, None
        if had:
            self._fault = f'goal dropped: {reason}'
            self._node.get_logger().warning(self._fault)
        self._state = 'idle'
        if self._action is not None:
            self._action.end('aborted', reason)

    def _on_result(self, result: NavigatorResult, stamp_ns: int) -> None:
        """Publish what one image led to; runs in the inference thread."""
        self._trajectory.publish(path_from_plan(result.plan, self._config.odom_frame))
        # The stamp last: a status that another thread sends in between still fits together.
        self._failure, self._mode = result.rejected.get(-1, ''), result.plan.mode
        self._stamp = stamp_ns
        self._follow_goal(result)
        self._publish_status()
        if result.output is not None and self._modes.get_subscription_count() > 0:
            chosen = result.plan.mode if result.plan.mode >= 0 else None
            self._modes.publish(
                markers_from_output(
                    result.output, chosen, result.rejected, self._config.base_frame
                )
            )
        if result.status is NavigatorStatus.REJECTED:
            self._fault = f'every mode was rejected: {next(iter(result.rejected.values()), "")}'

    def _follow_goal(self, result: NavigatorResult) -> None:
        state = result.status.value
        if self._action is not None and result.status is NavigatorStatus.NAVIGATING:
            odometry = self._intake.odometry_now()
            if odometry is not None:
                elapsed = time.monotonic() - self._started
                pose = odometry.pose
                self._action.feedback(pose.x, pose.y, result.distance, elapsed)
        if state != self._state:
            self._state = state
            if result.status is NavigatorStatus.ARRIVED and self._action is not None:
                self._action.end('succeeded')

    def _on_fault(self, text: str, stamp_ns: int) -> None:
        """Stand still and say why; runs in the inference thread."""
        self._fault = self._failure = text
        self._mode = -1
        self._stamp = stamp_ns or self._stamp
        self._node.get_logger().error(text, throttle_duration_sec=2.0)
        self._stand_still(stamp_ns)
        self._publish_status()

    def _stand_still(self, stamp_ns: int = 0) -> None:
        odometry = self._intake.odometry_now()
        stamp = stamp_ns or (0 if odometry is None else odometry.stamp_ns)
        plan = Plan(stamp, np.zeros((0, 2)), WAYPOINT_DT)
        self._trajectory.publish(path_from_plan(plan, self._config.odom_frame))

    def _publish_status(self) -> None:
        with self._lock:
            stamp = 0 if self._goal is None else self._goal.stamp_ns
            fault = self._fault
        level = ERROR if self._failure else WARN if fault else OK
        values = {
            'state': self._state, 'fault': fault, 'goal_stamp': stamp,
            'policy': self._loaded.identity, 'provider': self._loaded.provider,
            'image_stamp': self._stamp, 'mode': self._mode, 'failure': self._failure,
            'images_skipped': self._intake.dropped,
            **self._worker.latency.percentiles(),
        }
        self._last_status = status_message('policy', level, fault or self._state, values)
        self._status.publish(self._last_status)

    def _each_second(self) -> None:
        self._publish_status()
        now = int(self._node.get_clock().now().nanoseconds)
        self._diagnostics.publish(diagnostics(self._last_status, now))
