"""`ros2 bag`: tells what is in a recording and plays it; rosbag2 folders, `.mcap` and `.db3`."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from s2e_bare.errors import CommandError
from s2e_bare.ros2.interfaces import load_type
from s2e_bare.ros2.session import Session, open_session
from s2e_bare.ros2.topic_echo import full_name

CLOCK_RATE = 40.0
"""Hz of --clock where no rate is given, as upstream."""
QUEUE = 100


def run(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code.

    Raises:
        CommandError: No such recording, or nothing of it can be published.
    """
    parser = argparse.ArgumentParser(prog='ros2 bag')
    verbs = parser.add_subparsers(dest='verb', required=True)
    info = verbs.add_parser('info', help='say what is in a recording')
    info.add_argument('bag_path', type=Path)
    play = verbs.add_parser('play', help='publish a recording at its own pace')
    add = play.add_argument
    add('bag_path', type=Path)
    add('-r', '--rate', type=float, default=1.0, help='times its own pace')
    add('-l', '--loop', action='store_true', help='begin again at the end')
    add('--clock', nargs='?', type=float, const=CLOCK_RATE, metavar='HZ',
        help='publish /clock, for nodes with use_sim_time')
    add('--topics', nargs='+', metavar='TOPIC', help='only these')
    add('-m', '--remap', nargs='+', default=[], metavar='OLD:=NEW', help='other names')
    add('--start-offset', type=float, default=0.0, metavar='S', help='seconds left out')
    add('-d', '--delay', type=float, default=0.0, metavar='S',
        help='seconds between the publishers and the first message, for those who listen to be '
        'found; once, whatever --loop says')
    add('--wait-for-all-acked', type=int, metavar='MS',
        help='longest wait at the end for what was sent to be acknowledged, 0 for no limit')
    options = parser.parse_args(argv)
    with _opened(options.bag_path) as reader:
        return _info(reader) if options.verb == 'info' else _play(reader, options)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        from rosbags.highlevel import AnyReader
        from rosbags.highlevel.anyreader import AnyReaderError
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise CommandError(f'rosbags cannot be imported: {error}') from error
    if not path.exists():
        raise CommandError(f'{path} does not exist')
    if path.suffix == '.bag':
        raise CommandError(f'{path} is of ROS 1: convert it with rosbags-convert')
    try:
        # Older recordings hold no definitions of their types.
        reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_KILTED))
        reader.open()
    except (AnyReaderError, OSError) as error:
        raise CommandError(f'{path}: {error}') from error
    try:
        yield reader
    finally:
        reader.close()


def _info(reader: Any) -> int:
    print(f'Duration: {reader.duration / 1e9:.3f}s')
    print(f'Messages: {reader.message_count}')
    for connection in reader.connections:
        print(f'Topic: {connection.topic} | Type: {connection.msgtype} | '
              f'Count: {connection.msgcount}')
    return 0


def _play(reader: Any, options: argparse.Namespace) -> int:
    if not options.rate > 0.0:
        raise CommandError(f'--rate must be greater than 0, got {options.rate:g}')
    for name in ('delay', 'wait_for_all_acked'):
        if not (getattr(options, name) or 0) >= 0:
            option, value = name.replace('_', '-'), getattr(options, name)
            raise CommandError(f'--{option} must not be negative, got {value:g}')
    wanted = None if options.topics is None else {full_name(t) for t in options.topics}
    chosen = [c for c in reader.connections if wanted is None or c.topic in wanted]
    with open_session(options) as session:
        publishers = _publishers(session, chosen, _remappings(options.remap))
        if not publishers:
            raise CommandError(f'nothing to play of {[c.topic for c in reader.connections]}')
        clock = _Clock(session, options.clock, options.rate)
        session.until(lambda: None, options.delay)
        while True:
            known = [c for c in chosen if c.id in publishers]
            first = reader.start_time + round(options.start_offset * 1e9)
            for due, connection, data in _paced(
                reader.messages(known, start=first), options.rate, session, clock
            ):
                clock.tell(due)
                publishers[connection.id].publish(data)
            if not options.loop:
                break
        _wait_for_acknowledgement(publishers, options.wait_for_all_acked)
    return 0


