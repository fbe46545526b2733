"""A robot in a place as the world of a study: people put it to the start, odometry judges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import Twist, TwistStamped
from numpy.typing import NDArray
from rclpy.node import Node
from std_srvs.srv import Trigger

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.runner.plan import RunFolder, write_atomically
from navbench_gs.tasks.protocol import Protocol
from s2e_core.records import Odometry
from s2e_core.robot import RobotProfile
from s2e_nav.convert.commands import command_from_stamped, command_from_twist
from s2e_nav.odometry_input import listen_to_odometry
from s2e_nav.qos import SENSOR
from s2e_nav.study.route_judge import RouteJudge
from s2e_nav.study.routes import TASK, RouteBook
from s2e_nav.study.world import Listener, Prepared, Result
from s2e_teleop.study.plan import Route


class RobotWorld:
    """Takes the robot from route to route; each begins where it stands when it is started."""

    def __init__(
        self, node: Node, listener: Listener, book: RouteBook, routes: Sequence[int],
        practice: int, robot: RobotProfile, rules: Protocol, folder: Path, driver: str,
    ) -> None:
        """Subscribe.

        Args:
            node: Owner.
            listener: Whom to tell.
            book: The place's routes.
            routes: Numbers of the routes in their order, practice first.
            practice: How many of them are practice.
            robot: Limits and kind of the velocity.
            rules: Success and time.
            folder: The block's.
            driver: Name of who drives, for the logs.
        """
        self._listener, self._book, self._left = listener, book, list(routes)
        self._total, self._practice = len(routes), practice
        self._robot, self._rules, self._folder, self._driver = robot, rules, folder, driver
        self._odometry: Odometry | None = None
        self._index = -1
        self._judge: RouteJudge | None = None
        self._runs = False
        self._cancel: Any = node.create_client(Trigger, 'policy/cancel')
        listen_to_odometry(node, self._on_odometry, SENSOR)
        kind = TwistStamped if robot.twist_stamped else Twist
        node.create_subscription(kind, 'cmd_vel', self._on_velocity, SENSOR)

    @property
    def ready(self) -> bool:
        """Whether odometry was heard."""
        return self._odometry is not None

    def next(self) -> None:
        """Name the next route."""
        self._runs, self._judge = False, None
        if not self._left:
            self._listener.prepared(None)
            return
        self._index = self._left.pop(0)
        route = self._book.of(Route(self._book.place, TASK, self._index))
        hint = f'Put the robot to the start of "{route.name}" and turn it along the route.'
        self._listener.prepared(Prepared(
            f'{self._book.place}_{TASK}_{self._index:03d}', self._book.place, TASK, self._index,
            hint,
        ))

    def begin(self) -> tuple[NDArray[np.float64], int]:
        """The robot stands at the start: the goal lies as the route says, seen from there."""
        assert self._odometry is not None
        route = self._book.of(Route(self._book.place, TASK, self._index))
        self._judge = RouteJudge(
            route, self._book.place, self._index, self._robot.name, self._robot.v_max,
            self._rules, self._odometry,
        )
        return np.asarray(self._judge.goal, np.float64), self._odometry.stamp_ns

    def start(self) -> None:
        """Nothing waited: the robot may move since the policy has its goal."""
        assert self._judge is not None
        self._runs = True
        self._listener.started(self._judge.began_ns)

    def touch(self) -> None:
        """Count a collision."""
        if self._runs and self._judge is not None:
            self._judge.touch()

    def end(self) -> None:
        """End the run as one that did not arrive."""
        if self._runs and self._judge is not None:
            self._finish(Outcome.TIMED_OUT, f'ended by hand after {self._judge.duration:.1f} s')

    def _on_odometry(self, odometry: Odometry) -> None:
        self._odometry = odometry
        if self._runs and self._judge is not None:
            outcome = self._judge.observe(odometry)
            if outcome is not None:
                self._finish(outcome)

    def _on_velocity(self, message: TwistStamped | Twist) -> None:
        if self._judge is None:
            return
        if isinstance(message, TwistStamped):
            self._judge.command(command_from_stamped(message))
        else:
            self._judge.command(command_from_twist(message, 0))

    def _finish(self, outcome: Outcome, detail: str = '') -> None:
        judge = self._judge
        assert judge is not None
        self._runs, self._judge = False, None
        log = judge.finish(outcome, self._driver, detail)
        practised = self._total - len(self._left) <= self._practice
        folder = RunFolder(self._folder / 'practice' if practised else self._folder)
        write_atomically(folder.episode(log.spec.id), log.to_json())
        # Autonomy that has not arrived would go on.
        if self._cancel.service_is_ready():
            self._cancel.call_async(Trigger.Request())
        self._listener.over(Result(
            log.spec.id, outcome.value, judge.duration, judge.collisions
        ))
