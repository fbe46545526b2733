"""`ros2 node`: which nodes run, and what each offers and uses."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from s2e_bare.ros2.session import Session, add_graph_options, is_hidden, open_session


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 node', description='Look at nodes.', epilog='Example: ros2 node info /gate'
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    listing = verbs.add_parser('list', help='list the nodes')
    listing.add_argument('-a', '--all', action='store_true', help='hidden ones too')
    listing.add_argument('-c', '--count-nodes', action='store_true', help='count only')
    listing.set_defaults(act=show_list)
    info = verbs.add_parser('info', help="show a node's topics, services and actions")
    info.add_argument('--include-hidden', action='store_true', help='hidden ones too')
    info.add_argument('node_name')
    info.set_defaults(act=show_info)
    for sub in (listing, info):
        add_graph_options(sub)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    with open_session(options) as session:
        code: int = options.act(session, options)
    return code


def show_list(session: Session, options: argparse.Namespace) -> int:
    """Print the nodes."""
    session.settle()
    names = session.nodes(hidden=options.all)
    if options.count_nodes:
        print(len(names))
        return 0
    for name in names:
        print(name)
    return 0


def show_info(session: Session, options: argparse.Namespace) -> int:
    """Print what a node has.

    Raises:
        CommandError: There is no such node.
    """
    from rclpy.action.graph import (
        get_action_client_names_and_types_by_node,
        get_action_server_names_and_types_by_node,
    )

    full = session.require_node(options.node_name)
    namespace, _, name = full.rpartition('/')
    node, where = session.node, (name, namespace or '/')
    sections = {
        'Subscribers': node.get_subscriber_names_and_types_by_node(*where),
        'Publishers': node.get_publisher_names_and_types_by_node(*where),
        'Service Servers': node.get_service_names_and_types_by_node(*where),
        'Service Clients': node.get_client_names_and_types_by_node(*where),
        'Action Servers': get_action_server_names_and_types_by_node(node, *where),
        'Action Clients': get_action_client_names_and_types_by_node(node, *where),
    }
    print(full)
    for title, entries in sections.items():
        print(f'  {title}:')
        for entry, types in sorted(entries):
            if options.include_hidden or not is_hidden(entry):
                print(f'    {entry}: {", ".join(types)}')
    return 0
