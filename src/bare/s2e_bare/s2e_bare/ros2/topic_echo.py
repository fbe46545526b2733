"""`ros2 topic echo`: prints messages as YAML."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from s2e_bare.errors import CommandError
from s2e_bare.ros2.conversion import TRUNCATE, to_plain, to_yaml
from s2e_bare.ros2.interfaces import load_type
from s2e_bare.ros2.qos import add_qos_options, matching_profile
from s2e_bare.ros2.session import APPEAR, Session, add_graph_options


def add_parser(verbs: Any) -> None:
    """Add the verb."""
    parser = verbs.add_parser('echo', help='print messages of a topic')
    add = parser.add_argument
    add('topic_name')
    add('message_type', nargs='?', help='type, where no publisher says it')
    add('--once', action='store_true', help='end after the first message')
    add('--timeout', type=float, help='end with an error when none comes for so many seconds')
    add('--field', help='print this field only, e.g. header.stamp')
    add('--no-arr', action='store_true', help='show only the length of arrays')
    add('--csv', action='store_true', help='one line per message, values with commas')
    add('-f', '--full-length', action='store_true', help='do not cut arrays and strings')
    add('-l', '--truncate-length', type=int, default=TRUNCATE, help='where to cut them')
    add_qos_options(parser)
    add_graph_options(parser)
    parser.set_defaults(act=echo)


def full_name(name: str) -> str:
    """Make a topic name absolute."""
    return name if name.startswith('/') else f'/{name}'


def require_types(session: Session, name: str, seconds: float | None) -> list[str]:
    """Wait for a topic and give its types.

    Raises:
        CommandError: It does not appear.
    """
    wanted = full_name(name)

    def look() -> list[str] | None:
        return dict(session.node.get_topic_names_and_types()).get(wanted)

    found = session.until(look, seconds)
    if found is None:
        raise CommandError(f'topic {wanted!r} does not appear to be published yet')
    return found


def subscribe(
    session: Session,
    options: argparse.Namespace,
    callback: Callable[[Any], None],
    *,
    raw: bool = False,
) -> None:
    """Subscribe to the topic of the options, with a profile that its publishers can serve.

    Raises:
        CommandError: No such topic, several types, or a type that is not installed.
    """
    name = full_name(options.topic_name)
    kind = getattr(options, 'message_type', None)
    if kind is None:
        types = require_types(session, name, APPEAR)
        if len(types) > 1:
            raise CommandError(f'topic {name!r} has several types: {types}; name the one you want')
        kind = types[0]
        # A subscription alone makes the topic known before its publishers are.
        session.until(lambda: session.node.get_publishers_info_by_topic(name) or None, APPEAR)
    publishers = session.node.get_publishers_info_by_topic(name)
    session.node.create_subscription(
        load_type(kind, 'msg'), name, callback, matching_profile(options, publishers), raw=raw
    )


def echo(session: Session, options: argparse.Namespace) -> int:
    """Print messages until one has come (`--once`), the time is over, or Ctrl-C."""
    came: list[float] = []

    def show(message: Any) -> None:
        if options.once and came:
            return
        came.append(time.monotonic())
        print(render(message, options), end='', flush=True)

    subscribe(session, options, show)
    start = time.monotonic()
    while not (options.once and came):
        session.spin_once(0.1)
        last = came[-1] if came else start
        del came[:-1]
        if options.timeout is not None and time.monotonic() - last > options.timeout:
            raise CommandError(f'no message on {options.topic_name!r} for {options.timeout:g} s')
    return 0


def render(message: Any, options: argparse.Namespace) -> str:
    """Write a message as the options ask.

    Raises:
        CommandError: The message has no such field.
    """
    value = message
    for part in options.field.split('.') if options.field else ():
        try:
            value = value[int(part)] if part.isdigit() else getattr(value, part)
        except (AttributeError, IndexError, TypeError) as error:
            raise CommandError(f'invalid field {options.field!r}: {error}') from error
    limit = None if options.full_length else options.truncate_length
    if options.csv:
        return ','.join(_leaves(to_plain(value, truncate=limit, no_arr=options.no_arr))) + '\n'
    return to_yaml(value, truncate=limit, no_arr=options.no_arr) + '---\n'


def _leaves(plain: Any) -> list[str]:
    if isinstance(plain, dict):
        return [leaf for value in plain.values() for leaf in _leaves(value)]
    if isinstance(plain, list):
        return [leaf for value in plain for leaf in _leaves(value)]
    return [str(plain)]
