"""`ros2 lifecycle`: states of managed nodes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from s2e_bare.errors import CommandError
from s2e_bare.ros2.session import Session, add_graph_options, is_hidden, open_session

GET_STATE = 'lifecycle_msgs/srv/GetState'


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 lifecycle',
        description='Look at managed nodes and change their states.',
        epilog='Example: ros2 lifecycle set /policy activate',
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    nodes = verbs.add_parser('nodes', help='list the managed nodes')
    nodes.add_argument('-a', '--all', action='store_true', help='hidden ones too')
    nodes.add_argument('-c', '--count-nodes', action='store_true', help='count only')
    nodes.set_defaults(act=show_nodes)
    get = verbs.add_parser('get', help='print the state of one or of all')
    get.add_argument('node_name', nargs='?')
    get.set_defaults(act=show_state)
    listing = verbs.add_parser('list', help='list what can be done with a node now')
    listing.add_argument('-a', '--all', action='store_true', help='in any state')
    listing.add_argument('node_name')
    listing.set_defaults(act=show_transitions)
    change = verbs.add_parser('set', help='run a transition')
    change.add_argument('node_name')
    change.add_argument('transition', help='label or number')
    change.set_defaults(act=set_state)
    for sub in (nodes, get, listing, change):
        add_graph_options(sub)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    with open_session(options) as session:
        code: int = options.act(session, options)
    return code


def managed_nodes(session: Session, hidden: bool = False) -> list[str]:
    """List the nodes that offer the lifecycle services."""
    found = [
        name.rpartition('/')[0]
        for name, types in session.node.get_service_names_and_types()
        if GET_STATE in types and name.endswith('/get_state')
    ]
    return sorted(name for name in found if hidden or not is_hidden(name))


def show_nodes(session: Session, options: argparse.Namespace) -> int:
    """Print the managed nodes."""
    session.settle()
    names = managed_nodes(session, options.all)
    if options.count_nodes:
        print(len(names))
        return 0
    for name in names:
        print(name)
    return 0


def show_state(session: Session, options: argparse.Namespace) -> int:
    """Print the state of one node, or of all with their names."""
    if options.node_name:
        state = _state(session, session.require_node(options.node_name))
        print(f'{state.label} [{state.id}]')
        return 0
    session.settle()
    for name in managed_nodes(session):
        state = _state(session, name)
        print(f'{name}: {state.label} [{state.id}]')
    return 0


def show_transitions(session: Session, options: argparse.Namespace) -> int:
    """Print the transitions that are possible now."""
    node = session.require_node(options.node_name)
    for item in _transitions(session, node, every=options.all):
        print(f'- {item.transition.label} [{item.transition.id}]')
        print(f'\tStart: {item.start_state.label}\n\tGoal: {item.goal_state.label}')
    return 0


def set_state(session: Session, options: argparse.Namespace) -> int:
    """Run a transition; 1 when the node does not get there.

    Raises:
        CommandError: The transition is not possible now; the message lists those that are.
    """
    from lifecycle_msgs.srv import ChangeState

    node = session.require_node(options.node_name)
    possible = {item.transition.label: item.transition.id for item in _transitions(session, node)}
    wanted = options.transition
    number = int(wanted) if wanted.isdigit() else possible.get(wanted)
    if number not in possible.values():
        known = ', '.join(f'{label} [{value}]' for label, value in possible.items())
        raise CommandError(
            f'unknown transition requested for {node!r} in state '
            f'{_state(session, node).label!r}: {wanted!r}, available: {known}'
        )
    request = ChangeState.Request()
    request.transition.id = number
    # Configuring may load a network or a scene: give it a minute.
    if session.call(ChangeState, f'{node}/change_state', request, 60.0).success:
        print('Transitioning successful')
        return 0
    print('Transitioning failed', file=sys.stderr)
    return 1


def _state(session: Session, node: str) -> Any:
    from lifecycle_msgs.srv import GetState

    return session.call(GetState, f'{node}/get_state', GetState.Request()).current_state


def _transitions(session: Session, node: str, every: bool = False) -> list[Any]:
    from lifecycle_msgs.srv import GetAvailableTransitions

    service = 'get_transition_graph' if every else 'get_available_transitions'
    answer = session.call(
        GetAvailableTransitions, f'{node}/{service}', GetAvailableTransitions.Request()
    )
    return list(answer.available_transitions)
