"""Study: leads a participant through one block, run after run, and keeps what they drive."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from std_msgs.msg import String

from navbench_gs.tasks.protocol import load_protocol
from s2e_core.config import check, from_mapping, option, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.robot import load_robot
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import goal_message
from s2e_nav.episodes.sequence import Sequence
from s2e_nav.errors import ConversionError, StartError
from s2e_nav.parameters import declare
from s2e_nav.qos import CHANGES, LATCHED, RELIABLE
from s2e_nav.recorded import TOPICS
from s2e_nav.runtime.process import main_program
from s2e_nav.runtime.timers import steady_timer
from s2e_nav.sim.parameters import SimParameters
from s2e_nav.study.block_record import BlockRecord
from s2e_nav.study.flow import BlockFlow, BlockSize
from s2e_nav.study.folder import BlockFolder
from s2e_nav.study.outcome import result_text
from s2e_nav.study.robot_world import RobotWorld
from s2e_nav.study.routes import load_routes
from s2e_nav.study.run_record import RunRecord
from s2e_nav.study.sim_world import SimWorld
from s2e_nav.study.tape import Tape
from s2e_nav.study.world import Listener, Prepared, Result, World
from s2e_nav.teleop.study import ANSWER, CARD, object_from
from s2e_teleop.study.card import StudyCard
from s2e_teleop.study.plan import DRIVERS, PERSON, Condition
from s2e_teleop.study.workload import SCALES, Workload

PAUSE = 1.2
"""Between two runs, seconds: odometry that leaps sooner is a fault to the gate (1 s)."""
LINGER = 1.0
"""The last card has so long to reach the page, seconds."""


@dataclass(frozen=True)
class StudyParameters:
    """Parameters of the study node."""

    sim: SimParameters = SimParameters()
    participant: int = option(1, low=1, high=9999, help='Number of the participant.')
    driver: str = option(PERSON, choices=DRIVERS, help='Who drives.')
    link: str = option('none', help='Link profile, for the card and the record.')
    block: int = option(1, low=1, high=10000, help='Number of the block.')
    blocks: int = option(1, low=1, high=10000, help='Blocks of the participant.')
    runs: int = option(1, low=1, high=10000, help='Runs that count, earlier sessions included.')
    about: str = option('{}', help='More to keep in run.json, JSON.')
    routes: str = option('', help='File of the routes of a robot; the simulator when empty.')
    topics: tuple[str, ...] = option((), help='What is recorded; as in the simulator when empty.')
    start_timeout: float = option(
        120.0, unit='s', low=1, high=3600, help='Longest wait for the other nodes.'
    )

    def __post_init__(self) -> None:
        check(self, source='study parameters')


class StudyNode:
    """Asks the world for the runs, the participant for their start, and records each."""

    def __init__(self, node: Node) -> None:
        """Subscribe; the first run is prepared when the other nodes have been heard.

        Raises:
            S2EError: No folder was named, or the routes cannot be read.
        """
        self.node = node
        self.exit_code: int | None = None
        config = self._config = declare(node, StudyParameters)
        if not config.sim.output:
            raise StartError('study: the parameter sim.output must name a folder')
        self._condition = Condition(config.driver, config.link)
        self._folder = BlockFolder(Path(config.sim.output))
        self._flow = BlockFlow(*self._first_card())
        self._block = BlockRecord(
            self._folder, config.sim, self._condition.label, self._about(),
            'robot' if config.routes else 'realtime',
        )
        self._sequence = Sequence(config.start_timeout)
        self._goal, self._stamp = np.zeros(2), 0
        self._prepared: Prepared | None = None
        self._run: RunRecord | None = None
        self._ends_at: float | None = None
        self._pause_until = 0.0
        listener = Listener(self._on_prepared, self._on_started, self._on_over, self._fail)
        self._world: World = self._robot_world(listener) if config.routes else SimWorld(
            node, listener
        )
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        self._cards = node.create_publisher(String, CARD, LATCHED)
        # On a robot drivers send with the sensor profile, which a reliable listener misses.
        topics = [*(config.topics or TOPICS), f'{CARD} std_msgs/msg/String']
        self._tape = Tape(node, topics, reliable=not config.routes)
        self._subscribe()
        self._block.write(complete=False)
        if len(self._folder.done()) == config.runs:
            # Broken off before the form: nothing is left to drive.
            self._flow.exhausted()
        self._show()
        steady_timer(node, 0.05, self._each_tick)

    def close(self) -> None:
        """Leave what is finished; a run that was broken off is driven again."""
        self._tape.end()

    def _first_card(self) -> tuple[StudyCard, BlockSize]:
        config = self._config
        card = StudyCard(
            0, participant=config.participant, block=config.block, blocks=config.blocks,
            driver=config.driver, link=config.link, counted=bool(config.routes),
        )
        return card, BlockSize(
            config.sim.practice, config.runs, len(self._folder.done()),
            form=not self._folder.has_form, last=config.block == config.blocks,
        )

    def _about(self) -> dict[str, Any]:
        config = self._config
        return {
            **object_from(config.about), 'participant': config.participant,
            'driver': config.driver, 'link': config.link, 'block': config.block,
        }

    def _robot_world(self, listener: Listener) -> RobotWorld:
        sim = self._config.sim
        return RobotWorld(
            self.node, listener, load_routes(Path(self._config.routes)),
            [item.index for item in sim.route_items()] if sim.items else [], sim.practice,
            load_robot(sim.robot), load_protocol(sim.protocol), self._folder.root,
            self._condition.label,
        )

    def _subscribe(self) -> None:
        node = self.node
        node.create_subscription(String, ANSWER, self._on_answer, RELIABLE)
        node.create_subscription(DiagnosticStatus, 's2e/status', self._on_status, LATCHED)
        node.create_subscription(DiagnosticStatus, 's2e/gate', self._on_gate, CHANGES)
        node.create_subscription(DiagnosticStatus, 's2e/teleop', self._on_link, RELIABLE)

    def _each_tick(self) -> None:
        if self._ends_at is not None:
            if time.monotonic() >= self._ends_at:
                self.exit_code = 0
            return
        waits = self._flow.card.phase == 'form' or time.monotonic() < self._pause_until
        if self.exit_code is not None or waits:
            return
        step = self._sequence.step(bridge=self._world.ready, now_s=time.monotonic())
        if step == 'next':
            self._world.next()
        elif step == 'goal':
            self._goals.publish(goal_message(self._goal, self._stamp))
        elif step == 'start':
            self._world.start()
        elif step:
            self._fail(step)

    def _on_prepared(self, run: Prepared | None) -> None:
        self._prepared = run
        if run is None:
            self._flow.exhausted()
        else:
            self._flow.prepared(run.hint)
        self._show()

    def _on_answer(self, message: String) -> None:
        try:
            values = object_from(message.data)
        except ConfigError as error:
            self.node.get_logger().error(f'{ANSWER}: {error}')
            return
        if values.get('card') != self._flow.card.number:
            return
        action, phase = values.get('action'), self._flow.card.phase
        if action == 'form' and phase == 'form':
            self._take_form(values)
        elif action == 'start' and phase == 'ready':
            self._begin()
        elif phase == 'running':
            self._while_running(str(action))

    def _begin(self) -> None:
        """The participant has agreed to this run: record, and tell policy and gate the goal."""
        assert self._prepared is not None
        self._tape.begin(self._folder.begin(self._prepared.id, self._flow.practises))
        self._run = RunRecord()
        self._goal, self._stamp = self._world.begin()
        self._flow.started()
        self._show()
        self._sequence.ready(self._stamp)

    def _while_running(self, action: str) -> None:
        if action == 'resume':
            now = int(self.node.get_clock().now().nanoseconds)
            self._goals.publish(goal_message(self._goal, now))
        elif action == 'touched':
            self._world.touch()
        elif action == 'end':
            self._world.end()
        elif action == 'enough' and self._flow.practises and self._run is not None:
            # The bridge drops an episode that is not over when it is asked for the next. One that
            # has not begun yet must not be: its start is under way and would meet the next.
            if self._run.began and self._prepared is not None:
                self._keep(Result(self._prepared.id, 'ended', math.nan, 0),
                           'You ended the practice.')

    def _on_started(self, stamp_ns: int) -> None:
        if self._run is not None:
            self._run.world_began(stamp_ns, time.monotonic())

    def _on_over(self, result: Result) -> None:
        self._keep(result, result_text(result))

    def _keep(self, result: Result, text: str) -> None:
        """Put a run that is over into its place, and go on to the next."""
        route = self._prepared
        if self._run is None or route is None or result.id != route.id:
            return
        self._tape.end()
        practice = self._flow.practises
        record = {
            'id': result.id, 'practice': practice, 'outcome': result.outcome,
            'route': {'scene': route.scene, 'task': route.task, 'index': route.index},
            'participant': self._config.participant, 'driver': self._config.driver,
            'link_profile': self._config.link,
            # A robot's time is the wall's.
            **self._run.summary(
                time.monotonic(), math.nan if self._config.routes else result.duration
            ),
        }
        self._run = None
        path = self._folder.finish(result.id, practice, record)
        kind = 'practice' if practice else self._condition.label
        print(f'{kind}, {result.id}: {text} {path}', flush=True)
        self._flow.ended(text)
        self._show()
        self._sequence.over()
        self._pause_until = time.monotonic() + PAUSE
        self._block.write(complete=False)

    def _take_form(self, values: dict[str, Any]) -> None:
        answers = {name: values.get(name) for name in SCALES}
        try:
            load = from_mapping(Workload, answers, source=ANSWER)
        except ConfigError as error:
            self.node.get_logger().error(str(error))
            return
        path = self._folder.store_form(load, self._about())
        print(f'workload {load.raw:.1f} of 100: {path}', flush=True)
        self._flow.answered()
        self._show()

    def _show(self) -> None:
        self._cards.publish(String(data=json.dumps(to_mapping(self._flow.card))))
        if self._flow.is_over:
            self._block.write(complete=True)
            self._ends_at = time.monotonic() + LINGER

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        self._sequence.policy(values.get('state', ''), int(values.get('goal_stamp', 0)))

    def _on_gate(self, message: DiagnosticStatus) -> None:
        values = status_values(message)
        self._sequence.gate(int(values.get('goal_stamp', 0)))
        if self._run is not None:
            self._run.gate(int(self.node.get_clock().now().nanoseconds), values)

    def _on_link(self, message: DiagnosticStatus) -> None:
        if self._run is None:
            return
        try:
            self._run.link(status_values(message))
        except ConversionError as error:
            self.node.get_logger().error(str(error), throttle_duration_sec=5.0)

    def _fail(self, text: str) -> None:
        print(f'error: {text}', file=sys.stderr, flush=True)
        self.exit_code = 1


def main(args: list[str] | None = None) -> None:
    """Run the study node."""
    main_program(lambda: StudyNode(Node('study')), args)


if __name__ == '__main__':
    main()
