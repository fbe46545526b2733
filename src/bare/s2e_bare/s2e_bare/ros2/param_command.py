"""`ros2 param`: list, get, set, dump, load and describe parameters of running nodes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from s2e_bare.errors import CommandError
from s2e_bare.ros2 import parameter_values as values
from s2e_bare.ros2.conversion import dump_yaml
from s2e_bare.ros2.param_client import ParamClient
from s2e_bare.ros2.session import Session, add_graph_options, open_session


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 param',
        description='Look at parameters and change them.',
        epilog='Example: ros2 param set /gate v_max 0.5',
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    for verb, words, act, text in (
        ('list', ('node_name?',), show_list, 'list the parameters'),
        ('get', ('node_name', 'parameter_name'), show_value, 'print a value'),
        ('set', ('node_name', 'parameter_name', 'value'), change, 'set a value'),
        ('dump', ('node_name',), dump, 'print all values as a parameter file'),
        ('load', ('node_name', 'parameter_file'), load, 'set the values of a parameter file'),
        ('describe', ('node_name', 'parameter_name'), describe, 'print type and limits'),
    ):
        sub = verbs.add_parser(verb, help=text)
        for word in words:
            sub.add_argument(word.rstrip('?'), nargs='?' if word.endswith('?') else None)
        add_graph_options(sub)
        sub.set_defaults(act=act)
    verbs.choices['get'].add_argument('--hide-type', action='store_true', help='value only')
    verbs.choices['list'].add_argument('--param-prefixes', nargs='+', default=[])
    verbs.choices['list'].add_argument('-t', '--param-type', action='store_true')
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    with open_session(options) as session:
        code: int = options.act(session, options)
    return code


def show_list(session: Session, options: argparse.Namespace) -> int:
    """Print the parameters of one node, or of all that have parameter services."""
    if options.node_name:
        nodes = [session.require_node(options.node_name)]
    else:
        session.settle()
        services = dict(session.node.get_service_names_and_types())
        nodes = [name for name in session.nodes() if f'{name}/list_parameters' in services]
    for node in nodes:
        client = ParamClient(session, node)
        names = client.names(options.param_prefixes)
        if not options.node_name:
            print(f'{node}:')
        types = client.types(names) if options.param_type else {}
        for name in names:
            kind = f' (type: {values.NAMES[types[name]]})' if name in types else ''
            print(f'  {name}{kind}')
    return 0


def show_value(session: Session, options: argparse.Namespace) -> int:
    """Print one value.

    Raises:
        CommandError: The node has no such parameter.
    """
    _, value = _require(session, options)
    plain = values.to_plain(value)
    shown = plain if isinstance(plain, str) else yaml_line(plain)
    print(shown if options.hide_type else f'{values.TYPES[value.type][1]}: {shown}')
    return 0


def change(session: Session, options: argparse.Namespace) -> int:
    """Set one value; 1 when the node refuses."""
    client = ParamClient(session, session.require_node(options.node_name))
    name = options.parameter_name
    plain = values.parse(options.value)
    message = values.to_message(plain, client.types([name])[name])
    result = client.set({name: message})[name]
    if result.successful:
        print('Set parameter successful' + (f': {result.reason}' if result.reason else ''))
        return 0
    print(f'Setting parameter failed: {result.reason}', file=sys.stderr)
    return 1


def dump(session: Session, options: argparse.Namespace) -> int:
    """Print all values as a parameter file."""
    client = ParamClient(session, session.require_node(options.node_name))
    found = {k: values.to_plain(v) for k, v in client.get(client.names()).items()}
    given = {name: value for name, value in found.items() if value is not None}
    tree = {client.node: {'ros__parameters': values.nest(given)}}
    print(dump_yaml(tree, sort_keys=True), end='')
    return 0


def load(session: Session, options: argparse.Namespace) -> int:
    """Set the values of a parameter file; 1 when the node refuses one of them.

    Raises:
        CommandError: The file has no section for the node.
    """
    client = ParamClient(session, session.require_node(options.node_name))
    wanted = read_file(Path(options.parameter_file), client.node)
    types = {name: client.types([name])[name] for name in wanted}
    messages = {name: values.to_message(plain, types[name]) for name, plain in wanted.items()}
    failed = 0
    for name, result in client.set(messages).items():
        if result.successful:
            print(f'Set parameter {name} successful')
        else:
            failed = 1
            print(f'Set parameter {name} failed: {result.reason}', file=sys.stderr)
    return failed


def describe(session: Session, options: argparse.Namespace) -> int:
    """Print what the node says about a parameter."""
    client, _ = _require(session, options)
    for item in client.describe([options.parameter_name]):
        print(f'Parameter name: {item.name}\n  Type: {values.NAMES[item.type]}')
        if item.description:
            print(f'  Description: {item.description}')
        print('  Constraints:')
        if item.read_only:
            print('    Read only: true')
        for limits in (*item.floating_point_range, *item.integer_range):
            print(f'    Min value: {limits.from_value}\n    Max value: {limits.to_value}')
            if limits.step:
                print(f'    Step: {limits.step}')
        if item.additional_constraints:
            print(f'    Additional constraints: {item.additional_constraints}')
    return 0


def read_file(path: Path, node: str) -> dict[str, Any]:
    """Read the parameters for a node from a parameter file; later sections win.

    Raises:
        CommandError: No such file, or it has no section for the node.
    """
    try:
        tree = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError) as error:
        raise CommandError(f'parameter file {str(path)!r}: {error}') from error
    found: dict[str, Any] = {}
    matched = False
    for section, content in tree.items() if isinstance(tree, dict) else ():
        named = section if section.startswith('/') else f'/{section}'
        if named in (node, '/**') and isinstance(content, dict):
            matched = True
            found.update(values.flatten(content.get('ros__parameters') or {}))
    if not matched:
        raise CommandError(f'parameter file {str(path)!r} has no section for node {node!r}')
    return found


def yaml_line(plain: Any) -> str:
    """Write a value on one line: True, 1.5, ['a', 'b']."""
    return str(plain)


def _require(session: Session, options: argparse.Namespace) -> tuple[ParamClient, Any]:
    client = ParamClient(session, session.require_node(options.node_name))
    value = client.get([options.parameter_name]).get(options.parameter_name)
    if value is None or value.type not in values.TYPES:
        raise CommandError(
            f'parameter {options.parameter_name!r} of node {client.node!r} is not set'
        )
    return client, value
