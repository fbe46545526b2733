"""Film, recording, progress and launch arguments of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock

from s2e_core.camera import CameraModel
from s2e_core.contract import PolicyOutput
from s2e_core.errors import S2EError
from s2e_core.records import CameraFrame, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.convert.stamps import to_time
from s2e_nav.episodes import filming
from s2e_nav.episodes.filming import TopicFilm
from s2e_nav.episodes.progress import episode_line
from s2e_nav.episodes.record import RunRecord
from s2e_nav.errors import StartError
from s2e_nav.launching import RobotGraph, SimulatedRun, transport
from s2e_nav.misspelt import misspelt
from s2e_nav.recorded import message_class
from s2e_nav.recording import Recording
from s2e_nav.sim.parameters import SimParameters

STEP = 200_000_000


class FakeFilm:
    """Notes what is drawn."""

    made: ClassVar[list[FakeFilm]] = []

    def __init__(self, path: Path, *args: object, **kwargs: object) -> None:
        self.path, self.drawn, self.closed = path, [], False
        FakeFilm.made.append(self)

    def add(self, frame, output, chosen, caption) -> None:
        self.drawn.append((frame.stamp_ns, output is not None, chosen, caption))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def film(monkeypatch, tmp_path):
    """Return a film whose pictures are noted instead of drawn."""
    monkeypatch.setattr(filming, 'EpisodeFilm', FakeFilm)
    FakeFilm.made = []
    made = TopicFilm(tmp_path, load_robot('coco'), 320)
    made.set_camera(CameraModel.from_fov(32, 24, 1.5))
    made.begin('a', 'A', np.array([5.0, 0.0]), 0)
    return made


def give_image(film: TopicFilm, stamp: int) -> None:
    film.add_image(stamp, lambda: CameraFrame(stamp, np.zeros((24, 32, 3), np.uint8)))


def modes(stamp: int) -> PolicyOutput:
    return PolicyOutput(stamp, np.zeros((1, 10, 2), np.float32), np.ones(1, np.float32))


def test_an_image_waits_for_its_modes_and_its_odometry(film):
    give_image(film, STEP)
    film.add_modes(modes(STEP), 0)
    assert FakeFilm.made == []
    film.add_odometry(Odometry(STEP, Pose2(1.0, 0.0, 0.0), 0.5, 0.0))
    give_image(film, 2 * STEP)
    [made] = FakeFilm.made
    [(stamp, has_modes, chosen, caption)] = made.drawn
    assert (stamp, has_modes, chosen) == (STEP, True, 0)
    assert caption['distance'] == pytest.approx(4.0) and caption['speed'] == 0.5
    assert not film.is_complete(2 * STEP)


def test_a_policy_that_stood_still_completes_the_last_image(film):
    film.add_odometry(Odometry(STEP, Pose2()))
    give_image(film, STEP)
    film.add_standstill(STEP)
    assert film.is_complete(STEP)
    assert FakeFilm.made[0].drawn[0][1] is False


def test_images_come_out_in_order_whatever_comes_in_first(film):
    for k in (1, 2, 3):
        give_image(film, k * STEP)
        film.add_odometry(Odometry(k * STEP, Pose2()))
    film.add_modes(modes(3 * STEP), 0)
    film.add_modes(modes(2 * STEP), 0)
    assert [item[0] for item in FakeFilm.made[0].drawn] == [STEP, 2 * STEP, 3 * STEP]


def test_the_end_draws_what_waits_and_closes(film):
    give_image(film, STEP)
    film.end()
    assert FakeFilm.made[0].closed and len(FakeFilm.made[0].drawn) == 1
    give_image(film, 2 * STEP)
    assert len(FakeFilm.made) == 1, 'between episodes nothing is filmed'


def test_a_recording_reads_back_with_times_that_never_go_back(tmp_path):
    from rosbags.rosbag2 import Reader
    from rosbags.typesys import Stores, get_typestore

    recording = Recording(tmp_path / 'rec')
    channel = recording.channel('/clock', 'rosgraph_msgs/msg/Clock')
    for stamp in (5, 3, 9):
        recording.write(channel, stamp, serialize_message(Clock(clock=to_time(stamp))))
    recording.close()
    recording.write(channel, 10, b'')
    types = get_typestore(Stores.ROS2_KILTED)
    with Reader(tmp_path / 'rec') as reader:
        heard = [(stamp, types.deserialize_cdr(raw, c.msgtype).clock.nanosec)
                 for c, stamp, raw in reader.messages()]
    assert heard == [(5, 5), (5, 3), (9, 9)]
    with pytest.raises(StartError, match='rec'):
        Recording(tmp_path / 'rec')


@pytest.mark.parametrize('kind', ['nav_msgs/Path', 'os/msg/System', 'nav_msgs/msg/path', ''])
def test_a_type_that_is_none_is_refused(kind):
    with pytest.raises(StartError):
        message_class(kind)


def test_the_line_of_an_episode_carries_the_running_means():
    def scores(success: bool, rc: float, ct: int) -> dict[str, object]:
        return {'success': success, 'collision_free_success': success and not ct,
                'route_completion': rc, 'collisions': ct, 'duration': 10.0, 'cause': ''}

    done = [scores(True, 1.0, 2), scores(False, 0.5, 0)]
    line = episode_line(2, 5, {'id': 'e', 'outcome': 'timed_out', 'scores': done[1]}, done, 3.0)
    # SR (1 + 0) / 2, collision-free 0, RC (1 + .5) / 2, CT (2 + 0) / 2.
    assert 'so far SR 0.50 (collision-free 0.00) RC 0.75 CT 1.00' in line
    assert line.startswith('[2/5] e: timed_out, 10.0 s, RC 0.50, CT 0')
    failed = {'id': 'e', 'outcome': 'policy_error', 'detail': 'ValueError: no idea',
              'scores': {**done[1], 'cause': 'policy error'}}
    line = episode_line(2, 5, failed, done, 3.0)
    assert 'policy_error (policy error: ValueError: no idea), 10.0 s' in line


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


def test_the_record_of_a_run_says_whose_camera_and_how_long_the_policy_took(tmp_path):
    sim = SimParameters(output=str(tmp_path), image_width=640, mode='realtime')
    record = RunRecord(tmp_path, sim)
    record.hear({'policy': 'p@1', 'infer_p50_ms': '6.5', 'infer_p99_ms': '9.0', 'mode': '0',
                 'latency_p50_ms': '12.0'})
    record.hear({'state': 'idle'})
    record.write(complete=True)
    told = json.loads((tmp_path / 'run.json').read_text())
    assert (told['policy'], told['camera'], told['mode']) == ('p@1', 'robot 640x0', 'realtime')
    assert told['latency'] == {
        'the model alone': {'p50 ms': 6.5, 'p99 ms': 9.0},
        'image received to plan sent': {'p50 ms': 12.0},
    }
    # Nodes have settings of their own: only robot and crowd are known here.
    assert set(told['constants']['values']) == {'robot', 'crowd'}


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


def test_a_simulator_on_the_wall_clock_dumps_incidents_too(tmp_path):
    values = {**SIMULATED, 'mode': 'realtime', 'incidents': str(tmp_path / 'stops')}
    nodes = {entry.executable: entry for entry in SimulatedRun(values, tmp_path / 'run').nodes()}
    assert nodes['incidents'].parameters == {
        'folder': str(tmp_path / 'stops'), 'use_sim_time': True
    }


def test_in_the_shadow_nothing_of_the_policy_reaches_the_gate(tmp_path):
    values = {**ROBOT, 'shadow': 'true', 'shadow_log': str(tmp_path / 'log')}
    nodes = {entry.executable: entry.parameters for entry in RobotGraph(values).nodes()}
    assert nodes['gate']['shadow'] is True and nodes['shadow']['folder'] == str(tmp_path / 'log')
    assert nodes['policy']['mission.outlives_driver'] is True
