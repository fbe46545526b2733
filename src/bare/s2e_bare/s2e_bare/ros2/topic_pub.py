"""`ros2 topic pub`: publishes a message once, some times, or again and again."""

from __future__ import annotations

import argparse
import time
from typing import Any

from s2e_bare.errors import CommandError
from s2e_bare.ros2.conversion import fill, parse_yaml
from s2e_bare.ros2.interfaces import load_type
from s2e_bare.ros2.qos import add_qos_options, profile
from s2e_bare.ros2.session import Session, add_graph_options
from s2e_bare.ros2.topic_echo import full_name

# For a last message to reach a best-effort reader before the publisher goes away.
KEEP_ALIVE = 0.1
# A reliable reader on a busy machine may discover the publisher later than that; then what was
# sent is sent again, as long as someone is there to do it.
ACKNOWLEDGE_TIMEOUT = 5.0


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = verbs.add_parser('pub', help='publish a message')
    add = parser.add_argument
    add('topic_name')
    add('message_type')
    add('values', nargs='?', default='{}', help='fields as YAML, e.g. "{data: 1}"')
    add('-r', '--rate', type=float, default=1.0, help='messages per second')
    add('-p', '--print', dest='every', type=int, default=1, help='print every N-th message')
    often = parser.add_mutually_exclusive_group()
    often.add_argument('-1', '--once', action='store_true', help='publish one and end')
    often.add_argument('-t', '--times', type=int, default=0, help='publish so many and end')
    add('-w', '--wait-matching-subscriptions', type=int, help='subscriptions to wait for first')
    add('--max-wait-time-secs', type=float, help='end with an error when they do not come')
    add('--keep-alive', type=float, default=KEEP_ALIVE, help='seconds to stay after the last')
    add_qos_options(parser)
    add_graph_options(parser)
    parser.set_defaults(act=publish)


def publish(session: Session, options: argparse.Namespace) -> int:
    """Publish; without `--once` or `--times` until Ctrl-C.

    Raises:
        CommandError: A field that does not fit, a rate that is not positive, or subscriptions
            that do not come.
    """
    from rclpy.duration import Duration

    if options.rate <= 0:
        raise CommandError(f'--rate must be greater than 0, got {options.rate:g}')
    cls = load_type(options.message_type, 'msg')
    values = parse_yaml(options.values, 'message')
    message = cls()
    fill(message, values, stamp=session.node.get_clock().now().to_msg())
    publisher = session.node.create_publisher(cls, full_name(options.topic_name), profile(options))
    times = 1 if options.once else options.times
    _wait_for_subscriptions(session, publisher, options, times)
    print('publisher: beginning loop', flush=True)
    count = 0
    next_time = time.monotonic()
    while True:
        count += 1
        fill(message, values, stamp=session.node.get_clock().now().to_msg())
        if options.every and count % options.every == 0:
            print(f'publishing #{count}: {message!r}\n', flush=True)
        publisher.publish(message)
        if count == times:
            break
        next_time += 1.0 / options.rate
        while (left := next_time - time.monotonic()) > 0:
            session.spin_once(min(left, 0.1))
    session.until(lambda: None, options.keep_alive)
    publisher.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_TIMEOUT))
    return 0


def _wait_for_subscriptions(
    session: Session, publisher: Any, options: argparse.Namespace, times: int
) -> None:
    """Wait as upstream does: for one subscription where the number of messages is limited."""
    wanted = options.wait_matching_subscriptions
    if wanted is None:
        wanted = 1 if times else 0
    if publisher.get_subscription_count() >= wanted:
        return
    print(f'Waiting for at least {wanted} matching subscription(s)...', flush=True)
    ready = session.until(
        lambda: True if publisher.get_subscription_count() >= wanted else None,
        options.max_wait_time_secs,
    )
    if ready is None:
        raise CommandError(
            f'{publisher.get_subscription_count()} of {wanted} subscriptions on '
            f'{options.topic_name!r} after {options.max_wait_time_secs:g} s'
        )
