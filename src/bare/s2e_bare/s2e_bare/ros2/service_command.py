"""`ros2 service`: list, type and call."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from s2e_bare.errors import CommandError
from s2e_bare.ros2.conversion import fill, parse_yaml
from s2e_bare.ros2.interfaces import load_type
from s2e_bare.ros2.session import APPEAR, Session, add_graph_options, is_hidden, open_session
from s2e_bare.ros2.topic_echo import full_name


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 service',
        description='Look at services and call them.',
        epilog='Example: ros2 service call /gate/rearm std_srvs/srv/Trigger',
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    listing = verbs.add_parser('list', help='list the services')
    listing.add_argument('-t', '--show-types', action='store_true', help='show types too')
    listing.add_argument('-c', '--count-services', action='store_true', help='count only')
    listing.add_argument('--include-hidden-services', action='store_true')
    listing.set_defaults(act=show_list)
    kind = verbs.add_parser('type', help="print a service's type")
    kind.add_argument('service_name')
    kind.set_defaults(act=show_type)
    call = verbs.add_parser('call', help='call a service')
    call.add_argument('service_name')
    call.add_argument('service_type')
    call.add_argument('values', nargs='?', default='{}', help='fields as YAML')
    call.add_argument('-r', '--rate', type=float, help='repeat so many times per second')
    call.add_argument('--timeout', type=float, help='seconds to wait for service and answer')
    call.set_defaults(act=call_service)
    for sub in (listing, kind, call):
        add_graph_options(sub)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    with open_session(options) as session:
        code: int = options.act(session, options)
    return code


def show_list(session: Session, options: argparse.Namespace) -> int:
    """Print the services."""
    session.settle()
    hidden = options.include_hidden_services
    found = [
        (name, types)
        for name, types in sorted(session.node.get_service_names_and_types())
        if hidden or not is_hidden(name)
    ]
    if options.count_services:
        print(len(found))
        return 0
    for name, types in found:
        print(f'{name} [{", ".join(types)}]' if options.show_types else name)
    return 0


def show_type(session: Session, options: argparse.Namespace) -> int:
    """Print the types of one service.

    Raises:
        CommandError: There is no such service.
    """
    name = full_name(options.service_name)
    types = session.until(
        lambda: dict(session.node.get_service_names_and_types()).get(name), APPEAR
    )
    if types is None:
        raise CommandError(f'unknown service {name!r}')
    for kind in types:
        print(kind)
    return 0


def call_service(session: Session, options: argparse.Namespace) -> int:
    """Call a service and print the answer.

    Raises:
        CommandError: A field that does not fit, or no answer in time.
    """
    cls = load_type(options.service_type, 'srv')
    request = cls.Request()
    fill(
        request,
        parse_yaml(options.values, 'request'),
        stamp=session.node.get_clock().now().to_msg(),
    )
    name = full_name(options.service_name)
    client = session.node.create_client(cls, name)
    if not client.service_is_ready():
        print('waiting for service to become available...', flush=True)
    ready = session.until(lambda: True if client.service_is_ready() else None, options.timeout)
    if ready is None:
        raise CommandError(f'service {name!r} is not there after {options.timeout:g} s')
    while True:
        print(f'requester: making request: {request!r}\n', flush=True)
        started = time.monotonic()
        answer = session.wait_for(client.call_async(request), name, options.timeout)
        print(f'response:\n{answer!r}\n', flush=True)
        if options.rate is None:
            return 0
        session.until(lambda: None, max(0.0, started + 1.0 / options.rate - time.monotonic()))
