"""`ros2 launch s2e_nav navbench_sim.launch.py`, as a user runs it."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROS2 = Path(sys.prefix) / 'bin' / 'ros2'
OVERLAY = ROOT / 'install' / 'share' / 's2e_nav'
PATIENCE = 240.0
"""Seconds for what takes ten on an idle machine."""


class Launch:
    """A running `ros2 launch` in a process group of its own."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [ROS2, 'launch', 's2e_nav', *arguments], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self.lines.append(line.rstrip())
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def text(self) -> str:
        """Everything it has said."""
        return '\n'.join(self.lines)

    def wait_for(self, text: str) -> None:
        """Wait for a line."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not any(text in line for line in self.lines):
                assert self._process.poll() is None, self.text
                assert time.monotonic() < deadline, self.text
                self._changed.wait(1.0)

    def interrupt(self) -> None:
        """Press Ctrl-C: as in a terminal, the signal goes to launch, which tells its children."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Wait for the end and return the exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def orphans(self) -> list[str]:
        """Name processes of the group that are still there."""
        left = []
        for entry in Path('/proc').iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / 'stat').read_text().rsplit(')', 1)[1].split()
                if int(fields[3]) == self._process.pid and fields[0] != 'Z':
                    left.append((entry / 'cmdline').read_text().replace('\0', ' '))
            except (OSError, IndexError):
                continue
        return left

    def kill(self) -> None:
        """End whatever is left, after a failed test."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)


@pytest.fixture(scope='module')
def scene_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the module: the city is made once."""
    return tmp_path_factory.mktemp('scenes')


@pytest.fixture
def launch(
    ros_environment: dict[str, str], scene_cache: Path, tmp_path: Path
) -> Iterator[Callable[..., Launch]]:
    """Return a function that launches; everything is dead afterwards."""
    if not ROS2.exists() or not OVERLAY.is_dir():
        pytest.skip('ROS missing: no overlay here; run `make setup`')
    environment = {**ros_environment, 'S2E_CACHE': str(scene_cache),
                   'ROS_LOG_DIR': str(tmp_path / 'log')}
    running: list[Launch] = []

    def start(*arguments: str) -> Launch:
        running.append(Launch(environment, *arguments))
        return running[-1]

    yield start
    for item in running:
        item.kill()


def simulate(launch: Callable[..., Launch], output: Path, *arguments: str) -> Launch:
    return launch('navbench_sim.launch.py', 'scene:=city:100', 'policy:=straight',
                  f'output:={output}', *arguments)


def test_a_run_leaves_episodes_films_recording_and_report(launch, tmp_path):
    run = simulate(launch, tmp_path / 'run', 'episodes:=1')
    assert run.end() == 0, run.text
    assert run.orphans() == []
    root = tmp_path / 'run'
    [episode] = (root / 'episodes').glob('*.json')
    assert json.loads(episode.read_text())['outcome'] in ('success', 'timed_out')
    record = json.loads((root / 'run.json').read_text())
    assert record['complete'] and record['mode'] == 'lockstep'
    assert record['run']['finished'] == 1
    assert list((root / 'films').glob('*.mp4')) and (root / 'report.html').stat().st_size > 10_000
    for word in ('[1/1] city-100_empty_000', 'SR', 'RC', 'CT', str(root / 'report.html')):
        assert word in run.text


def test_the_recording_holds_the_topics(launch, tmp_path):
    rosbag2 = pytest.importorskip('rosbags.rosbag2')
    from rosbags.typesys import Stores, get_typestore

    run = simulate(launch, tmp_path / 'run', 'episodes:=1', 'film:=false')
    assert run.end() == 0, run.text
    types = get_typestore(Stores.ROS2_KILTED)
    with rosbag2.Reader(tmp_path / 'run' / 'recording') as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
        stamps = [
            types.deserialize_cdr(raw, c.msgtype).header.stamp
            for c, _, raw in reader.messages() if c.topic == '/cmd_vel'
        ]
    for topic in ('/odom', '/tf', '/tf_static', '/scan', '/cmd_vel', '/cmd_vel_nav',
                  '/s2e/trajectory', '/s2e/modes', '/s2e/status', '/camera/camera_info',
                  '/camera/image_raw/compressed'):
        assert counts[topic] > 0, topic
    times = [s.sec + s.nanosec * 1e-9 for s in stamps]
    # A publisher keeps 20 commands: a recorder that gets no processor for long may miss some.
    steps = [round((b - a) / 0.05, 6) for a, b in itertools.pairwise(times)]
    assert all(step >= 1 and step == int(step) for step in steps)
    assert len(times) >= 0.95 * (1 + sum(steps))


