"""What teleop_compare.launch.py starts for a participant: the processes of one block at a time."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from navbench_gs.runner.plan import parse_scenes, parse_tasks
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.robot import load_robot
from s2e_nav.errors import StartError
from s2e_nav.launching import (
    NodeEntry,
    check_policy,
    check_scene,
    flag,
    named,
    number,
    settings,
    transport,
)
from s2e_nav.study.block_record import INPUTS
from s2e_nav.study.folder import StudyFolder
from s2e_policy.choice import Choice, choose_policy
from s2e_teleop.link import load_link
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.study.plan import ASSISTED, AUTONOMY, Block, Route, StudyPlan

PROTOCOL = 'default'
SCAN_PERIOD = 0.1
"""The simulator scans with each image, seconds."""


class StudyRun:
    """A participant's way through a study in the simulator."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Check the arguments.

        Args:
            values: Launch arguments by name.

        Raises:
            S2EError: An argument is wrong; the text says which.
        """
        self._values = values
        self.participant = number(values, 'participant')
        self.robot = load_robot(values['robot'])
        self._rules = load_protocol(PROTOCOL)
        self.plan = self._read_plan()
        # The simulator of a study draws the robot's camera.
        self.choice: Choice = choose_policy(values['policy'], self.robot)
        check_policy(self.choice.policy)
        for link in self.plan.links:
            load_link(link)
        # One for all blocks: the page comes back by itself.
        self._server: dict[str, Any] = {
            'host': values['host'], 'port': number(values, 'port'),
            'token': values['token'] or secrets.token_urlsafe(18),
            'certificate': values['tls_certificate'], 'key': values['tls_key'],
            'insecure': flag(values, 'insecure'), 'origins': values['origins'],
            'webrtc': values['webrtc'], 'ice_servers': values['ice_servers'],
        }
        if not self._server['port']:
            raise StartError('port:= must be fixed: the page comes back to it after each block')
        ServerConfig(**self._server).tls()
        self._blocks = self.plan.blocks(self.participant)
        self._folder = StudyFolder(Path(values['output']).expanduser().absolute())

    def claim(self) -> None:
        """Note the study in its folder.

        Raises:
            StartError: The folder holds another one.
        """
        self._folder.claim(self.plan, {
            'robot': self._values['robot'], 'policy': self.choice.policy,
            'protocol': self._rules.hash, **self._further(),
        })

    def check_domain(self) -> None:
        """Refuse to start beside another simulator.

        Raises:
            StartError: Another one runs on this domain.
        """
        from s2e_nav.sim.presence import check_domain

        check_domain()

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables to set; the traffic of a simulator stays on this machine."""
        return transport(environment, isolated=True)

    def remappings(self, executable: str) -> list[tuple[str, str]]:
        """Return the topic remappings of a process."""
        return []

    def left(self) -> list[Block]:
        """List the blocks that are not finished, in their order."""
        return [block for block in self._blocks if not self._is_over(block)]

    def _is_over(self, block: Block) -> bool:
        folder = self._folder.block(self.participant, block.condition)
        return folder.has_form and not block.without(folder.done()).routes

    def nodes(self, block: Block) -> list[NodeEntry]:
        """List the processes of a block; the one named study ends it."""
        folder = self._folder.block(self.participant, block.condition)
        left = block.without(folder.done())
        sim = self._sim(left, folder.root)
        study = {
            **{f'sim.{key}': value for key, value in sim.items()},
            'participant': self.participant, 'driver': block.condition.driver,
            'link': block.condition.link, 'block': block.number, 'blocks': len(self._blocks),
            'runs': len(block.routes), 'about': json.dumps(self._about(block)), **self._timed(),
            **self._world_of_study(),
        }
        entries = [self._teleop(block), NodeEntry('study', study)]
        # Broken off before the form: there is nothing to drive.
        return entries + self._world(block, sim) if left.routes else entries

    def _about(self, block: Block) -> dict[str, Any]:
        driver = block.condition.driver
        if driver == AUTONOMY:
            return {'kind': AUTONOMY, 'policy': self.choice.policy}
        assisted = driver == ASSISTED
        inputs = f'{INPUTS}; the gate a scan' if assisted else INPUTS
        return {'kind': 'person', 'inputs': inputs, 'assisted': assisted}

    def _teleop(self, block: Block) -> NodeEntry:
        parameters: dict[str, Any] = {
            'robot': self._values['robot'], 'link': block.condition.link, 'study': True,
            # The same top speed for everyone; who wants less has the slider.
            'session.steering.v_start': self._top(), **self._timed(),
            **{f'server.{key}': value for key, value in self._server.items()},
            **self._pictures(),
        }
        return NodeEntry('teleop', parameters, [settings('teleop')])

    def _top(self) -> float:
        return min(self.robot.v_max, self._rules.judge.v_max)

    def _read_plan(self) -> StudyPlan:
        values = self._values
        plan = StudyPlan(
            scenes=parse_scenes(shlex.split(values['scenes'])),
            tasks=parse_tasks(shlex.split(values['tasks'])), episodes=number(values, 'episodes'),
            **plan_of_people(values),
        )
        for scene in plan.scenes:
            check_scene(scene)
        return plan

    def _further(self) -> dict[str, Any]:
        """Return what else everyone must drive alike."""
        return {}

    def _timed(self) -> dict[str, Any]:
        return {'use_sim_time': True}

    def _pictures(self) -> dict[str, Any]:
        """Return how the page gets its pictures."""
        return {}

    def _world_of_study(self) -> dict[str, Any]:
        """Return what the study node must know of a world that is not simulated."""
        return {}

    def _sim(self, left: Block, output: Path) -> dict[str, Any]:
        values, plan = self._values, self.plan
        sim: dict[str, Any] = {
            'scenes': shlex.join(plan.scenes), 'tasks': shlex.join(plan.tasks),
            'episodes': plan.episodes, 'seed': plan.seed, 'robot': values['robot'],
            'protocol': PROTOCOL, 'mode': 'realtime', 'output': str(output), 'camera': 'robot',
            'image_width': number(values, 'image_width'),
            'image_height': number(values, 'image_height'),
            'scan': left.condition.driver == ASSISTED, 'practice': len(left.practice),
            'driver': left.condition.label, 'preview': True,
        }
        items = [_line(route) for route in (*left.practice, *left.routes)]
        return {**sim, 'items': items} if items else sim

    def _world(self, block: Block, sim: dict[str, Any]) -> list[NodeEntry]:
        """List simulator, policy, follower and gate."""
        robot, timed = self._values['robot'], {'mode': 'realtime', **self._timed()}
        person = block.condition.driver != AUTONOMY
        policy = {
            **timed, **named(self.choice), 'robot': robot, 'v_max': self._top(),
            # As in the benchmark the clock ends a run, nobody else.
            'mission.progress_timeout': 0.0, 'mission.approach_timeout': 0.0,
            'mission.outlives_driver': person,
        }
        gate = {
            **timed, 'robot': robot, 'gate.tick_period': 0.02,
            # Beside a person the policy only plans, for the comparison.
            'shadow': person,
        }
        if block.condition.driver == ASSISTED:
            gate |= {
                'gate.obstacles.source': 'scan', 'gate.obstacles.assist': True,
                'gate.obstacles.period': SCAN_PERIOD,
            }
        return [
            NodeEntry('sim_bridge', {**sim, **self._timed()}),
            NodeEntry('policy', policy, [settings('policy')]),
            NodeEntry('follower', {**timed, 'robot': robot}, [settings('follower')]),
            NodeEntry('gate', gate, [settings('gate')]),
        ]


def plan_of_people(values: Mapping[str, str]) -> dict[str, Any]:
    """Read what a plan says of drivers, links, practice and order.

    Raises:
        StartError: Something that should be a number is none.
    """
    return {
        'drivers': tuple(shlex.split(values['drivers'])),
        'links': tuple(shlex.split(values['links'])), 'practice': number(values, 'practice'),
        'seed': number(values, 'seed'),
    }


def _line(route: Route) -> str:
    return f'{route.task} {route.index} {route.scene}'
