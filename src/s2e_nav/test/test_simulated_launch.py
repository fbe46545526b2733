"""Launch arguments of a simulated run: the processes they become, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2e_core.errors import S2EError
from s2e_nav.errors import StartError
from s2e_nav.launching import SimulatedRun, transport

SIMULATED = {
    'scene': '', 'scenes': 'city:0', 'task': '', 'tasks': 'empty', 'episodes': '3', 'seed': '0',
    'robot': 'coco', 'policy': 'straight', 'mode': 'lockstep', 'output': '',
    'protocol': 'default', 'camera': 'robot', 'image_width': '0', 'image_height': '0',
    'scan': 'true', 'goals': 'episode', 'film': 'true', 'record': 'true', 'isolated': 'true',
    'view': '', 'incidents': '', 'latency': '0.0', 'tracks': '', 'camera_every': '2',
    'tracks_fps': '0.0', 'tracks_scale': '1.0',
}


def test_a_run_lists_its_processes(tmp_path):
    run = SimulatedRun({**SIMULATED, 'record': 'false'}, tmp_path / 'run')
    nodes = {entry.executable: entry for entry in run.nodes()}
    assert set(nodes) == {'sim_bridge', 'policy', 'follower', 'gate', 'episode_runner'}
    assert nodes['sim_bridge'].parameters['scenes'] == 'city:0'
    assert nodes['episode_runner'].parameters['sim.output'] == str(tmp_path / 'run')
    assert nodes['policy'].parameters['v_max'] == 1.5
    assert all(Path(file).is_file() for entry in run.nodes() for file in entry.files)


@pytest.mark.parametrize(('changed', 'bundle', 'said'), [
    ({}, 's2e-small', 'lens of 90 degrees'),
    ({'robot': 'turtlebot4'}, 's2e-small-lens', 'lens of 69 degrees'),
    # Another size of picture is no other lens.
    ({'robot': 'turtlebot4', 'image_width': '640'}, 's2e-small-lens', 'lens of 69 degrees'),
    ({'robot': 'turtlebot4', 'camera': 'policy'}, 's2e-small', "the policy's own view"),
    ({'robot': 'turtlebot4', 'policy': 's2e-small', 'camera': 'policy'}, 's2e-small', 'as named'),
])
def test_a_run_takes_the_bundle_of_the_lens_it_draws(tmp_path, changed, bundle, said):
    run = SimulatedRun({**SIMULATED, 'policy': 'auto', **changed}, tmp_path / 'run')
    policy = next(entry.parameters for entry in run.nodes() if entry.executable == 'policy')
    assert policy['policy'] == bundle and said in policy['policy_choice']
    assert run.choice.lines == [f'policy: {policy["policy_choice"]}']


def test_delay_and_tracks_reach_the_world(tmp_path):
    """Both are part of the run: one as a condition, the other in the protocol's hash."""
    tracks = tmp_path / 'tracks.txt'
    tracks.write_text('\n'.join(f'{k} 1 {0.5 * k} 0.0' for k in range(30)))
    values = {**SIMULATED, 'latency': '0.25', 'tracks': str(tracks)}
    run = SimulatedRun(values, tmp_path / 'run')
    bridge = next(e.parameters for e in run.nodes() if e.executable == 'sim_bridge')
    assert (bridge['latency'], bridge['tracks']) == (0.25, str(tracks))
    config = run.config.run_config()
    assert config.conditions.latency == 0.25
    assert (config.protocol.name, config.protocol.recorded.tracks) == ('recorded', str(tracks))
    assert config.drawn == 'robot'
    told = SimulatedRun({**values, 'tracks_fps': '30.0', 'tracks_scale': '0.1'}, tmp_path / 'b')
    rules = told.config.run_config().protocol.recorded
    assert (rules.fps, rules.scale) == (30.0, 0.1)
    assert config.protocol.recorded.scale == 1.0 and config.protocol.hash != (
        told.config.run_config().protocol.hash)


def test_a_scene_with_a_blank_in_its_path_stays_one_scene(tmp_path):
    folder = tmp_path / 'my scan'
    folder.mkdir()
    run = SimulatedRun({**SIMULATED, 'scene': str(folder)}, tmp_path / 'run')
    assert run.config.run_config().scenes == (str(folder),)


@pytest.mark.parametrize(('name', 'value', 'text'), [
    ('film', 'perhaps', 'film:= must be true or false'),
    ('episodes', '2.5', 'episodes:= must be a whole number'),
    ('episodes', '0', 'episodes must be in 1'),
    ('scene', 'city:x', "'city:x' does not exist"),
    ('tasks', 'dance', "got 'dance'"),
    ('camera', 'thermal', "got 'thermal'"),
    ('view', 'gazebo', "got 'gazebo'"),
    ('scene', 'city:7@test', 'must be one of'),
    ('latency', 'late', 'latency:= must be seconds'),
    ('latency', '9', 'latency must be in'),
    ('tracks', '/no/such.txt', '/no/such.txt: tracks cannot be read'),
    ('tracks_fps', '30.0', 'need tracks, a recording of people'),
    ('tracks_scale', 'cm', 'tracks_scale:= must be metres per unit'),
    ('incidents', '/tmp/stops', 'incidents:= needs mode:=realtime'),
])
def test_a_wrong_argument_is_named(tmp_path, name, value, text):
    with pytest.raises(S2EError, match=text):
        SimulatedRun({**SIMULATED, name: value}, tmp_path / 'run')


def test_a_folder_with_something_in_it_is_not_written_into(tmp_path):
    (tmp_path / 'old.json').write_text('{}')
    with pytest.raises(StartError, match='is not empty'):
        SimulatedRun({**SIMULATED, 'output': str(tmp_path)}, tmp_path / 'run')


def test_what_the_user_set_wins_over_our_transport():
    wanted = transport({}, isolated=True)
    assert wanted['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert Path(wanted['FASTDDS_DEFAULT_PROFILES_FILE']).name == 'fastdds.xml'
    kept = transport({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}, isolated=True)
    assert 'ROS_AUTOMATIC_DISCOVERY_RANGE' not in kept


def test_a_simulator_on_the_wall_clock_dumps_incidents_too(tmp_path):
    values = {**SIMULATED, 'mode': 'realtime', 'incidents': str(tmp_path / 'stops')}
    nodes = {entry.executable: entry for entry in SimulatedRun(values, tmp_path / 'run').nodes()}
    assert nodes['incidents'].parameters == {
        'folder': str(tmp_path / 'stops'), 'use_sim_time': True
    }
