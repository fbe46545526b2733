"""`ros2 action`: list, info and send_goal."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from s2e_bare.errors import CommandError
from s2e_bare.ros2.conversion import fill, parse_yaml, to_yaml
from s2e_bare.ros2.interfaces import load_type
from s2e_bare.ros2.session import Session, add_graph_options, open_session
from s2e_bare.ros2.topic_echo import full_name

# How long a goal that Ctrl-C interrupts may take to be cancelled.
CANCEL = 5.0


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 action',
        description='Look at actions and send goals.',
        epilog='Example: ros2 action send_goal -f /navigate_to_pose '
        'nav2_msgs/action/NavigateToPose "{pose: {header: {frame_id: odom}}}"',
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    listing = verbs.add_parser('list', help='list the actions')
    listing.add_argument('-t', '--show-types', action='store_true', help='show types too')
    listing.add_argument('-c', '--count-actions', action='store_true', help='count only')
    listing.set_defaults(act=show_list)
    info = verbs.add_parser('info', help='show servers and clients of an action')
    info.add_argument('-t', '--show-types', action='store_true', help='show types too')
    info.add_argument('-c', '--count', action='store_true', help='counts only')
    info.add_argument('action_name')
    info.set_defaults(act=show_info)
    send = verbs.add_parser('send_goal', help='send a goal and wait for its result')
    send.add_argument('action_name')
    send.add_argument('action_type')
    send.add_argument('goal', nargs='?', default='{}', help='fields as YAML')
    send.add_argument('-f', '--feedback', action='store_true', help='print feedback')
    send.add_argument('-t', '--timeout', type=float, help='seconds to wait for server, result')
    send.set_defaults(act=send_goal)
    for sub in (listing, info, send):
        add_graph_options(sub)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    with open_session(options) as session:
        code: int = options.act(session, options)
    return code


def show_list(session: Session, options: argparse.Namespace) -> int:
    """Print the actions."""
    from rclpy.action.graph import get_action_names_and_types

    session.settle()
    found = sorted(get_action_names_and_types(session.node))
    if options.count_actions:
        print(len(found))
        return 0
    for name, types in found:
        print(f'{name} [{", ".join(types)}]' if options.show_types else name)
    return 0


def show_info(session: Session, options: argparse.Namespace) -> int:
    """Print the servers and the clients of one action."""
    from rclpy.action.graph import (
        get_action_client_names_and_types_by_node,
        get_action_server_names_and_types_by_node,
    )

    session.settle()
    wanted = full_name(options.action_name)
    print(f'Action: {wanted}')
    for title, look in (
        ('clients', get_action_client_names_and_types_by_node),
        ('servers', get_action_server_names_and_types_by_node),
    ):
        found = []
        for node in session.nodes():
            namespace, _, name = node.rpartition('/')
            types = dict(look(session.node, name, namespace or '/')).get(wanted)
            if types is not None:
                found.append(f'{node} [{", ".join(types)}]' if options.show_types else node)
        print(f'Action {title}: {len(found)}')
        for entry in () if options.count else found:
            print(f'    {entry}')
    return 0


def send_goal(session: Session, options: argparse.Namespace) -> int:
    """Send a goal, wait for its result; Ctrl-C cancels the goal.

    Returns:
        0 when the goal succeeded, else 1.

    Raises:
        CommandError: A field that does not fit, no server in time, or the goal was rejected.
    """
    from rclpy.action.client import ActionClient

    statuses = _status_names(load_type('action_msgs/msg/GoalStatus', 'msg'))
    cls = load_type(options.action_type, 'action')
    goal = cls.Goal()
    stamp = session.node.get_clock().now().to_msg()
    fill(goal, parse_yaml(options.goal, 'goal'), stamp=stamp)
    client: Any = ActionClient(session.node, cls, full_name(options.action_name))
    try:
        sent = _send(session, client, goal, options)
        try:
            handle = session.wait_for(sent, 'goal', options.timeout)
            if handle.accepted:
                identity = bytes(handle.goal_id.uuid).hex()
                print(f'Goal accepted with ID: {identity}\n', flush=True)
                answer = session.wait_for(handle.get_result_async(), 'result', options.timeout)
        except (KeyboardInterrupt, CommandError):
            _cancel(session, sent)
            raise
        if not handle.accepted:
            raise CommandError('goal was rejected')
    finally:
        client.destroy()
    print(f'Result:\n{_indent(to_yaml(answer.result))}\n')
    status = statuses.get(answer.status, str(answer.status))
    print(f'Goal finished with status: {status}')
    return 0 if status == 'SUCCEEDED' else 1


def _cancel(session: Session, sent: Any) -> None:
    """Cancel a goal, also one whose acceptance has not been heard of: its robot may drive."""
    print('Canceling goal...', flush=True)
    handle = session.wait_for(sent, 'goal', CANCEL)
    if handle.accepted:
        session.wait_for(handle.cancel_goal_async(), 'cancelling', CANCEL)


def _send(session: Session, client: Any, goal: Any, options: argparse.Namespace) -> Any:
    """Wait for the server and send the goal; gives the future of its handle."""
    print('Waiting for an action server to become available...', flush=True)
    ready = session.until(lambda: True if client.server_is_ready() else None, options.timeout)
    if ready is None:
        raise CommandError(
            f'no server of action {options.action_name!r} after {options.timeout:g} s'
        )
    print(f'Sending goal:\n{_indent(to_yaml(goal))}', flush=True)

    def show(feedback: Any) -> None:
        print(f'Feedback:\n{_indent(to_yaml(feedback.feedback))}\n', flush=True)

    return client.send_goal_async(goal, feedback_callback=show if options.feedback else None)


def _status_names(status: Any) -> dict[int, str]:
    prefix = 'STATUS_'
    return {
        getattr(status, name): name.removeprefix(prefix)
        for name in dir(type(status)) + dir(status)
        if name.startswith(prefix)
    }


def _indent(text: str) -> str:
    return ''.join(f'    {line}\n' for line in text.rstrip().splitlines())
