"""Timers on the steady clock: a stopped /clock does not stop them."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer


def steady_timer(node: Node, seconds: float, callback: Callable[[], None]) -> Timer:
    """Call a function every so many wall-clock seconds, whatever use_sim_time says."""
    return node.create_timer(
        seconds, callback, clock=Clock(clock_type=ClockType.STEADY_TIME)
    )
