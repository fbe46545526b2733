"""The base check against a base that stops by itself, and one that does not."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor

from s2e_core.base_trial import TrialConfig
from s2e_nav.errors import StartError
from s2e_nav.nodes.base_check import BaseCheckNode

QUICK = TrialConfig(trials=2, settle=0.2, patience=2.0)


class Base:
    """Turns as told, until commands have been missing for its time-out."""

    def __init__(self, ros: Any, timeout: float, kind: Any = TwistStamped) -> None:
        self.node = ros.node('base')
        self._timeout, self._speed, self._last = timeout, 0.0, 0.0
        self.heard: list[float] = []
        self._lock = threading.Lock()
        self.node.create_subscription(kind, 'cmd_vel', self._take, 20)
        self._odom = self.node.create_publisher(Odometry, 'odom', 20)
        self.node.create_timer(0.01, self._tick)
        ros.spin(self.node)

    def _take(self, message: Any) -> None:
        twist = message.twist if isinstance(message, TwistStamped) else message
        with self._lock:
            self._speed, self._last = float(twist.linear.x), time.monotonic()
            self.heard.append(self._speed)

    def _tick(self) -> None:
        with self._lock:
            if time.monotonic() - self._last > self._timeout:
                self._speed = 0.0
            message = Odometry()
            message.twist.twist.linear.x = self._speed
        self._odom.publish(message)


def check(ros: Any, stamped: bool = True) -> BaseCheckNode:
    """Run a check to its end in this thread."""
    program = BaseCheckNode(QUICK, stamped, context=ros.context)
    executor = SingleThreadedExecutor(context=ros.context)
    executor.add_node(program.node)
    try:
        while program.exit_code is None:
            executor.spin_once(timeout_sec=5.0)
    finally:
        program.close()
        executor.shutdown()
        program.node.destroy_node()
    return program


@pytest.mark.parametrize(('stamped', 'kind'), [(True, TwistStamped), (False, Twist)])
def test_the_time_out_is_measured(ros: Any, stamped: bool, kind: Any) -> None:
    base = Base(ros, 0.3, kind)
    program = check(ros, stamped)
    assert program.exit_code == 0
    assert len(program.results) == 2
    for result in program.results:
        # Not below the truth; above it by odometry's period and what a busy machine adds.
        assert 0.29 <= result.timeout < 1.5
        assert result.rest >= result.timeout
    ros.wait(lambda: base.heard[-10:].count(0.0) >= 9)


def test_a_base_without_time_out_is_stopped_and_reported(ros: Any) -> None:
    base = Base(ros, 1e9)
    program = check(ros)
    assert program.exit_code == 1
    assert 'no time-out' in program.problem
    ros.wait(lambda: base.heard[-1] == 0.0)


def test_another_publisher_is_refused(ros: Any) -> None:
    other = ros.node('other')
    other.create_publisher(TwistStamped, 'cmd_vel', 10)
    ros.spin(other)
    with pytest.raises(StartError, match='another publisher, /other'):
        check(ros)
