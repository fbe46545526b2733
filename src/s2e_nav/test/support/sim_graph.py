"""A small world and the four nodes that drive through it, in one process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from numpy.typing import NDArray
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from navbench_gs.metrics.record import EpisodeLog, read_log
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec, PersonSpec
from s2e_core.se2 import Pose2
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.convert.poses import goal_message
from s2e_nav.nodes.follower import FollowerNode
from s2e_nav.nodes.gate import GateNode
from s2e_nav.nodes.policy import PolicyNode
from s2e_nav.nodes.sim_bridge import SimBridge
from s2e_nav.policies import LoadedPolicy
from s2e_nav.qos import LATCHED
from s2e_nav.sim import world as world_module


@dataclass(frozen=True)
class Room:
    """A walled square of 30 m with a grey floor ahead of the start."""

    collision: CollisionMap
    hash: str = 'room'
    kind: str = 'generated'
    seed: int = 1
    name: str = 'room'
    part: str = ''
    spawn: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    def cloud(self) -> GaussianCloud:
        axis = np.linspace(0.0, 8.0, 33)
        floor = np.stack([*np.meshgrid(axis, axis - 4.0), np.zeros((33, 33))], -1).reshape(-1, 3)
        count = len(floor)
        grey = np.random.default_rng(0).uniform(0.3, 0.7, (count, 1)).repeat(3, axis=1)
        return GaussianCloud.from_rgb(
            floor, np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)),
            np.tile([0.15, 0.15, 0.01], (count, 1)), np.full(count, 0.95), grey,
        )


def room() -> Room:
    occupancy = np.zeros((300, 300), bool)
    occupancy[[0, -1]] = occupancy[:, [0, -1]] = True
    height = np.zeros((300, 300), np.float32)
    return Room(CollisionMap(
        0.1, np.array([-15.0, -15.0]), occupancy, height, ~occupancy, np.zeros((0, 7), np.float32)
    ))


SPEC = EpisodeSpec(
    'room', 'room', 'coco', 'obstacle_pedestrian', 0, 11, Pose2(0.0, 0.0, 0.3), (4.0, 0.5), 4.1,
    4.0311, False, 25.0,
    obstacles=(ObstacleSpec('box', 3, 2.0, 2.5, 0.4, True),),
    people=(PersonSpec(5, (3.0, -3.0), (3.0, 3.0), 1.2, False),),
)


class Graph:
    """The four nodes of a simulated run in one process, each in its own thread.

    One episode, `SPEC` unless `spec` is another; None draws one by the protocol.
    """

    def __init__(
        self, ros, monkeypatch, tmp_path, policy, *, mode: str = 'lockstep',
        spec: EpisodeSpec | None = SPEC, scene: Room | None = None, **bridge: Any,
    ) -> None:
        self.ros, self.output = ros, tmp_path
        monkeypatch.setattr(
            world_module, 'resolve_scene', lambda name, progress=None: scene or room())
        if spec is not None:
            monkeypatch.setattr(world_module, 'sample_episode', lambda *args: spec)
        loaded = LoadedPolicy(policy, 'straight', 'none')
        self.bridge = ros.node(
            'sim_bridge', scenes='city:1', episodes=1, camera='policy', threads=1,
            output=str(tmp_path), mode=mode, **bridge,
        )
        self.programs: list[Any] = [SimBridge(self.bridge)]
        # As in the launch file: on the wall clock nodes take the world's time.
        common = {'mode': mode, 'use_sim_time': mode == 'realtime'}
        self.policy = PolicyNode(
            load=lambda *a, **k: loaded, context=ros.context,
            parameter_overrides=[Parameter(key, value=value) for key, value in common.items()],
        )
        self.programs += [
            self.policy, FollowerNode(ros.node('follower', **common)),
            GateNode(ros.node('gate', **common)),
        ]
        self.driver = ros.node('driver')
        self.goals = self.driver.create_publisher(PoseStamped, 'goal_pose', 10)
        self.results = ros.listen(self.driver, String, 'sim_bridge/result', LATCHED)
        self.policy_states = ros.listen(self.driver, DiagnosticStatus, 's2e/status', LATCHED)
        self.gate_states = ros.listen(self.driver, DiagnosticStatus, 's2e/gate', LATCHED)
        self.services = {
            name: self.driver.create_client(Trigger, f'sim_bridge/{name}')
            for name in ('next_episode', 'start')
        }
        for program in self.programs:
            ros.spin(program.node)
        ros.spin(self.driver)
        ros.wait(lambda: all(client.service_is_ready() for client in self.services.values()))

    def call(self, name: str) -> Trigger.Response:
        future = self.services[name].call_async(Trigger.Request())
        self.ros.wait(future.done)
        return future.result()

    def begin(self) -> dict:
        """Reset to the episode, set its goal and start it."""
        episode = json.loads(self.call('next_episode').message)

        def acknowledged() -> bool:
            heard = [states and status_values(states[-1])['goal_stamp']
                     for states in (self.policy_states, self.gate_states)]
            if heard == [str(episode['stamp_ns'])] * 2:
                return True
            self.goals.publish(goal_message(np.array(episode['goal']), episode['stamp_ns']))
            return False

        self.ros.wait(acknowledged)
        assert self.call('start').success
        return episode

    def result(self) -> dict:
        self.ros.wait(lambda: bool(self.results))
        return json.loads(self.results[-1].data)

    def log(self) -> EpisodeLog:
        """Wait for the end and read the episode back."""
        return read_log(Path(self.result()['path']))

    def close(self) -> None:
        for program in self.programs:
            program.close()


