"""Launch arguments of a robot: processes, remappings and parameters, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from s2e_core.errors import S2EError
from s2e_nav.errors import StartError
from s2e_nav.launching import RobotGraph
from s2e_nav.misspelt import misspelt

ROBOT = {
    'robot': 'turtlebot4', 'policy': 'straight', 'namespace': '', 'autostart': 'true',
    'compressed': 'true', 'image': '/oak/image', 'odom': 'odom', 'cmd_vel': '/base/cmd',
    'image_compressed': 'camera/image_raw/compressed', 'camera_info': 'camera/camera_info',
    'obstacles': 'none', 'scan': 'scan', 'depth': 'depth/image_raw',
    'depth_info': 'depth/camera_info', 'map': 'map',
    'cmd_vel_follower': 'cmd_vel_nav', 'goal_pose': 'goal_pose', 'gps_fix': 'gps/fix',
    'gps_heading': 'gps/heading',
    'stamped': 'false', 'require_provider': '',
    'use_sim_time': 'false', 'record': '', 'incidents': '', 'shadow': 'false',
    'shadow_log': '', 'view': '', 'params': '',
}


def test_the_robot_graph_remaps_and_speaks_the_base_s_language():
    graph = RobotGraph(ROBOT)
    remapped = [('camera/image_raw', '/oak/image'), ('cmd_vel', '/base/cmd')]
    assert all(graph.remappings(entry.executable) == remapped for entry in graph.nodes())
    nodes = {entry.executable: entry.parameters for entry in graph.nodes()}
    assert nodes['gate']['stamped'] is False and nodes['policy']['compressed'] is True
    assert set(nodes) == {'policy', 'follower', 'gate'}


def test_the_robot_graph_takes_the_bundle_of_the_lens_and_warns_of_another():
    graph = RobotGraph({**ROBOT, 'policy': 'auto'})
    policy = next(entry.parameters for entry in graph.nodes() if entry.executable == 'policy')
    assert policy['policy'] == 's2e-small-lens'
    assert policy['policy_choice'].startswith('lens of 69 degrees, 73% of the view: s2e-small-l')
    wrong = RobotGraph({**ROBOT, 'policy': 's2e-small'})
    policy = next(entry.parameters for entry in wrong.nodes() if entry.executable == 'policy')
    assert policy['policy'] == 's2e-small'
    assert wrong.choice.lines[1].startswith('WARNING: lens of 69 degrees')
    assert 'WARNING: lens of 69 degrees' in policy['policy_choice']


def test_topics_that_nobody_names_are_the_robot_s_own():
    """Of the profile; an argument wins, and goals and maps are nobody's driver."""
    values = {**ROBOT, 'image': '', 'camera_info': '', 'cmd_vel': '', 'odom': '/wheels'}
    remapped = dict(RobotGraph(values).remappings('policy'))
    assert remapped == {
        'camera/image_raw': 'oakd/rgb/preview/image_raw',
        'camera/camera_info': 'oakd/rgb/preview/camera_info', 'odom': '/wheels',
    }
    plain = {**values, 'robot': 'coco', 'odom': ''}
    assert RobotGraph(plain).remappings('policy') == []


@pytest.mark.parametrize(('name', 'value', 'text'), [
    ('require_provider', 'tensorrt', "'tensorrt' is not in this ONNX Runtime, which has"),
    ('require_provider', 'gpu', "must be one of .*got 'gpu'"),
    ('record', '.', 'exists already'),
    ('shadow', 'maybe', 'shadow:= must be true or false'),
    ('params', '/no/such.yaml', 'params:= /no/such.yaml'),
])
def test_a_robot_does_not_start_with_what_cannot_be(name, value, text):
    with pytest.raises(S2EError, match=text):
        RobotGraph({**ROBOT, name: value}).nodes()


@pytest.mark.parametrize('name', ['incidents', 'record', 'shadow_log'])
def test_a_folder_that_cannot_be_written_ends_the_launch(tmp_path, name):
    (tmp_path / 'file').write_text('')
    with pytest.raises(StartError, match=rf'^{name}:= .*/file/new: .*/file is no folder'):
        RobotGraph({**ROBOT, name: str(tmp_path / 'file' / 'new')})
    locked = tmp_path / 'locked'
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        return  # root may write anywhere
    with pytest.raises(StartError, match='cannot be written into'):
        RobotGraph({**ROBOT, name: str(locked / 'new')})


