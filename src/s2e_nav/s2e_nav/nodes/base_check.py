"""Measures a base's own time-out, with its wheels off the ground."""

from __future__ import annotations

import time
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.node import Node

from s2e_core.base_trial import BaseTrial, Phase, TrialConfig, TrialResult
from s2e_core.errors import S2EError
from s2e_core.records import Command
from s2e_nav.errors import StartError
from s2e_nav.gate.output import VelocityOutput
from s2e_nav.qos import SENSOR
from s2e_nav.runtime.timers import steady_timer

PERIOD = 0.05
"""Seconds between two commands."""
DISCOVERY = 1.0
"""Seconds in which other publishers of cmd_vel are found before anything moves."""
ZEROS = 10
"""Zeros that end a check, half a second of them."""


class BaseCheckNode:
    """Drives at a low speed, falls silent, and watches the odometry."""

    def __init__(self, config: TrialConfig, stamped: bool, **options: Any) -> None:
        """Begin at once.

        Args:
            config: Settings of the trials.
            stamped: Whether the base takes TwistStamped.
            options: Passed on to the node, such as a context.

        Raises:
            StartError: Someone else publishes on cmd_vel.
        """
        self.node = Node('base_check', **options)
        self._output = VelocityOutput(self.node, stamped)
        self._config, self._zeros, self._begin = config, 0, time.monotonic() + DISCOVERY
        self._trial: BaseTrial | None = None
        self.node.create_subscription(Odometry, 'odom', self._on_odometry, SENSOR)
        self._timer = steady_timer(self.node, PERIOD, self._on_tick)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 0 after trials that went well, 1 otherwise."""
        trial = self._trial
        if trial is None or not trial.over or self._zeros < ZEROS:
            return None
        return 0 if trial.phase is Phase.DONE else 1

    @property
    def results(self) -> list[TrialResult]:
        """Trials so far."""
        return [] if self._trial is None else self._trial.results

    @property
    def problem(self) -> str:
        """Why the check failed."""
        return '' if self._trial is None else self._trial.problem

    def close(self) -> None:
        """Leave the base with a zero, whatever happened."""
        self._send(0.0)

    def _on_odometry(self, message: Odometry) -> None:
        if self._trial is not None:
            self._trial.odometry(time.monotonic(), float(message.twist.twist.linear.x))

    def _on_tick(self) -> None:
        now = time.monotonic()
        if now < self._begin:
            return
        if self._trial is None:
            others = self._output.others()
            if others:
                raise StartError(
                    f'cmd_vel has another publisher, {others[0]}: stop it first, or it keeps the '
                    'base moving'
                )
            self._trial = BaseTrial(self._config, now)
        self._output.warn_about_other_type()
        speed = self._trial.command(now)
        if self._trial.over:
            self._zeros += 1
        if speed is not None:
            self._send(speed)

    def _send(self, speed: float) -> None:
        self._output.send(Command(self.node.get_clock().now().nanoseconds, speed, 0.0))


def check_base(config: TrialConfig, stamped: bool, arguments: list[str]) -> list[TrialResult]:
    """Run the check in this process.

    Args:
        config: Settings of the trials.
        stamped: Whether the base takes TwistStamped.
        arguments: ROS arguments, such as remappings.

    Raises:
        S2EError: The base did not do what it has to; the text says what.
    """
    from s2e_nav.runtime.process import run_program

    made: list[BaseCheckNode] = []

    def make() -> BaseCheckNode:
        made.append(BaseCheckNode(config, stamped))
        return made[0]

    code = run_program(make, arguments)
    if not made or code != 0 or len(made[0].results) < config.trials:
        raise S2EError(made[0].problem if made and made[0].problem else 'the check was broken off')
    return made[0].results
