"""`ros2 topic`: list, info and type; the verbs that move messages have modules of their own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from s2e_bare.ros2 import topic_echo, topic_hz, topic_pub
from s2e_bare.ros2.session import APPEAR, Session, add_graph_options, is_hidden, open_session


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 topic',
        description='Look at topics, listen and publish.',
        epilog='Example: ros2 topic echo --once /s2e/status',
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    listing = verbs.add_parser('list', help='list the topics')
    listing.add_argument('-t', '--show-types', action='store_true', help='show types too')
    listing.add_argument('-c', '--count-topics', action='store_true', help='count only')
    listing.add_argument('--include-hidden-topics', action='store_true')
    listing.set_defaults(act=show_list)
    info = verbs.add_parser('info', help='show type and endpoints of a topic')
    info.add_argument('-v', '--verbose', action='store_true', help='show every endpoint')
    info.add_argument('topic_name')
    info.set_defaults(act=show_info)
    kind = verbs.add_parser('type', help="print a topic's type")
    kind.add_argument('topic_name')
    kind.set_defaults(act=show_type)
    for sub in (listing, info, kind):
        add_graph_options(sub)
    for module in (topic_echo, topic_hz, topic_pub):
        module.add_parser(verbs)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    with open_session(options) as session:
        code: int = options.act(session, options)
    return code


def topics(session: Session, hidden: bool = False) -> list[tuple[str, list[str]]]:
    """List topics with their types, sorted."""
    found = sorted(session.node.get_topic_names_and_types())
    return [(name, types) for name, types in found if hidden or not is_hidden(name)]


def show_list(session: Session, options: argparse.Namespace) -> int:
    """Print the topics."""
    session.settle()
    found = topics(session, options.include_hidden_topics)
    if options.count_topics:
        print(len(found))
        return 0
    for name, types in found:
        print(f'{name} [{", ".join(types)}]' if options.show_types else name)
    return 0


def show_type(session: Session, options: argparse.Namespace) -> int:
    """Print the types of one topic."""
    for name in topic_echo.require_types(session, options.topic_name, APPEAR):
        print(name)
    return 0


def show_info(session: Session, options: argparse.Namespace) -> int:
    """Print type and endpoints of one topic."""
    name = topic_echo.full_name(options.topic_name)
    types = topic_echo.require_types(session, name, APPEAR)
    session.settle()
    sides = (
        ('Publisher', session.node.get_publishers_info_by_topic(name)),
        ('Subscription', session.node.get_subscriptions_info_by_topic(name)),
    )
    print(f'Type: {", ".join(types)}')
    for side, infos in sides:
        space = '\n' if options.verbose else ''
        print(f'{space}{side} count: {len(infos)}')
        for info in infos if options.verbose else ():
            print('\n' + describe_endpoint(info))
    return 0


def describe_endpoint(info: Any) -> str:
    """Describe a publisher or a subscription on several lines."""
    qos = info.qos_profile
    gid = '.'.join(f'{byte:02x}' for byte in info.endpoint_gid)
    lines = [
        f'Node name: {info.node_name}',
        f'Node namespace: {info.node_namespace}',
        f'Topic type: {info.topic_type}',
        f'Topic type hash: {info.topic_type_hash}',
        f'Endpoint type: {info.endpoint_type.name}',
        f'GID: {gid}',
        'QoS profile:',
        f'  Reliability: {qos.reliability.name}',
        f'  History (Depth): {qos.history.name} ({qos.depth})',
        f'  Durability: {qos.durability.name}',
        f'  Lifespan: {_duration(qos.lifespan)}',
        f'  Deadline: {_duration(qos.deadline)}',
        f'  Liveliness: {qos.liveliness.name}',
        f'  Liveliness lease duration: {_duration(qos.liveliness_lease_duration)}',
    ]
    return '\n'.join(lines)


def _duration(duration: Any) -> str:
    # All bits set but the sign stands for "for ever" in rmw.
    for_ever = duration.nanoseconds >= 2**63 - 1
    return 'Infinite' if for_ever else f'{duration.nanoseconds} nanoseconds'