def test_a_shadow_drive_does_not_go_on_in_another_s_log(tmp_path):
    (tmp_path / 'ticks.csv').write_text('')
    with pytest.raises(StartError, match='has a log already'):
        RobotGraph({**ROBOT, 'shadow_log': str(tmp_path)})


def test_own_parameters_are_read_after_ours(tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**: {gate: {ros__parameters: {gate: {camera_period: 0.07}}}}')
    for entry in RobotGraph({**ROBOT, 'params': str(file)}).nodes():
        assert entry.files[-1] == str(file)
    for text in ('gate: {camera_period: 0.07}', '- 1', 'a: ['):
        file.write_text(text)
        with pytest.raises(StartError, match='params:= '):
            RobotGraph({**ROBOT, 'params': str(file)})


def test_nearly_an_argument_is_told():
    given = ['shadow', 'shadows', 'cmd_vell', 'lidar_model', 'robot']
    said = misspelt(given, ROBOT)
    assert said == [
        'cmd_vell:= is not an argument and was ignored; is cmd_vel:= meant?',
        'shadows:= is not an argument and was ignored; is shadow:= meant?',
    ]


def test_a_source_of_free_distance_reaches_gate_and_policy():
    values = {**ROBOT, 'obstacles': 'depth', 'depth': '/oak/stereo'}
    graph = RobotGraph(values)
    nodes = {entry.executable: entry.parameters for entry in graph.nodes()}
    assert nodes['gate']['gate.obstacles.source'] == nodes['policy']['obstacles.source'] == 'depth'
    assert nodes['obstacles']['source'] == 'depth'
    assert nodes['obstacles']['robot'] == 'turtlebot4'
    assert ('depth/image_raw', '/oak/stereo') in graph.remappings('obstacles')
    scanned = RobotGraph({**ROBOT, 'obstacles': 'scan'})
    assert 'obstacles' not in {entry.executable for entry in scanned.nodes()}
    with pytest.raises(StartError, match="got 'sonar'"):
        RobotGraph({**ROBOT, 'obstacles': 'sonar'})


def test_a_smoother_comes_between_follower_and_gate():
    """The gate, and whoever records or compares, still hears what comes out of it."""
    graph = RobotGraph({**ROBOT, 'cmd_vel_follower': 'cmd_vel_raw'})
    assert ('cmd_vel_nav', 'cmd_vel_raw') in graph.remappings('follower')
    assert ('cmd_vel_nav', 'cmd_vel_raw') not in graph.remappings('gate')


def test_a_robot_is_recorded_as_its_drivers_speak(tmp_path):
    values = {**ROBOT, 'record': str(tmp_path / 'rec'), 'incidents': str(tmp_path / 'stops')}
    nodes = {entry.executable: entry for entry in RobotGraph(values).nodes()}
    recorder, dump = nodes['recorder'].parameters, nodes['incidents'].parameters
    # Compressed images and Twist, as `ROBOT` says; and heard from publishers of both kinds.
    assert recorder['reliable'] is False and dump['folder'] == str(tmp_path / 'stops')
    assert recorder['topics'] == dump['topics']
    assert 'cmd_vel geometry_msgs/msg/Twist' in dump['topics']
    assert not any(line.startswith('camera/image_raw ') for line in dump['topics'])
    assert nodes['incidents'].respawn and Path(nodes['incidents'].files[0]).is_file()
    raw = RobotGraph({**values, 'compressed': 'false', 'stamped': 'true'}).nodes()[-1].parameters
    assert 'camera/image_raw sensor_msgs/msg/Image 0.2' in raw['topics']
    assert 'cmd_vel geometry_msgs/msg/TwistStamped' in raw['topics']


def test_in_the_shadow_nothing_of_the_policy_reaches_the_gate(tmp_path):
    values = {**ROBOT, 'shadow': 'true', 'shadow_log': str(tmp_path / 'log')}
    nodes = {entry.executable: entry.parameters for entry in RobotGraph(values).nodes()}
    assert nodes['gate']['shadow'] is True and nodes['shadow']['folder'] == str(tmp_path / 'log')
    assert nodes['policy']['mission.outlives_driver'] is True