def test_ctrl_c_leaves_the_report_of_what_is_finished_and_no_process(launch, tmp_path):
    run = simulate(launch, tmp_path / 'run', 'episodes:=20', 'record:=false')
    run.wait_for('[1/20]')
    run.interrupt()
    run.end()
    assert run.orphans() == []
    record = json.loads((tmp_path / 'run' / 'run.json').read_text())
    assert not record['complete'] and record['run']['finished'] >= 1
    assert (tmp_path / 'run' / 'report.html').is_file()


def test_a_page_to_drive_from_is_served_beside_a_gate(launch):
    run = launch('teleop.launch.py', 'gate:=true', 'port:=0', 'token:=a-long-enough-token')
    run.wait_for('drive at http://127.0.0.1:')
    address = re.search(r'http://127.0.0.1:\d+/', run.text)[0]
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert b'<title>Drive</title>' in answer.read()
    run.interrupt()
    run.end()
    assert run.orphans() == []


@pytest.mark.parametrize(('arguments', 'text'), [
    (('scene:=/no/such/scene',), "scene '/no/such/scene' does not exist"),
    (('task:=dance',), "got 'dance'"),
    (('policy:=no-such-policy',), 'no-such-policy not found'),
    (('robot:=no-such-robot',), 'no-such-robot.yaml not found'),
    (('mode:=slow',), "got 'slow'"),
    (('episodes:=many',), "got 'many'"),
])
def test_a_wrong_argument_is_one_clear_error_and_nothing_starts(
    launch, tmp_path, arguments, text
):
    given = ('policy:=straight', f'output:={tmp_path / "run"}', *arguments)
    run = launch('navbench_sim.launch.py', *given)
    assert run.end() == 1
    assert text in run.text
    assert 'process started' not in run.text


def test_a_changed_bundle_is_refused_by_its_hash(launch, tmp_path):
    bundle = ROOT / 'models' / 's2e-small'
    if not bundle.is_dir():
        pytest.skip('no policy bundle in models/')
    changed = tmp_path / 'changed'
    shutil.copytree(bundle, changed)
    weights = max(changed.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    run = launch('navbench_sim.launch.py', f'policy:={changed}', f'output:={tmp_path / "run"}')
    assert run.end() == 1
    assert 'sha256' in run.text and weights.name in run.text


def test_a_broken_capture_ends_the_launch_with_its_reason(launch, tmp_path):
    capture = tmp_path / 'broken.sog'
    capture.write_bytes(b'PK\x03\x04 and then nothing')
    run = launch('navbench_sim.launch.py', f'scene:={capture}', 'policy:=straight',
                 f'output:={tmp_path / "run"}')
    assert run.end() == 1, run.text
    assert 'broken.sog' in run.text
    assert run.orphans() == []


def test_a_second_simulator_is_refused_and_the_first_drives_on(launch, tmp_path):
    first = simulate(launch, tmp_path / 'first', 'episodes:=20', 'record:=false', 'film:=false')
    first.wait_for('[1/20]')
    second = simulate(launch, tmp_path / 'second', 'episodes:=1')
    assert second.end() == 1
    assert 'another simulator publishes /clock' in second.text
    assert 'process started' not in second.text
    assert 'stopping until' not in first.text, first.text
    first.wait_for('[2/20]')
    first.interrupt()
    first.end()
    assert first.orphans() == []


def test_the_robot_graph_starts_and_stops(launch):
    run = launch('robot.launch.py', 'policy:=straight', 'robot:=turtlebot4')
    run.wait_for('straight ready')
    run.interrupt()
    run.end()
    assert run.orphans() == []
    assert 'Traceback' not in run.text


@pytest.mark.parametrize('name', [
    'navbench_sim.launch.py', 'robot.launch.py', 'teleop.launch.py', 'teleop_compare.launch.py',
])
def test_every_argument_is_described(launch, name):
    run = launch(name, '--show-args')
    assert run.end() == 0
    assert "'policy':" in run.text and 'no description' not in run.text.lower()


def test_a_comparison_leaves_its_report(launch, tmp_path):
    run = launch('teleop_compare.launch.py', 'policy:=straight', 'links:=none satellite',
                 'scenes:=city:100', 'tasks:=empty', 'episodes:=1', 'workers:=1',
                 f'output:={tmp_path / "study"}')
    assert run.end() == 0, run.text
    assert run.orphans() == []
    assert '[3/3] operator-satellite' in run.text
    names = {path.name for path in (tmp_path / 'study').iterdir()}
    assert {'compare.html', 'drives.csv', 'summary.csv', 'curves.svg', 'runs'} <= names


def test_a_comparison_that_cannot_be_says_why(launch, tmp_path):
    run = launch('teleop_compare.launch.py', 'links:=pigeon', f'output:={tmp_path / "study"}')
    assert run.end() == 1
    assert 'pigeon' in run.text
