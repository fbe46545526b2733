"""A soak from start to verdict."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from s2e_core.config import check, option
from s2e_core.paths import find_resource
from s2e_core.robot import TopicOptions, load_robot
from s2e_nav.errors import StartError
from s2e_nav.faults.domains import own_domain
from s2e_nav.faults.processes import PEERS
from s2e_nav.faults.robot import SyntheticRobot
from s2e_nav.launching import transport
from s2e_nav.soak.meter import Heartbeat, Meter
from s2e_nav.soak.stack import LaunchedStack
from s2e_nav.soak.table import Row, column, processes, write_csv
from s2e_nav.soak.verdict import Table, Verdict, judge
from s2e_nav.soak.watch import SoakWatch

LOOKS = 12
"""Looks at each process during a row."""
ROWS = 60
"""Rows of a soak, unless they would be shorter or longer than these, seconds."""
ROW = (5.0, 60.0)
PATIENCE = 120.0
"""Longest wait for the nodes, seconds."""
CSV, LOG = 'soak.csv', 'launch.log'


@dataclass(frozen=True)
class SoakConfig:
    """What is soaked, and for how long."""

    minutes: float = option(60.0, unit='min', low=0.1, high=10_000, help='Length.')
    policy: str = option('s2e-small', help='Policy bundle by name or path, or straight.')
    robot: str = option('coco', help='Robot profile by name or path.')
    seed: int = option(0, low=0, high=2**31 - 1, help='Seed of the goals.')

    def __post_init__(self) -> None:
        check(self, source='soak')

    @property
    def row(self) -> float:
        """Length of a row, seconds."""
        return min(max(60.0 * self.minutes / ROWS, ROW[0]), ROW[1])


@dataclass(frozen=True)
class Soak:
    """What came of it."""

    table: Table
    verdicts: list[Verdict]
    provider: str
    """ONNX execution provider that was in use."""


def run_soak(config: SoakConfig, folder: Path, tell: Callable[[str], None]) -> Soak:
    """Drive from goal to goal beside a robot of numbers; Ctrl-C ends early and keeps the rest.

    Called in the main thread: it takes over SIGINT and SIGTERM.

    Args:
        config: What and how long.
        folder: Folder for the table, the log and incidents; made here.
        tell: Shows how it goes.

    Raises:
        StartError: The folder is not empty, or the nodes do not come up.
        S2EError: No such robot.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StartError(f'{folder} is not empty; name a new folder')
    folder.mkdir(parents=True, exist_ok=True)
    # Told to end in either way, also in the background of a script, where SIGINT is ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with own_domain() as domain:
        # Before the first participant of this process: the same transport as the nodes'. Whatever
        # the user's environment connects must not hear what is driven here.
        for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'ROS_AUTOMATIC_DISCOVERY_RANGE', *PEERS):
            os.environ.pop(name, None)
        os.environ.update(transport(os.environ, isolated=True), ROS_DOMAIN_ID=str(domain))
        words = [
            str(find_resource('launch/robot.launch.py')), f'robot:={config.robot}',
            f'policy:={config.policy}', f'incidents:={folder / "incidents"}', 'stamped:=true',
            # The robot of numbers speaks on the standard names, whichever profile is driven.
            *(f'{name}:={topic}' for name, topic in vars(TopicOptions()).items()),
        ]
        with _watching(config, domain) as watch:
            stack = LaunchedStack(words, os.environ, folder / LOG)
            table: list[dict[str, float | str]] = []
            try:
                _wait_ready(watch, stack)
                for row in _rows(config, watch, stack):
                    table.append(row.values())
                    write_csv(folder / CSV, table)
                    tell(_line(table))
            finally:
                stack.stop()
        return Soak(table, judge(table, stack.restarts, config.minutes), watch.provider)


@contextmanager
def _watching(config: SoakConfig, domain: int) -> Iterator[SoakWatch]:
    """Bring up robot and watcher in this process."""
    profile = load_robot(config.robot)
    context = rclpy.Context()
    rclpy.init(args=[], context=context, domain_id=domain)
    node = Node('soak', context=context)
    robot = SyntheticRobot(
        node, profile.base_timeout or 0.5, sim_time=False, camera=profile.camera.model()
    )
    watch = SoakWatch(node, config.seed)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor,), name='soak', daemon=True)
    thread.start()
    robot.start()
    try:
        yield watch
    finally:
        robot.stop()
        executor.shutdown()
        thread.join(5.0)
        node.destroy_node()
        context.try_shutdown()


def _spin(executor: SingleThreadedExecutor) -> None:
    with suppress(ExternalShutdownException):
        executor.spin()


def _wait_ready(watch: SoakWatch, stack: LaunchedStack) -> None:
    deadline = time.monotonic() + PATIENCE
    while not watch.is_ready:
        if stack.ended or time.monotonic() > deadline:
            raise StartError(f'the nodes do not come up:\n{stack.said()}')
        # Nothing is measured yet; the nodes' start has no event in this process.
        time.sleep(0.1)


def _rows(config: SoakConfig, watch: SoakWatch, stack: LaunchedStack) -> Iterator[Row]:
    """Yield a row at the end of each, until the time is over, Ctrl-C, or launch has ended."""
    meter, heartbeat = Meter(), Heartbeat()
    heartbeat.start()
    begun = time.monotonic()
    watch.begin()
    try:
        for number in range(1, round(60.0 * config.minutes / config.row) + 1):
            over = False
            try:
                for look in range(LOOKS + 1):
                    due = begun + config.row * (number - 1 + look / LOOKS)
                    time.sleep(max(0.0, due - time.monotonic()))
                    meter.look(stack.pids, time.monotonic())
            except KeyboardInterrupt:
                over = True
            counts, stages = watch.take()
            minutes = (time.monotonic() - begun) / 60.0
            yield Row(minutes, meter.take(), counts, stages, heartbeat.take())
            if over or stack.ended:
                return
    finally:
        heartbeat.stop()


def _line(table: Table) -> str:
    row = table[-1]
    memory = ', '.join(f'{name} {row[f"{name}_rss_mb"]:.0f} MB' for name in processes([row]))
    reached, goals = (column(table, name).sum() for name in ('reached', 'goals'))
    return (
        f'{row["minutes"]:.1f} min: {reached:.0f} of {goals:.0f} goals; {memory}; '
        f'{row["plans_late"]} of {row["plans"]} plans late'
    )
