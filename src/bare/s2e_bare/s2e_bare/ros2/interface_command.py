"""`ros2 interface`: definitions of messages, services and actions."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from s2e_bare import index
from s2e_bare.errors import CommandError
from s2e_bare.ros2.interfaces import KINDS

_FIELD = re.compile(r'^\s*([A-Za-z][A-Za-z0-9_/]*)(<=\d+)?(\[[^\]]*\])?\s+[A-Za-z]')
_PRIMITIVES = re.compile(r'bool|byte|char|float(32|64)|u?int(8|16|32|64)|w?string')


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 interface',
        description='Look at message, service and action types.',
        epilog='Example: ros2 interface show geometry_msgs/msg/TwistStamped',
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    show = verbs.add_parser('show', help='print a definition with those inside it')
    show.add_argument('type', help='e.g. std_msgs/msg/String')
    show.add_argument('--all-comments', action='store_true', help='also of the types inside')
    show.add_argument('--no-comments', action='store_true', help='none at all')
    listing = verbs.add_parser('list', help='list the types')
    listing.add_argument('-m', '--only-msgs', action='append_const', dest='kinds', const='msg')
    listing.add_argument('-s', '--only-srvs', action='append_const', dest='kinds', const='srv')
    listing.add_argument(
        '-a', '--only-actions', action='append_const', dest='kinds', const='action'
    )
    package = verbs.add_parser('package', help='list the types of a package')
    package.add_argument('package_name')
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    if options.verb == 'show':
        for line in definition(
            options.type, every_comment=options.all_comments, comments=not options.no_comments
        ):
            print(line)
    elif options.verb == 'package':
        index.package_prefix(options.package_name)
        for name in types(KINDS, [options.package_name]):
            print(name)
    else:
        titles = {'msg': 'Messages', 'srv': 'Services', 'action': 'Actions'}
        for kind in options.kinds or KINDS:
            print(f'{titles[kind]}:')
            for name in types((kind,), list(index.packages())):
                print(f'  {name}')
    return 0


def types(kinds: Sequence[str], packages: Sequence[str]) -> list[str]:
    """List the types of packages, sorted."""
    return sorted(
        f'{package}/{kind}/{path.stem}'
        for package in packages
        for kind in kinds
        for path in (index.package_share(package) / kind).glob(f'*.{kind}')
    )


def find_definition(name: str) -> Path:
    """Find the file that defines a type.

    Raises:
        CommandError: It is not written as PACKAGE/KIND/NAME, or is not installed.
    """
    parts = name.split('/')
    if len(parts) == 2:
        parts.insert(1, 'msg')
    if len(parts) != 3 or parts[1] not in KINDS:
        raise CommandError(f'type {name!r}: expected PACKAGE/msg|srv|action/NAME')
    package, kind, short = parts
    path = index.package_share(package) / kind / f'{short}.{kind}'
    if not path.is_file():
        raise CommandError(f'type {name!r} not found, no file {path}')
    return path


def definition(
    name: str, *, comments: bool = True, every_comment: bool = False, depth: int = 0
) -> Iterator[str]:
    """Give the lines of a definition; fields of a message type are followed by its own, indented.

    Args:
        name: `pkg/kind/Name`.
        comments: Keep comments of the type itself.
        every_comment: Keep those of the types inside too.
        depth: Indentation.
    """
    path = find_definition(name)
    package = path.parent.parent.name
    for line in path.read_text(encoding='utf-8').splitlines():
        shown = line if comments else line.split('#', 1)[0].rstrip()
        if not shown and (depth or not comments):
            continue
        yield '\t' * depth + shown
        found = _FIELD.match(line)
        if found and not _PRIMITIVES.fullmatch(found.group(1)):
            inner = found.group(1)
            full = inner if '/' in inner else f'{package}/msg/{inner}'
            if inner == 'Header':
                full = 'std_msgs/msg/Header'
            yield from definition(
                full,
                comments=comments and every_comment,
                every_comment=every_comment,
                depth=depth + 1,
            )
