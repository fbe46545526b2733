"""One episode through ROS nodes and one without ROS: the same log to the byte."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.env import Simulation
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.runner.episode import run_episode
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.sensors import Drift
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec, PersonSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.control import ControlLoop
from s2e_core.robot import load_robot
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


def without_ros(protocol, policy: str) -> EpisodeLog:
    robot = load_robot('coco')
    rules = protocol.drift
    world = Simulation(
        room(), robot, camera=SMALL_CAMERA, threads=1,
        drift=Drift(rules.distance / 100.0, np.deg2rad(rules.yaw) / 10.0, rules.long_route),
    )
    world.reset(SPEC)
    loop = ControlLoop(StraightToGoal(1.5), robot)
    return run_episode(world, SPEC, loop, protocol, policy, look=world.image)


class Graph:
    """The four nodes of a simulated run in one process, each in its own thread."""

    def __init__(self, ros, monkeypatch, tmp_path, policy, **bridge) -> None:
        self.ros, self.output = ros, tmp_path
        monkeypatch.setattr(world_module, 'resolve_scene', lambda spec, progress=None: room())
        monkeypatch.setattr(world_module, 'sample_episode', lambda *args: SPEC)
        loaded = LoadedPolicy(policy, 'straight', 'none')
        self.bridge = ros.node(
            'sim_bridge', scenes='city:1', episodes=1, camera='policy', threads=1,
            output=str(tmp_path), **bridge,
        )
        self.programs = [SimBridge(self.bridge)]
        mode = {'mode': 'lockstep'}
        self.policy = PolicyNode(
            load=lambda *a, **k: loaded, context=ros.context,
            parameter_overrides=[Parameter('mode', value='lockstep')],
        )
        self.programs += [
            self.policy, FollowerNode(ros.node('follower', **mode)),
            GateNode(ros.node('gate', **mode)),
        ]
        self.driver = ros.node('driver')
        from diagnostic_msgs.msg import DiagnosticStatus
        from geometry_msgs.msg import PoseStamped

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

    def close(self) -> None:
        for program in self.programs:
            program.close()


def test_ros_and_no_ros_give_the_same_episode(ros, monkeypatch, tmp_path):
    protocol = load_protocol()
    expected = without_ros(protocol, 'straight')
    assert expected.outcome == Outcome.SUCCESS.value, 'the episode must be worth comparing'
    graph = Graph(ros, monkeypatch, tmp_path, StraightToGoal(1.5))
    graph.begin()
    result = graph.result()
    graph.close()
    text = (tmp_path / 'episodes' / f'{SPEC.id}.json').read_text()
    assert result['path'].endswith(f'{SPEC.id}.json')
    assert json.loads(text) == json.loads(expected.to_json())
    assert text == expected.to_json()


class Broken(StraightToGoal):
    """Raises at the third image."""

    count = 0

    def infer(self, observation):
        self.count += 1
        # One more answer is given at warm-up, before the drive.
        if self.count > 3:
            raise ValueError('no idea')
        return super().infer(observation)


def test_a_policy_that_raises_ends_the_episode_as_its_error(ros, monkeypatch, tmp_path):
    graph = Graph(ros, monkeypatch, tmp_path, Broken(1.5))
    graph.begin()
    result = graph.result()
    graph.close()
    assert (result['outcome'], result['detail']) == ('policy_error', 'ValueError: no idea')


def test_a_policy_that_goes_silent_stalls_the_episode(ros, monkeypatch, tmp_path):
    graph = Graph(ros, monkeypatch, tmp_path, StraightToGoal(1.5), stall_time=1.0)
    graph.begin()
    graph.ros.wait(lambda: status_values(graph.policy_states[-1])['image_stamp'] != '0')
    graph.policy.trigger_deactivate()
    result = graph.result()
    graph.close()
    assert result['outcome'] == 'policy_stalled', 'deactivated before the goal was reached'


def test_start_without_an_episode_is_refused(ros, monkeypatch, tmp_path):
    graph = Graph(ros, monkeypatch, tmp_path, StraightToGoal(1.5))
    response = graph.call('start')
    graph.close()
    assert not response.success and 'next_episode' in response.message


def test_a_second_simulator_on_the_domain_is_refused(ros, monkeypatch, tmp_path):
    from s2e_nav.errors import StartError

    graph = Graph(ros, monkeypatch, tmp_path, StraightToGoal(1.5))
    graph.ros.wait(lambda: graph.driver.count_publishers('/clock') == 1)
    other = ros.node('other', scenes='city:1')
    with pytest.raises(StartError, match='another simulator publishes /clock'):
        SimBridge(other)
    other.destroy_node()
    graph.close()
