"""`ros2 pkg`: what is installed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from s2e_bare import index


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 pkg', description='Look at packages.', epilog='Example: ros2 pkg list'
    )
    verbs = parser.add_subparsers(dest='verb', required=True)
    verbs.add_parser('list', help='list the packages')
    prefix = verbs.add_parser('prefix', help="print a package's prefix")
    prefix.add_argument('--share', action='store_true', help='print the share directory instead')
    prefix.add_argument('package_name')
    executables = verbs.add_parser('executables', help='list executables')
    executables.add_argument('--full-path', action='store_true', help='print whole paths')
    executables.add_argument('package_name', nargs='?')
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command."""
    options = make_parser().parse_args(argv)
    if options.verb == 'list':
        for name in index.packages():
            print(name)
    elif options.verb == 'prefix':
        find = index.package_share if options.share else index.package_prefix
        print(find(options.package_name))
    else:
        names = [options.package_name] if options.package_name else list(index.packages())
        for name in names:
            for path in index.executables(name):
                print(path if options.full_path else f'{name} {path.name}')
    return 0
