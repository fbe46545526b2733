"""The incidents node: a published stop becomes a file that readers open."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CameraInfo, CompressedImage

from s2e_core.camera import SMALL_CAMERA
from s2e_core.config import from_mapping
from s2e_core.paths import find_config
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.cameras import info_from_camera
from s2e_nav.convert.diagnostics import status_message
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.stamps import to_time
from s2e_nav.nodes.incidents import IncidentParameters, IncidentsNode
from s2e_nav.qos import LATCHED, RELIABLE, SENSOR

IMAGES = 12


class Robot:
    """Drives a metre per second and sends it with the sensor profile, as drivers do."""

    def __init__(self, ros, folder, **parameters) -> None:
        self.ros = ros
        self.dump_node = ros.node('incidents', folder=str(folder), **parameters)
        self.dump = IncidentsNode(self.dump_node)
        self.node = node = ros.node('robot')
        self.odom = node.create_publisher(OdometryMessage, 'odom', SENSOR)
        self.info = node.create_publisher(CameraInfo, 'camera/camera_info', SENSOR)
        self.image = node.create_publisher(CompressedImage, 'camera/image_raw/compressed', SENSOR)
        self.gate = node.create_publisher(DiagnosticStatus, 's2e/gate', LATCHED)
        self.goal = node.create_publisher(PoseStamped, 's2e/goal', LATCHED)
        self.result = node.create_publisher(DiagnosticStatus, 's2e/result', RELIABLE)
        ros.spin(self.dump_node)
        ros.spin(node)
        # The gate and the results are heard twice: raw for the file, decoded for the watch.
        wanted = {self.odom: 1, self.info: 1, self.image: 1, self.gate: 2, self.result: 2}
        ros.wait(lambda: all(p.get_subscription_count() >= n for p, n in wanted.items()))

    def say(self, reason: str) -> None:
        """Report as the gate does, and wait until it is heard."""
        self.gate.publish(status_message('gate', b'\0', reason, {'reason': reason}))
        said = 'ordinary' if reason == 'none' else reason
        self.ros.wait(lambda: self.dump._watch._gate == said)

    def drive(self) -> None:
        """Send images and odometry at 10 Hz, stamped with now."""
        shade = np.linspace(0, 255, 128 * 128 * 3).reshape(128, 128, 3)
        for k in range(IMAGES):
            now = int(self.node.get_clock().now().nanoseconds)
            self.odom.publish(message_from_odometry(Odometry(now, Pose2(0.1 * k), 1.0)))
            self.info.publish(info_from_camera(SMALL_CAMERA, now, 'camera'))
            message = CompressedImage(format='jpeg')
            message.header.stamp, message.header.frame_id = to_time(now), 'camera'
            picture = np.roll(shade, 5 * k, axis=0).astype(np.uint8)
            message.data = cv2.imencode('.jpg', picture)[1].tobytes()
            self.image.publish(message)
            time.sleep(0.1)


def read(path) -> dict[str, list]:
    """Return time and message of each topic, by the reader of rosbags."""
    found: dict[str, list] = {}
    with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_KILTED)) as reader:
        for connection, stamp, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((stamp, message))
    return found


@pytest.fixture
def stopped(ros, tmp_path):
    """Drive, stop for a stale camera, and return the file."""
    robot = Robot(ros, tmp_path, after=0.3)
    robot.say('none')
    robot.drive()
    robot.say('camera_stale')
    ros.wait(lambda: bool(list(tmp_path.glob('incident-*.mcap'))))
    robot.dump.close()
    return robot, next(iter(tmp_path.glob('incident-*.mcap')))


def test_a_stop_is_written_with_what_came_before_and_after(stopped):
    robot, path = stopped
    assert path.name.endswith('Z-camera_stale.mcap')
    found = read(path)
    gate = [{v.key: v.value for v in m.values}['reason'] for _, m in found['/s2e/gate']]
    assert gate == ['none', 'camera_stale']
    assert len(found['/camera/image_raw/compressed']) >= IMAGES - 1
    moved = [m.pose.pose.position.x for _, m in found['/odom']]
    assert moved[-1] == pytest.approx(0.1 * (IMAGES - 1)) and moved == sorted(moved)
    # The times in the file lie beside the stamps in the messages: they were just sent.
    for stamp, message in found['/odom']:
        sent = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        assert 0 <= stamp - sent < 10**9 or abs(stamp - sent) < 10**7


def test_the_file_is_replayed(stopped, tmp_path):
    main = pytest.importorskip('s2e_cli.main', reason='s2e_cli is not installed').main
    robot, path = stopped
    output = tmp_path / 'replayed'
    assert main(['replay', str(path), '--out', str(output)]) == 0
    assert (output / 'replay.csv').exists()


def test_a_failed_camera_and_the_e_stop_after_it_have_a_file_each_and_no_more(ros, tmp_path):
    robot = Robot(ros, tmp_path, after=0.3, apart=60.0)
    robot.say('none')
    text = {'error_name': 'CAMERA_FAILED'}
    robot.result.publish(status_message('policy', b'\1', 'black', text))
    ros.wait(lambda: bool(robot.dump._watch._pending))
    robot.say('e_stop')
    robot.say('none')
    robot.say('odometry_jump')
    ros.wait(lambda: robot.dump._watch.skipped == 1)
    robot.dump.close()
    names = {path.name.partition('Z-')[2] for path in tmp_path.glob('incident-*')}
    assert names == {'camera_failed.mcap', 'e_stop.mcap'}


def test_a_disk_that_is_gone_is_reported_and_the_node_lives(ros, tmp_path):
    folder = tmp_path / 'stick'
    robot = Robot(ros, folder, after=0.0, apart=1.0)
    folder.rmdir()
    robot.say('none')
    robot.say('e_stop')
    ros.wait(lambda: 'stick' in robot.dump._failure)
    assert robot.dump.exit_code is None
    folder.mkdir()
    time.sleep(1.1)
    robot.say('none')
    robot.say('odometry_jump')
    ros.wait(lambda: bool(list(folder.glob('incident-*-odometry_jump.mcap'))))
    robot.dump.close()
    assert robot.dump._failure == ''


def test_a_folder_that_cannot_be_made_ends_no_process(ros, tmp_path):
    """Launch starts it anew each second otherwise."""
    (tmp_path / 'file').write_text('')
    robot = Robot(ros, tmp_path / 'file' / 'stops', after=0.0)
    assert 'stops' in robot.dump._failure and robot.dump.exit_code is None
    robot.dump.close()


def test_a_stop_right_before_the_end_is_written_at_the_end(ros, tmp_path):
    robot = Robot(ros, tmp_path, after=60.0)
    robot.say('none')
    robot.say('e_stop')
    robot.dump.close()
    assert len(list(tmp_path.glob('incident-*-e_stop.mcap'))) == 1


def test_the_committed_settings_are_those_of_the_node():
    file = yaml.safe_load(find_config('nodes/incidents.yaml').read_text())
    given = file['/**']['incidents']['ros__parameters']
    from_mapping(IncidentParameters, given)
    assert {key: getattr(IncidentParameters(), key) for key in given} == given