def _wait_for_acknowledgement(publishers: dict[int, Any], most_ms: int | None) -> None:
    """Stay until every reliable subscriber has what was sent; None does not wait."""
    from rclpy.duration import Duration

    if most_ms is None:
        return
    end = time.monotonic() + most_ms / 1000.0
    for publisher in set(publishers.values()):
        left = max(0.0, end - time.monotonic()) if most_ms else -1.0
        if not publisher.wait_for_all_acked(Duration(seconds=left)):
            raise CommandError(f'{publisher.topic_name}: not acknowledged within {most_ms} ms')


def _paced(
    messages: Iterator[tuple[Any, int, bytes]], rate: float, session: Session, clock: _Clock
) -> Iterator[tuple[int, Any, bytes]]:
    """Yield each message when its time has come."""
    begun, first = time.monotonic(), -1
    for connection, stamp, data in messages:
        first = stamp if first < 0 else first
        while (left := begun + (stamp - first) / (1e9 * rate) - time.monotonic()) > 0.0:
            step = min(left, clock.period)
            if step > 0.001:
                session.spin_once(0.0)
            time.sleep(step)
            clock.tell(stamp - round(max(0.0, left - step) * rate * 1e9))
        yield stamp, connection, data


class _Clock:
    """Publishes the recording's time where it is wanted."""

    def __init__(self, session: Session, hertz: float | None, rate: float) -> None:
        if hertz is not None and not hertz > 0.0:
            raise CommandError(f'--clock must be greater than 0, got {hertz:g}')
        self.period = 0.1 if hertz is None else 1.0 / hertz
        self._step, self._last = round(self.period * rate * 1e9), -1
        self._publisher: Any = None
        if hertz is not None:
            self._kind = load_type('rosgraph_msgs/msg/Clock', 'msg')
            self._publisher = session.node.create_publisher(self._kind, '/clock', QUEUE)

    def tell(self, now_ns: int) -> None:
        """Publish a time, unless the last one was just told."""
        if self._publisher is None or 0 <= now_ns - self._last < self._step:
            return
        self._last = now_ns
        message = self._kind()
        message.clock.sec, message.clock.nanosec = divmod(now_ns, 10**9)
        self._publisher.publish(message)


def _remappings(rules: Sequence[str]) -> dict[str, str]:
    pairs = [rule.partition(':=') for rule in rules]
    wrong = [old + mark + new for old, mark, new in pairs if not (old and mark and new)]
    if wrong:
        raise CommandError(f'--remap takes OLD:=NEW, got {wrong[0]!r}')
    return {full_name(old): full_name(new) for old, _, new in pairs}


def _publishers(
    session: Session, connections: Sequence[Any], names: dict[str, str]
) -> dict[int, Any]:
    """Open a publisher for each topic; types that are not installed are named and left out."""
    from rclpy.qos import DurabilityPolicy, QoSProfile

    found: dict[int, Any] = {}
    by_topic: dict[str, Any] = {}
    for connection in connections:
        topic = names.get(connection.topic, connection.topic)
        try:
            kind = load_type(connection.msgtype, 'msg')
        except CommandError as error:
            print(f'left out {connection.topic}: {error}', flush=True)
            continue
        if topic not in by_topic:
            qos = QoSProfile(depth=QUEUE)
            if _keeps(connection):
                qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
            by_topic[topic] = session.node.create_publisher(kind, topic, qos)
        found[connection.id] = by_topic[topic]
    return found


def _keeps(connection: Any) -> bool:
    """Whether late subscribers got the last message when it was recorded."""
    profiles = getattr(connection.ext, 'offered_qos_profiles', ()) or ()
    durable = [str(getattr(profile, 'durability', '')) for profile in profiles]
    return connection.topic == '/tf_static' or (
        bool(durable) and all('TRANSIENT_LOCAL' in text for text in durable)
    )
