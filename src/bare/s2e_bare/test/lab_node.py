"""A process for the tests of the commands: one plain node, one managed node, one action."""

from __future__ import annotations

import sys
import threading
from typing import Any

import rclpy
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from std_msgs.msg import Float64, String, UInt8MultiArray
from std_srvs.srv import SetBool

WAIT = threading.Event()


class Lab(Node):
    """Publishes, listens, serves."""

    def __init__(self) -> None:
        super().__init__('lab')
        limits = ParameterDescriptor(
            description='Speed in m/s',
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=2.0)],
        )
        self.declare_parameter('speed', 0.5, limits)
        self.declare_parameter('label', 'lab')
        self.declare_parameter('count', 3)
        self.declare_parameter('camera.names', ['front', 'rear'])
        self.declare_parameter('fixed', True, ParameterDescriptor(read_only=True))
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.chatter = self.create_publisher(String, 'chatter', 10)
        self.fast = self.create_publisher(Float64, 'fast', qos_profile_sensor_data)
        self.bytes = self.create_publisher(UInt8MultiArray, 'bytes', 10)
        self.latched = self.create_publisher(String, 'latched', latched)
        self.latched.publish(String(data='kept'))
        self.create_subscription(String, 'heard', self.on_heard, 10)
        self.create_service(SetBool, 'switch', self.on_switch)
        self.create_timer(0.05, self.on_timer)

    def on_timer(self) -> None:
        self.chatter.publish(String(data=f'label {self.get_parameter("label").value}'))
        self.fast.publish(Float64(data=1.5))
        self.bytes.publish(UInt8MultiArray(data=list(range(200))))

    def on_heard(self, message: String) -> None:
        print(f'heard {message.data}', flush=True)

    def on_switch(self, request: SetBool.Request, answer: SetBool.Response) -> SetBool.Response:
        answer.success = request.data
        answer.message = 'on' if request.data else 'off'
        return answer


class Managed(LifecycleNode):
    """Refuses to be cleaned up."""

    def __init__(self) -> None:
        super().__init__('managed')

    def on_cleanup(self, state: Any) -> TransitionCallbackReturn:
        return TransitionCallbackReturn.FAILURE


def add_action(node: Node) -> ActionServer | None:
    """Serve navigate_to_pose where its type exists: x < 0 is rejected, x > 100 aborted."""
    try:
        from nav2_msgs.action import NavigateToPose
    except ImportError:
        return None

    def judge(goal: Any) -> GoalResponse:
        ahead = goal.pose.pose.position.x >= 0
        return GoalResponse.ACCEPT if ahead else GoalResponse.REJECT

    def drive(handle: Any) -> Any:
        distance = handle.request.pose.pose.position.x
        handle.publish_feedback(NavigateToPose.Feedback(distance_remaining=distance))
        result = NavigateToPose.Result()
        if 50 < distance <= 100:
            # Such a goal takes for ever: it ends when it is cancelled.
            while not handle.is_cancel_requested:
                WAIT.wait(0.02)
            handle.canceled()
            print('cancelled', flush=True)
        elif distance > 100:
            result.error_msg = 'too far'
            handle.abort()
        else:
            handle.succeed()
        return result

    return ActionServer(
        node,
        NavigateToPose,
        'navigate_to_pose',
        drive,
        goal_callback=judge,
        cancel_callback=lambda goal: CancelResponse.ACCEPT,
        callback_group=ReentrantCallbackGroup(),
    )


def main() -> None:
    """Spin until a signal ends it."""
    rclpy.init(args=sys.argv)
    executor = MultiThreadedExecutor(2)
    executor.add_node(Managed())
    if '--managed' not in sys.argv:
        lab = Lab()
        add_action(lab)
        executor.add_node(lab)
    print('ready', flush=True)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        print('stopped', flush=True)
    finally:
        executor.shutdown()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
