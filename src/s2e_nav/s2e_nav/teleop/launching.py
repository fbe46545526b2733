"""What teleop.launch.py decides, as plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2e_core.robot import load_robot
from s2e_nav.launching import (
    NodeEntry,
    check_policy,
    check_scene,
    flag,
    number,
    settings,
    transport,
)
from s2e_nav.sim.parameters import SimParameters
from s2e_teleop.link import load_link
from s2e_teleop.server.config import ServerConfig

NO_POLICY = 'none'


class TeleopRun:
    """The processes of teleop.launch.py: the page alone, or with a gate, or a whole simulator."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Check the arguments.

        Raises:
            S2EError: An argument is wrong; the text says which.
        """
        self._values = values
        load_robot(values['robot'])
        load_link(values['link'])
        self._server: dict[str, Any] = {
            'host': values['host'], 'port': number(values, 'port'), 'token': values['token'],
            'certificate': values['tls_certificate'], 'key': values['tls_key'],
            'insecure': flag(values, 'insecure'), 'origins': values['origins'],
        }
        ServerConfig(**self._server).tls()
        self._simulated = bool(values['scene'])
        self._driven = values['policy'] != NO_POLICY
        if self._driven:
            check_policy(values['policy'])
        if self._simulated:
            check_scene(values['scene'])
            self._sim = self._sim_values()
            SimParameters(**self._sim).run_config()

    def check_domain(self) -> None:
        """Refuse to start a second simulator.

        Raises:
            StartError: Another one runs on this domain.
        """
        from s2e_nav.sim.presence import check_domain

        if self._simulated:
            check_domain()

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables to set; the traffic of a simulator stays on this machine."""
        return transport(environment, isolated=self._simulated)

    def remappings(self) -> list[tuple[str, str]]:
        """Return the topic remappings."""
        names = {
            'camera/image_raw': 'image', 'camera/image_raw/compressed': 'image_compressed',
            'camera/camera_info': 'camera_info', 'odom': 'odom', 'cmd_vel': 'cmd_vel',
            'battery_state': 'battery',
        }
        return [
            (topic, self._values[argument]) for topic, argument in names.items()
            if self._values[argument] != topic
        ]

    def nodes(self) -> list[NodeEntry]:
        """List the processes."""
        values = self._values
        robot = values['robot']
        timed = {'use_sim_time': self._simulated or flag(values, 'use_sim_time')}
        teleop: dict[str, Any] = {
            'robot': robot, 'link': values['link'], 'log': values['log'],
            'compressed': flag(values, 'compressed'), 'stamped': flag(values, 'stamped'),
            **{f'server.{key}': value for key, value in self._server.items()}, **timed,
        }
        entries = [NodeEntry('teleop', teleop, [settings('teleop')])]
        if self._simulated:
            entries += [NodeEntry('sim_bridge', {**self._sim, **timed}),
                        NodeEntry('free_drive', {})]
        if self._simulated or flag(values, 'gate'):
            # The simulator's odometry comes at 20 Hz, as its settings say; a robot's is faster.
            name = 'gate' if self._simulated else 'gate_robot'
            stamped = True if self._simulated else load_robot(robot).twist_stamped
            gate = {'robot': robot, 'stamped': stamped, **timed}
            entries.append(NodeEntry('gate', gate, [settings(name)]))
        if self._driven:
            policy = {'policy': values['policy'], 'v_max': load_robot(robot).v_max, **timed}
            entries += [
                NodeEntry('policy', policy, [settings('policy')]),
                NodeEntry('follower', {'robot': robot, **timed}, [settings('follower')]),
            ]
        return entries

    def _sim_values(self) -> dict[str, Any]:
        values = self._values
        output = values['output']
        return {
            'scenes': f"'{values['scene']}'", 'tasks': values['task'], 'episodes': 1000,
            'seed': number(values, 'seed'), 'robot': values['robot'], 'mode': 'realtime',
            'protocol': values['protocol'], 'scan': False,
            'output': str(Path(output).expanduser().absolute()) if output else '',
            'image_width': number(values, 'image_width'),
            'image_height': number(values, 'image_height'),
        }
