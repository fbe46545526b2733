"""`ros2 run`: replaces itself by an executable of a package."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
from collections.abc import Sequence

from s2e_bare import index
from s2e_bare.errors import CommandError


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 run',
        description="Run a package's executable.",
        epilog='Example: ros2 run s2e_nav gate --ros-args -p max_speed:=0.5',
    )
    parser.add_argument('--prefix', help='command to put in front')
    parser.add_argument('package_name', help='package')
    parser.add_argument('executable_name', help='executable of the package')
    parser.add_argument('argv', nargs=argparse.REMAINDER, help='arguments of the executable')
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command: signals and the exit code are then those of the executable itself."""
    options = make_parser().parse_args(argv)
    path = index.find_executable(options.package_name, options.executable_name)
    command = [*shlex.split(options.prefix or ''), str(path), *options.argv]
    program = shutil.which(command[0])
    if program is None:
        raise CommandError(f'prefix program {command[0]!r} not found on the PATH')
    os.execv(program, command)
