"""What teleop.launch.py starts, and what it refuses before anything was started."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from s2e_core.errors import S2EError
from s2e_nav.teleop.launching import TeleopRun

LAUNCH = Path(__file__).resolve().parents[3] / 'launch' / 'teleop.launch.py'


def arguments(**changed: str) -> dict[str, str]:
    """The defaults of the launch file, with some changed."""
    tree = ast.parse(LAUNCH.read_text(encoding='utf-8'))
    table = next(
        node.value for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS'
    )
    values = {name: value for name, value, _ in ast.literal_eval(table)}
    unknown = set(changed) - set(values)
    assert not unknown
    return {**values, **changed}


def run(tmp_path, **changed: str) -> TeleopRun:
    return TeleopRun(arguments(**changed), tmp_path / 'run')


def test_beside_a_robot_only_the_page_starts(tmp_path):
    entries = run(tmp_path, image_compressed='oak/compressed').nodes()
    assert [entry.executable for entry in entries] == ['teleop']
    parameters = entries[0].parameters
    assert parameters['server.host'] == '127.0.0.1' and parameters['use_sim_time'] is False
    assert run(tmp_path, image_compressed='oak/compressed').remappings() == [
        ('camera/image_raw/compressed', 'oak/compressed')
    ]


def test_a_gate_comes_on_request_and_speaks_as_the_base_wants(tmp_path):
    entries = run(tmp_path, gate='true', robot='turtlebot4').nodes()
    assert [entry.executable for entry in entries] == ['teleop', 'gate']
    assert entries[1].respawn and entries[1].parameters['robot'] == 'turtlebot4'


def test_a_scene_brings_a_whole_simulator_in_real_time(tmp_path):
    started = run(tmp_path, scene='city:7', policy='auto')
    nodes = {entry.executable: entry.parameters for entry in started.nodes()}
    assert {'teleop', 'sim_bridge', 'policy', 'follower', 'gate', 'episode_runner'} <= set(nodes)
    assert nodes['sim_bridge']['mode'] == 'realtime' and nodes['sim_bridge']['goals'] == 'user'
    assert nodes['teleop']['use_sim_time'] is True
    assert nodes['policy']['policy'] == 's2e-small'
    assert started.notes == [f'policy: {nodes["policy"]["policy_choice"]}']
    assert not run(tmp_path).notes
    environment = started.environment({})
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert 'ROS_AUTOMATIC_DISCOVERY_RANGE' not in run(tmp_path).environment({})


@pytest.mark.parametrize(
    ('changed', 'word'),
    [
        ({'host': '0.0.0.0'}, 'open to other machines'),
        ({'token': 'abc'}, '12 characters'),
        ({'port': 'high'}, 'whole number'),
        ({'port': '70000'}, 'port must be in'),
        ({'link': 'string'}, 'string.yaml not found'),
        ({'robot': 'r2d2'}, 'r2d2.yaml not found'),
        ({'insecure': 'maybe'}, 'true or false'),
        ({'scene': 'nowhere'}, 'does not exist'),
        ({'tls_certificate': 'a.pem'}, 'belong together'),
        ({'webrtc': 'yes'}, 'webrtc must be one of'),
        ({'ice_servers': 'relay.lan'}, 'ice_servers: must be like'),
    ],
)
def test_what_is_wrong_is_named_before_anything_starts(tmp_path, changed, word):
    with pytest.raises(S2EError, match=word):
        run(tmp_path, **changed)
