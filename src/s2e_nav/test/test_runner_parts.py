"""Film, recording, progress and record of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from rosgraph_msgs.msg import Clock

from s2e_core.camera import CameraModel
from s2e_core.contract import PolicyOutput
from s2e_core.records import CameraFrame, Odometry
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_nav.convert.stamps import to_time
from s2e_nav.episodes import filming
from s2e_nav.episodes.filming import TopicFilm
from s2e_nav.episodes.progress import episode_line
from s2e_nav.episodes.record import RunRecord
from s2e_nav.errors import StartError
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
