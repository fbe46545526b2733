"""A gate that knows what is in the way, as a column of its own."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.metrics.record import read_log
from navbench_gs.report.read import inputs_of
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.gate_sense import GateSense
from navbench_gs.runner.plan import RunConfig, RunFolder
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.errors import ConfigError
from s2e_core.gate_config import GateConfig
from s2e_core.robot import load_robot


class Straight:
    """A factory of an agent that drives into what stands on the straight line."""

    name = 'straight'

    def __call__(self):
        return StraightToGoal()


def drive(tmp_path, hurry, source):
    """Return log and record of one episode with an obstacle on the straight line."""
    out = tmp_path / source
    config = RunConfig(('yard',), ('obstacle',), load_protocol(hurry), 'coco', episodes=1,
                       conditions=Conditions(gate_source=source))
    run_benchmark(config, Straight(), out)
    folder = RunFolder(out)
    log = read_log(next(folder.episodes.glob('*.json')))
    return log, json.loads(folder.record.read_text(encoding='utf-8'))


def test_a_gate_that_sees_the_obstacle_stops_before_it(tmp_path, only_yard, hurry):
    blind, record = drive(tmp_path, hurry, 'none')
    assert blind.contacts and 'gate' not in inputs_of(record) and record['conditions'] == {}
    log, record = drive(tmp_path, hurry, 'scan')
    assert not log.contacts
    assert max(log.ticks['v']) > 1.0 and abs(log.ticks['v'][-1]) < 0.05
    assert inputs_of(record).endswith('; the gate sees scan')
    assert record['conditions'] == {'gate_source': 'scan'}


def test_a_map_does_not_know_what_was_put_there(tmp_path, only_yard, hurry):
    known, _ = drive(tmp_path, hurry, 'occupancy')
    blind, _ = drive(tmp_path, hurry, 'none')
    assert np.array_equal(known.ticks['x'], blind.ticks['x'])


class World:
    """Nothing but a clock."""

    time_ns = 7
    bundle = SimpleNamespace(collision=SimpleNamespace(
        occupancy=np.zeros((1, 1), bool), origin=np.zeros(2), resolution=0.1))


def test_depth_becomes_a_scan_from_the_cameras_foot():
    """Level floor 0.6 m below a level camera, and a wall 3 m ahead of it."""
    camera, robot = CameraModel(192, 64, 96.0, 32.0, 96.0, 32.0), load_robot('coco')
    down = (np.arange(64) + 0.5 - 32.0) / 32.0
    floor = np.where(down > 0, 0.6 / np.maximum(down, 1e-9), np.inf)
    depth = np.repeat(np.minimum(floor, 3.0)[:, None], 192, axis=1)
    sense = GateSense('depth', World(), robot, camera, CameraMount(0.3, 0.0, 0.6, 0.0))
    scan = sense(depth)
    assert scan.stamp_ns == 7 and (scan.origin.x, scan.origin.y) == (0.3, 0.0)
    points = scan.points()
    assert len(points) > 80 and points[:, 0] == pytest.approx(3.3, abs=0.05)
    # 45 degrees to each side at 3 m, to the half of a bearing.
    assert points[:, 1].min() == pytest.approx(-3.0, abs=0.15)
    assert points[:, 1].max() == pytest.approx(3.0, abs=0.15)
    assert sense(None) is None


def test_settings_of_the_gate():
    assert Conditions().gate() == GateConfig()
    capped = Conditions(gate_source='free_space', gate_cap=0.5).gate()
    assert capped.speed_cap == 0.5 and capped.obstacles.camera_only
    with pytest.raises(ConfigError, match='gate_source'):
        Conditions(gate_source='sonar')
