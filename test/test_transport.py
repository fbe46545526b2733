"""Raw 640x480 images at 30 Hz arrive, every one and whole, with the transport profile."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')

HERE = Path(__file__).resolve().parent
PROFILE = HERE.parent / 'config' / 'fastdds.xml'
FRAMES = 90
RATE = 30.0


def exchange(environment):
    """Send frames from one process to another; returns what arrived."""
    peer = [sys.executable, str(HERE / 'transport_peer.py')]
    receiver = subprocess.Popen(
        [*peer, 'receive', str(FRAMES), '20'],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    sender = subprocess.Popen([*peer, 'send', str(FRAMES), str(RATE)], env=environment)
    try:
        out, errors = receiver.communicate(timeout=40)
        sender.wait(timeout=20)
    finally:
        for process in (receiver, sender):
            process.kill()
            process.wait()
    assert receiver.returncode == 0, errors
    assert sender.returncode == 0
    return json.loads(out)


@pytest.mark.ros
@pytest.mark.e2e
def test_every_raw_image_arrives_whole(ros_environment):
    """The default shared-memory segment holds half a frame, and most frames are lost."""
    environment = {**ros_environment, 'FASTDDS_DEFAULT_PROFILES_FILE': str(PROFILE)}
    arrived = exchange(environment)
    assert arrived['torn'] == []
    assert arrived['whole'] == list(range(FRAMES))
