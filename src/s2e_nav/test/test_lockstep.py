"""One episode through ROS nodes and one without ROS: the same log to the byte."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest
from sim_graph import SPEC, Graph, room

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.env import Simulation
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.runner import bench as bench_module
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.plan import RunConfig
from navbench_gs.runner.run import run_benchmark
from navbench_gs.sensors import Drift
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.camera import SMALL_CAMERA
from s2e_core.control import ControlLoop
from s2e_core.paths import find_config
from s2e_core.robot import load_robot
from s2e_nav.convert.diagnostics import status_values
from s2e_nav.nodes.sim_bridge import SimBridge


class Straight:
    """Makes the agent for runs without ROS."""

    name = 'straight'

    def __call__(self) -> StraightToGoal:
        return StraightToGoal(1.5)


def without_ros(
    protocol, policy: str, latency: float = 0.0, agent: StraightToGoal | None = None
) -> EpisodeLog:
    robot = load_robot('coco')
    rules = protocol.drift
    world = Simulation(
        room(), robot, camera=SMALL_CAMERA, threads=1, latency=latency,
        drift=Drift(rules.distance / 100.0, np.deg2rad(rules.yaw) / 10.0, rules.long_route),
    )
    world.reset(SPEC)
    loop = ControlLoop(agent or StraightToGoal(1.5), robot)
    return run_episode(world, SPEC, loop, protocol, policy, look=world.image)


@pytest.mark.parametrize('latency', [0.0, 0.2])
def test_ros_and_no_ros_give_the_same_episode(ros, monkeypatch, tmp_path, latency):
    protocol = load_protocol()
    expected = without_ros(protocol, 'straight', latency)
    assert expected.outcome == Outcome.SUCCESS.value, 'the episode must be worth comparing'
    # The base moves so much later: 0.2 s are four ticks.
    first = np.flatnonzero(expected.ticks['v'] > 0.01)[0]
    assert first == pytest.approx(1 + latency / 0.05, abs=1)
    graph = Graph(ros, monkeypatch, tmp_path, StraightToGoal(1.5), latency=latency)
    graph.begin()
    result = graph.result()
    graph.close()
    text = (tmp_path / 'episodes' / f'{SPEC.id}.json').read_text()
    assert result['path'].endswith(f'{SPEC.id}.json')
    assert json.loads(text) == json.loads(expected.to_json())
    assert text == expected.to_json()


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    """Name a protocol of short routes and a recording: six people cross a square, at 2.5 fps."""
    rows = [
        f'{frame} {person} {sign * (0.48 * frame - 7.0 - person):.3f} {2.0 * person - 5.0:.3f}'
        for frame in range(60) for person in range(6) for sign in [1 if person % 2 else -1]
    ]
    (tmp_path / 'tracks.txt').write_text('\n'.join(rows))
    monkeypatch.setenv('S2E_TRACKS', str(tmp_path / 'tracks.txt'))
    text = find_config('navbench/recorded.yaml').read_text().replace('fps: 0.0 ', 'fps: 2.5 ')
    text += 'route: {geodesic_low: 5.0, geodesic_high: 8.0, corner_share: 0.0}\n'
    (tmp_path / 'short.yaml').write_text(text)
    return tmp_path / 'short.yaml'


def test_recorded_people_walk_the_same_through_ros(ros, monkeypatch, tmp_path, recorded):
    """From the file of tracks to the episode's: the protocol is read and drawn by both."""
    spots = np.random.default_rng(0).uniform(-9.0, 9.0, (60, 2))
    scene = dataclasses.replace(room(), spawn=spots)
    monkeypatch.setattr(bench_module, 'resolve_scene', lambda name: scene)
    protocol = load_protocol(recorded)
    config = RunConfig(('city:1',), ('pedestrian',), protocol, 'coco', episodes=1,
                       conditions=Conditions(latency=0.1))
    run_benchmark(config, Straight(), tmp_path / 'free')
    [free] = (tmp_path / 'free' / 'episodes').iterdir()
    graph = Graph(
        ros, monkeypatch, tmp_path / 'ros', StraightToGoal(1.5), spec=None, scene=scene,
        protocol=str(recorded), tasks='pedestrian', latency=0.1,
    )
    graph.begin()
    log = graph.log()
    graph.close()
    assert log.protocol == protocol.hash
    assert {person.behaviour for person in log.spec.people} == {'recorded'}
    assert np.isfinite(log.ticks['person_gap']).any(), 'somebody must be there'
    assert len(log.ticks['x']) > 60
    assert (tmp_path / 'ros' / 'episodes' / free.name).read_bytes() == free.read_bytes()


class Broken(StraightToGoal):
    """Answers three images and then does what is named."""

    def __init__(self, fault: str, warm_up: int = 1) -> None:
        super().__init__(1.5)
        self.fault, self.count = fault, -warm_up

    def infer(self, observation):
        self.count += 1
        output = super().infer(observation)
        if self.count <= 3:
            return output
        if self.fault == 'raises':
            raise ValueError('no idea')
        if self.fault == 'quits':
            raise SystemExit(3)
        if self.fault == 'sleeps':
            time.sleep(0.3)
            return output
        return dataclasses.replace(output, modes=output.modes * np.nan)


@pytest.mark.parametrize(('fault', 'detail'), [
    ('raises', 'ValueError: no idea'), ('quits', 'SystemExit: 3'),
    ('answers NaN', 'modes hold a value that is not finite'),
])
def test_a_policy_that_fails_ends_the_episode_as_its_error(
    ros, monkeypatch, tmp_path, fault, detail
):
    graph = Graph(ros, monkeypatch, tmp_path, Broken(fault))
    graph.begin()
    result = graph.result()
    graph.close()
    assert (result['outcome'], result['detail']) == ('policy_error', detail)
    assert result['scores']['cause'] == 'policy error'
    # Images come every 0.2 s: the fourth at 0.6 s.
    assert result['scores']['duration'] == pytest.approx(0.6)
    expected = without_ros(load_protocol(), 'straight', agent=Broken(fault, warm_up=0))
    assert Path(result['path']).read_text() == expected.to_json()


def test_a_policy_that_sleeps_costs_nothing_where_the_world_waits(ros, monkeypatch, tmp_path):
    expected = without_ros(load_protocol(), 'straight')
    graph = Graph(ros, monkeypatch, tmp_path, Broken('sleeps'))
    graph.begin()
    log = graph.log()
    graph.close()
    assert log.to_json() == expected.to_json()


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
