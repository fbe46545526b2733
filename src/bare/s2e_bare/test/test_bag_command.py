"""`ros2 bag`: a recording is told and played, under other names and on its own clock."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS missing: rclpy')
rosbags = pytest.importorskip('rosbags.rosbag2', reason='rosbags is not installed')
pytestmark = pytest.mark.ros

from rosbags.typesys import Stores, get_types_from_msg, get_typestore  # noqa: E402

from s2e_bare.ros2.main import run_command  # noqa: E402
from s2e_bare.ros2.session import Session  # noqa: E402

TYPES = get_typestore(Stores.ROS2_HUMBLE)
TYPES.register(get_types_from_msg('string data', 'nobody_msgs/msg/Odd'))
BEGIN = 1_600_000_000 * 10**9
WORDS = ('one', 'two', 'three')
PATIENCE = 60.0


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """Three words in 0.2 s, and one message of a type that nobody has."""
    text = TYPES.types['std_msgs/msg/String']
    with rosbags.Writer(tmp_path / 'words', version=9) as writer:
        said = writer.add_connection('/said', 'std_msgs/msg/String', typestore=TYPES)
        for k, word in enumerate(WORDS):
            data = TYPES.serialize_cdr(text(word), 'std_msgs/msg/String')
            writer.write(said, BEGIN + k * 100_000_000, data)
        odd = writer.add_connection('/odd', 'nobody_msgs/msg/Odd', typestore=TYPES)
        writer.write(odd, BEGIN, data)
    return tmp_path / 'words'


class Ear:
    """A node that remembers words and times, and whom one can wait for."""

    def __init__(self, node: Any) -> None:
        from rosgraph_msgs.msg import Clock

        self.node = node
        self.words: list[str] = []
        self.times: list[int] = []
        self._changed = threading.Condition()
        node.create_subscription(Clock, '/clock', self._tick, 1000)
        self.listen('/other')

    def listen(self, topic: str) -> None:
        from std_msgs.msg import String

        self.node.create_subscription(String, topic, self._hear, 1000)

    def wait_for(self, done: Callable[[], bool]) -> None:
        with self._changed:
            # Discovery says nothing here: look again now and then.
            deadline = time.monotonic() + PATIENCE
            while not done():
                assert time.monotonic() < deadline, f'heard {self.words} in {PATIENCE} s'
                self._changed.wait(0.05)

    def _hear(self, message: Any) -> None:
        with self._changed:
            self.words.append(message.data)
            self._changed.notify_all()

    def _tick(self, message: Any) -> None:
        with self._changed:
            self.times.append(message.clock.sec * 10**9 + message.clock.nanosec)


@pytest.fixture
def heard(
    reserve: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ear]:
    """Listen to /other and /clock on a domain of this test."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    with reserve() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        context = rclpy.Context()
        rclpy.init(args=[], context=context, domain_id=domain)
        node = rclpy.create_node('ear', context=context)
        ear = Ear(node)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        thread = threading.Thread(target=executor.spin, daemon=True)
        thread.start()
        yield ear
        executor.shutdown()
        thread.join(5.0)
        node.destroy_node()
        context.try_shutdown()


def test_what_is_in_it_is_told(bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(['bag', 'info', str(bag)]) == 0
    out = capsys.readouterr().out
    assert 'Duration: 0.200s' in out and 'Messages: 4' in out
    assert 'Topic: /said | Type: std_msgs/msg/String | Count: 3' in out


def test_it_is_played_in_order_under_another_name_with_its_clock(
    bag: Path, heard: Ear, start: Callable[..., Any]
) -> None:
    # Over and over: whenever the ear is found, a round after that is heard from its beginning.
    played = start('bag', 'play', bag, '--loop', '--clock', '-m', 'said:=other', '-r', '0.5')
    heard.wait_for(lambda: _whole_rounds(heard.words) >= 2)
    played.send(signal.SIGINT)
    played.finish()
    assert 'left out /odd' in played.text
    from_one = heard.words[heard.words.index('one'):]
    assert from_one == [WORDS[k % 3] for k in range(len(from_one))]
    assert all(BEGIN <= t <= BEGIN + 200_000_000 for t in heard.times)
    assert len(set(heard.times)) >= 5, 'at 40 Hz between the messages too'


def _whole_rounds(words: list[str]) -> int:
    """Count the rounds that were heard from the first word to the last."""
    return ' '.join(words).count(' '.join(WORDS))


def test_nothing_is_lost_to_those_found_within_the_delay(
    bag: Path, heard: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delay lies after the publishers and before the first message."""
    delays: list[float | None] = []

    def until(session: Session, look: Callable[[], Any], seconds: float | None = None) -> None:
        delays.append(seconds)
        assert heard.words == []
        heard.wait_for(lambda: heard.node.count_publishers('/said') == 1)
        by_name = {p.topic_name: p for p in session.node.publishers}
        heard.wait_for(lambda: by_name['/said'].get_subscription_count() == 1)

    monkeypatch.setattr(Session, 'until', until)
    words = ['bag', 'play', str(bag), '-m', 'x:=y', '--topics', '/said', '-d', '7.5',
             '--wait-for-all-acked', '0']
    heard.listen('/said')
    assert run_command(words) == 0
    assert delays == [7.5]
    heard.wait_for(lambda: len(heard.words) == 3)
    assert heard.words == list(WORDS)


@pytest.mark.parametrize(('words', 'said'), [
    (['play', 'nowhere'], 'nowhere does not exist'),
    (['play', '{bag}', '--rate', '0'], '--rate must be greater than 0'),
    (['play', '{bag}', '--clock', '-1'], '--clock must be greater than 0'),
    (['play', '{bag}', '-d', '-1'], '--delay must not be negative'),
    (['play', '{bag}', '--wait-for-all-acked', '-1'], '--wait-for-all-acked must not be negative'),
    (['play', '{bag}', '-m', 'said'], "--remap takes OLD:=NEW, got 'said'"),
    (['play', '{bag}', '--topics', '/else'], 'nothing to play of'),
])
def test_what_cannot_be_is_told(
    bag: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run_command(['bag', *(word.format(bag=bag) for word in words)]) == 1
    assert said in capsys.readouterr().err
