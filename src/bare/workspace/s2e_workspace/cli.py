"""The builder's command line: `python3 -m s2e_workspace setup`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from s2e_workspace import machine
from s2e_workspace.activation import install_activation
from s2e_workspace.console import Console
from s2e_workspace.environment import install_data, install_requirements, make_venv
from s2e_workspace.errors import WorkspaceError
from s2e_workspace.interfaces import build_interfaces, install_interfaces
from s2e_workspace.layout import Layout
from s2e_workspace.overlay import build_overlay

ROOT = Path(__file__).resolve().parents[4]


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the environment; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='python3 -m s2e_workspace',
        description='Build .venv and the colcon overlay of this checkout.',
        epilog='example: python3 -m s2e_workspace setup --profile development',
    )
    commands = parser.add_subparsers(dest='command', required=True)
    setup = commands.add_parser('setup', help='make or update the environment')
    setup.add_argument(
        '--profile',
        choices=('runtime', 'development'),
        default='runtime',
        help='runtime: simulate and drive; development: also train, test and lint',
    )
    setup.add_argument('--root', type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        set_up(Layout(options.root.resolve()), Console(), options.profile)
    except WorkspaceError as error:
        print(f's2e: error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print('\ninterrupted; run the same command again to go on', file=sys.stderr)
        return 130
    return 0


def set_up(layout: Layout, console: Console, profile: str) -> None:
    """Do every step whose inputs changed.

    Raises:
        WorkspaceError: If the machine lacks something or a step fails.
    """
    start = time.monotonic()
    machine.check_python()
    machine.check_no_full_ros()
    machine.check_machine()
    machine.check_headers()
    machine.compiler()
    make_venv(layout, console)
    install_requirements(layout, console, 'build', 'ROS 2 (Kilted) and build tools')
    # Compiling and downloading side by side saves the shorter of both.
    with ThreadPoolExecutor(max_workers=1) as pool:
        compiled = pool.submit(build_interfaces, layout, console)
        _install_profile(layout, console, profile)
        compiled.result()
    install_interfaces(layout, console)
    install_activation(layout)
    build_overlay(layout, console)
    if time.monotonic() - start > 1.0:
        console.note(f'  environment ready in {time.monotonic() - start:.0f} s')


def _install_profile(layout: Layout, console: Console, profile: str) -> None:
    install_requirements(layout, console, 'runtime', 'libraries')
    if profile == 'development':
        install_requirements(layout, console, 'training', 'training libraries')
        install_requirements(layout, console, 'development', 'test and lint tools')
        install_data(layout, console, 'legged', 'model and gait of robot go2')
