"""The processes of a block on a robot: those of robot.launch.py, the page, and the study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from s2e_nav.errors import StartError
from s2e_nav.launching import NodeEntry, RobotGraph, flag, number, transport
from s2e_nav.recorded import topics_of_robot
from s2e_nav.study.launching import PROTOCOL, StudyRun, plan_of_people
from s2e_nav.study.routes import TASK, RouteBook, load_routes
from s2e_teleop.study.plan import ASSISTED, AUTONOMY, PERSON, Block, StudyPlan

GRAPH = {
    'namespace': '', 'autostart': 'true', 'cmd_vel_follower': 'cmd_vel_nav',
    'goal_pose': 'goal_pose', 'gps_fix': 'gps/fix', 'gps_heading': 'gps/heading',
    'use_sim_time': 'false', 'record': '', 'incidents': '', 'shadow_log': '', 'view': '',
    'require_provider': '',
}
"""Arguments of robot.launch.py that a study fixes."""


class RobotStudy(StudyRun):
    """A participant's way through a study on a robot."""

    _book: RouteBook

    def check_domain(self) -> None:
        """A robot's domain is its own affair."""

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables to set; a robot's traffic may leave the machine."""
        return transport(environment, isolated=False)

    def remappings(self, executable: str) -> list[tuple[str, str]]:
        """Return the topic remappings of a process."""
        battery = self._values['battery']
        found = self._graph(AUTONOMY).remappings(executable)
        return found if battery == 'battery_state' else [*found, ('battery_state', battery)]

    def _read_plan(self) -> StudyPlan:
        self._path = Path(self._values['routes']).expanduser().absolute()
        self._book = load_routes(self._path)
        plan = StudyPlan(
            scenes=(self._book.place,), tasks=(TASK,), episodes=len(self._book.routes),
            **plan_of_people(self._values),
        )
        if plan.practice > len(self._book.practice):
            raise StartError(
                f'practice:= {plan.practice}, but {self._path} has {len(self._book.practice)} '
                'routes for practice'
            )
        if ASSISTED in plan.drivers and self._values['obstacles'] == 'none':
            raise StartError(
                'drivers:= names assisted, but obstacles:= is none: name what shows the gate '
                'obstacles, or drivers:="autonomy person"'
            )
        return plan

    def _further(self) -> dict[str, Any]:
        return {'routes': [[route.name, route.x, route.y] for route in self._book.routes]}

    def _timed(self) -> dict[str, Any]:
        return {}

    def _pictures(self) -> dict[str, Any]:
        return {'compressed': flag(self._values, 'compressed')}

    def _world_of_study(self) -> dict[str, Any]:
        topics = topics_of_robot(self.robot.twist_stamped, flag(self._values, 'compressed'))
        return {'routes': str(self._path), 'topics': topics}

    def _sim(self, left: Block, output: Path) -> dict[str, Any]:
        """Return what run.json and the order of the routes need; nothing is simulated."""
        sim: dict[str, Any] = {
            'scenes': self._book.place, 'tasks': TASK, 'episodes': self.plan.episodes,
            'seed': self.plan.seed, 'robot': self._values['robot'], 'protocol': PROTOCOL,
            'output': str(output), 'practice': len(left.practice),
            'driver': left.condition.label,
        }
        routes = (*left.practice, *left.routes)
        items = [f'{route.task} {route.index} {route.scene}' for route in routes]
        return {**sim, 'items': items} if items else sim

    def _graph(self, driver: str) -> RobotGraph:
        names = ('robot', 'policy', 'compressed', 'image', 'image_compressed', 'camera_info',
                 'odom', 'cmd_vel', 'stamped', 'params', 'obstacles', 'scan', 'depth',
                 'depth_info', 'map')
        values = {**GRAPH, **{name: self._values[name] for name in names}}
        if driver == PERSON:
            values['obstacles'] = 'none'
        return RobotGraph({**values, 'shadow': 'false' if driver == AUTONOMY else 'true'})

    def _world(self, block: Block, sim: dict[str, Any]) -> list[NodeEntry]:
        driver = block.condition.driver
        entries = self._graph(driver).nodes()
        gate = {'gate.obstacles.assist': True} if driver == ASSISTED else {}
        # The recording of each run holds what the shadow node would log.
        return [
            replace(item, respawn=False, parameters={
                **item.parameters, **(gate if item.executable == 'gate' else {}),
            })
            for item in entries if item.executable != 'shadow'
        ]


def study_of(values: Mapping[str, str]) -> StudyRun:
    """Return the study that the arguments describe: on a robot where routes are named.

    Raises:
        S2EError: An argument is wrong.
    """
    number(values, 'participant')
    return RobotStudy(values) if values['routes'] else StudyRun(values)
