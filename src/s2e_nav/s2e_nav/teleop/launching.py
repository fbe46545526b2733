"""What teleop.launch.py decides, as plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2e_core.robot import TopicOptions, load_robot
from s2e_nav.launching import (
    NodeEntry,
    SimulatedRun,
    flag,
    number,
    settings,
    transport,
    with_topics,
)
from s2e_teleop.link import load_link
from s2e_teleop.server.config import ServerConfig

SIMULATOR = {
    # Nobody drives a world that waits or runs ahead; where to is the driver's business.
    'mode': 'realtime', 'goals': 'user', 'episodes': '1', 'protocol': 'default',
    'camera': 'robot', 'camera_every': '2', 'scan': 'false', 'film': 'false', 'isolated': 'true',
    'view': '', 'scenes': '', 'tasks': '', 'incidents': '', 'latency': '0.0',
    'tracks': '', 'tracks_fps': '0.0', 'tracks_scale': '1.0',
}
"""Arguments of navbench_sim.launch.py that a driver's simulator fixes."""


class TeleopRun:
    """The processes of teleop.launch.py: the page alone, with a gate, or with a simulator."""

    def __init__(self, values: Mapping[str, str], default_output: Path) -> None:
        """Check the arguments.

        Args:
            values: Launch arguments by name.
            default_output: Folder of a simulated run if none is named.

        Raises:
            S2EError: An argument is wrong; the text says which.
        """
        self._robot = load_robot(values['robot'])
        # A simulator is none of the maker's robots: its topics have the standard names.
        topics = TopicOptions() if values['scene'] else self._robot.topics
        values = with_topics(values, topics)
        self._values = values
        load_link(values['link'])
        self._server: dict[str, Any] = {
            'host': values['host'], 'port': number(values, 'port'), 'token': values['token'],
            'certificate': values['tls_certificate'], 'key': values['tls_key'],
            'insecure': flag(values, 'insecure'), 'origins': values['origins'],
            'webrtc': values['webrtc'], 'ice_servers': values['ice_servers'],
        }
        ServerConfig(**self._server).tls()
        self._simulator: SimulatedRun | None = None
        if values['scene']:
            self._simulator = SimulatedRun({**values, **SIMULATOR}, default_output)

    @property
    def notes(self) -> list[str]:
        """What to print about the policy of the simulator, if there is one."""
        return [] if self._simulator is None else self._simulator.choice.lines

    def check_domain(self) -> None:
        """Refuse to start a second simulator.

        Raises:
            StartError: Another one runs on this domain.
        """
        if self._simulator is not None:
            self._simulator.check_domain()

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables to set; the traffic of a simulator stays on this machine."""
        return transport(environment, isolated=self._simulator is not None)

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
        simulated = self._simulator is not None
        timed = {'use_sim_time': simulated or flag(values, 'use_sim_time')}
        teleop: dict[str, Any] = {
            'robot': values['robot'], 'link': values['link'], 'log': values['log'],
            'compressed': flag(values, 'compressed'), 'stamped': flag(values, 'stamped'),
            **{f'server.{key}': value for key, value in self._server.items()}, **timed,
        }
        entries = [NodeEntry('teleop', teleop, [settings('teleop')])]
        if self._simulator is not None:
            return entries + self._simulator.nodes()
        if flag(values, 'gate'):
            gate = {'robot': values['robot'], 'stamped': self._robot.twist_stamped, **timed}
            entries.append(NodeEntry('gate', gate, [settings('gate_robot')], respawn=True))
        return entries
