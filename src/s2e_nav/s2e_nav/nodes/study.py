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
from std_srvs.srv import Trigger

from s2e_core.config import check, from_mapping, option, to_mapping
from s2e_core.errors import ConfigError
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
from s2e_nav.study.run_record import RunRecord
from s2e_nav.study.tape import Tape
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
    start_timeout: float = option(
        120.0, unit='s', low=1, high=3600, help='Longest wait for the other nodes.'
    )

    def __post_init__(self) -> None:
        check(self, source='study parameters')


class StudyNode:
    """Asks the bridge for the runs, the participant for their start, and records each."""

    def __init__(self, node: Node) -> None:
        """Subscribe; the first run is prepared when the other nodes have been heard.

        Raises:
            StartError: No folder was named.
        """
        self.node = node
        self.exit_code: int | None = None
        config = self._config = declare(node, StudyParameters)
        if not config.sim.output:
            raise StartError('study: the parameter sim.output must name a folder')
        self._condition = Condition(config.driver, config.link)
        self._folder = BlockFolder(Path(config.sim.output))
        done = len(self._folder.done())
        card = StudyCard(
            0, participant=config.participant, block=config.block, blocks=config.blocks,
            driver=config.driver, link=config.link,
        )
        size = BlockSize(
            config.sim.practice, config.runs, done, form=not self._folder.has_form,
            last=config.block == config.blocks,
        )
        self._flow = BlockFlow(card, size)
        about = {**object_from(config.about), 'participant': config.participant,
                 'driver': config.driver, 'link': config.link, 'block': config.block}
        self._block = BlockRecord(self._folder, config.sim, self._condition.label, about)
        self._sequence = Sequence(config.start_timeout)
        self._current: dict[str, Any] = {}
        self._run: RunRecord | None = None
        self._ends_at: float | None = None
        self._pause_until = 0.0
        self._next: Any = node.create_client(Trigger, 'sim_bridge/next_episode')
        self._start: Any = node.create_client(Trigger, 'sim_bridge/start')
        self._goals = node.create_publisher(PoseStamped, 'goal_pose', RELIABLE)
        self._cards = node.create_publisher(String, CARD, LATCHED)
        self._tape = Tape(node, [*TOPICS, f'{CARD} std_msgs/msg/String'], reliable=True)
        self._subscribe()
        self._block.write(complete=False)
        if done == config.runs:
            # Broken off before the form: nothing is left to drive.
            self._flow.exhausted()
        self._show()
        steady_timer(node, 0.05, self._each_tick)

    def close(self) -> None:
        """Leave what is finished; a run that was broken off is driven again."""
        self._tape.end()

    def _subscribe(self) -> None:
        node = self.node
        node.create_subscription(String, 'sim_bridge/result', self._on_result, LATCHED)
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
        step = self._sequence.step(
            bridge=self._next.service_is_ready() and self._start.service_is_ready(),
            now_s=time.monotonic(),
        )
        if step == 'next':
            self._next.call_async(Trigger.Request()).add_done_callback(self._on_next)
        elif step == 'goal':
            self._send_goal(self._current['stamp_ns'])
        elif step == 'start':
            self._begin()
        elif step:
            self._fail(step)

    def _send_goal(self, stamp_ns: int) -> None:
        self._goals.publish(goal_message(np.array(self._current['goal']), stamp_ns))

    def _on_next(self, future: Any) -> None:
        response = future.result()
        if not response.success:
            self._fail(response.message)
            return
        self._current = json.loads(response.message)
        if not self._current['done']:
            self._flow.prepared()
        elif self._current['skipped']:
            # Everyone must drive the same: a route that cannot be drawn is no route of a study.
            self._fail(f'a route cannot be driven: {self._current["skipped"][0]}')
            return
        else:
            self._flow.exhausted()
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
        if action == 'start' and phase == 'ready':
            self._tape.begin(self._folder.begin(self._current['id'], self._flow.practises))
            self._run = RunRecord()
            self._flow.started()
            self._show()
            self._sequence.ready(self._current['stamp_ns'])
        elif action == 'resume' and phase == 'running':
            self._send_goal(int(self.node.get_clock().now().nanoseconds))
        elif action == 'enough' and phase == 'running' and self._flow.practises:
            # The bridge drops an episode that is not over when it is asked for the next. One that
            # has not begun yet must not be: its start is under way and would meet the next.
            if self._run is not None and self._run.began:
                self._keep('ended', math.nan, 'You ended the practice.')
        elif action == 'form' and phase == 'form':
            self._take_form(values)

    def _begin(self) -> None:
        """Policy and gate know the goal: let the world move."""
        self._start.call_async(Trigger.Request()).add_done_callback(self._on_started)

    def _on_started(self, future: Any) -> None:
        response = future.result()
        if not response.success:
            self._fail(response.message)
        elif self._run is not None:
            self._run.world_began(self._current['stamp_ns'], time.monotonic())

    def _on_result(self, message: String) -> None:
        result = json.loads(message.data)
        if result['id'] == self._current.get('id'):
            scores = result['scores']
            text = result_text(result['outcome'], scores)
            self._keep(result['outcome'], float(scores['duration']), text)

    def _keep(self, outcome: str, simulated: float, text: str) -> None:
        """Put a run that is over into its place, and go on to the next."""
        if self._run is None:
            return
        self._tape.end()
        practice, identity = self._flow.practises, str(self._current['id'])
        record = {
            'id': identity, 'practice': practice, 'outcome': outcome,
            'route': {name: self._current[name] for name in ('scene', 'task', 'index')},
            'participant': self._config.participant, 'driver': self._config.driver,
            'link_profile': self._config.link,
            **self._run.summary(time.monotonic(), simulated),
        }
        self._run = None
        path = self._folder.finish(identity, practice, record)
        kind = 'practice' if practice else self._condition.label
        print(f'{kind}, {identity}: {text} {path}', flush=True)
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
        path = self._folder.store_form(load, {
            'participant': self._config.participant, 'driver': self._config.driver,
            'link_profile': self._config.link, 'block': self._config.block,
        })
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
