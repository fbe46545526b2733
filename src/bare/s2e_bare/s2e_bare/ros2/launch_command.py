"""`ros2 launch`: runs a launch file of a package, or one given by its path."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from s2e_bare import aliases, index
from s2e_bare.errors import CommandError

if TYPE_CHECKING:
    from s2e_bare.launch.launch_description import LaunchDescription
    from s2e_bare.launch.launch_description_entity import LaunchDescriptionEntity


def make_parser() -> argparse.ArgumentParser:
    """Make the parser, with upstream's words."""
    parser = argparse.ArgumentParser(
        prog='ros2 launch',
        description='Run a launch file.',
        epilog='Example: ros2 launch s2e_nav navbench_sim.launch.py episodes:=2',
    )
    add = parser.add_argument
    add('-n', '--noninteractive', action='store_true', help='nobody sits at the terminal')
    add('-d', '--debug', action='store_true', help='debug messages and tracebacks')
    add(
        '-p',
        '--print',
        '--print-description',
        dest='print_description',
        action='store_true',
        help='print the launch description, run nothing',
    )
    add(
        '-s',
        '--show-args',
        '--show-arguments',
        dest='show_args',
        action='store_true',
        help='show the arguments of the launch file, run nothing',
    )
    add(
        '-a',
        '--show-all-subprocesses-output',
        dest='show_all',
        action='store_true',
        help="show all children's output on the screen",
    )
    add('--launch-prefix', help='command to put in front of every process')
    add('--launch-prefix-filter', help='regular expression of the names it is for')
    add('package_name', help='package of the launch file, or the path of one')
    add('launch_file_name', nargs='?', help='name of the launch file')
    add('launch_arguments', nargs='*', help='arguments: NAME:=VALUE')
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command; gives the exit code of the launch."""
    options = make_parser().parse_intermixed_args(argv)
    path, words = resolve(options.package_name, options.launch_file_name, options.launch_arguments)
    arguments = parse_arguments(words)
    aliases.install(required=True)
    if options.show_args:
        return show_arguments(path)
    if options.print_description:
        print_tree(_load(path).entities)
        return 0
    if options.show_all:
        os.environ['OVERRIDE_LAUNCH_PROCESS_OUTPUT'] = 'both'
    if options.launch_prefix is not None:
        arguments.append(('launch-prefix', options.launch_prefix))
    if options.launch_prefix_filter is not None:
        arguments.append(('launch-prefix-filter', options.launch_prefix_filter))
    return launch(path, arguments, options)


def launch(path: Path, arguments: list[tuple[str, str]], options: argparse.Namespace) -> int:
    """Run a launch file with arguments."""
    from s2e_bare.launch import LaunchDescription, LaunchService
    from s2e_bare.launch.actions import IncludeLaunchDescription
    from s2e_bare.launch.launch_description_sources import AnyLaunchDescriptionSource
    from s2e_bare.launch.logging import get_logger, launch_config

    service = LaunchService(
        argv=[f'{name}:={value}' for name, value in arguments],
        noninteractive=options.noninteractive,
        debug=options.debug,
    )
    logger = get_logger('launch')
    logger.info(f'All log files can be found below {launch_config.log_dir}')
    level = 'DEBUG' if options.debug else 'INFO'
    logger.info(f'Default logging verbosity is set to {level}')
    include = IncludeLaunchDescription(
        AnyLaunchDescriptionSource(str(path)), launch_arguments=arguments
    )
    service.include_launch_description(LaunchDescription([include]))
    try:
        return service.run()
    finally:
        launch_config.reset()


def resolve(package: str, file: str | None, words: Sequence[str]) -> tuple[Path, list[str]]:
    """Find the launch file.

    Args:
        package: Package name, or path of a launch file.
        file: Name of the file in the package, or the first argument after a path.
        words: Further arguments.

    Returns:
        The file and the argument words.

    Raises:
        CommandError: There is no such file; the message lists those of the package.
    """
    if Path(package).is_file():
        return Path(package), [*([file] if file else []), *words]
    if file is None or ':=' in file:
        raise CommandError(
            f'{package!r} is no launch file; give a path, or a package and a file: '
            f'launch files of the package: {_known(package)}'
        )
    share = index.package_share(package)
    found = [path for path in _files(share) if path.name == file]
    if (share / file).is_file():
        found = [share / file]
    if not found:
        raise CommandError(
            f'file {file!r} was not found in the share directory of package {package!r}, '
            f'{share}; it has: {_known(package)}'
        )
    if len(found) > 1:
        raise CommandError(f'file {file!r} is there more than once: {[str(p) for p in found]}')
    return found[0], list(words)


def parse_arguments(words: Sequence[str]) -> list[tuple[str, str]]:
    """Split `name:=value` words; the last value of a name holds.

    Raises:
        CommandError: A word without `:=` or without a name.
    """
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition(':=')
        if not sign or not name:
            raise CommandError(f'malformed launch argument {word!r}, expected NAME:=VALUE')
        found[name] = value
    return list(found.items())


def show_arguments(path: Path) -> int:
    """Print the arguments of a launch file with descriptions and defaults."""
    from s2e_bare.launch.substitution import describe_substitutions

    arguments = _load(path).walk_arguments()
    print("Arguments (pass arguments as '<name>:=<value>'):")
    if not arguments:
        print('\n  No arguments.')
    for argument, conditional in arguments:
        print(f"\n    '{argument.name}':{'*' if conditional else ''}")
        print(f'        {argument.description}')
        if argument.default_value is not None:
            print(f'        (default: {describe_substitutions(argument.default_value)})')
    if any(conditional for _, conditional in arguments):
        print('\n* argument(s) which are only used if specific conditions occur')
    return 0


def print_tree(entities: Sequence[LaunchDescriptionEntity], depth: int = 0) -> None:
    """Print entities and what is inside them, one per line."""
    for entity in entities:
        print(f'{"    " * depth}{entity.describe()}')
        print_tree(entity.describe_sub_entities(), depth + 1)


def _load(path: Path) -> LaunchDescription:
    from s2e_bare.launch.launch_context import LaunchContext
    from s2e_bare.launch.launch_description_sources import AnyLaunchDescriptionSource

    try:
        return AnyLaunchDescriptionSource(str(path)).get_launch_description(LaunchContext())
    except Exception as error:
        print(f'[ERROR] [launch]: {type(error).__name__}: {error}', file=sys.stderr)
        raise CommandError(f'cannot load launch file {str(path)!r}') from error


def _known(package: str) -> list[str]:
    files = _files(index.package_share(package))
    return sorted(path.name for path in files if path.name.endswith('launch.py'))


def _files(folder: Path) -> list[Path]:
    """List all files below a folder, through links too: a development install is made of them."""
    walk = os.walk(folder, followlinks=True)
    return sorted(Path(root) / name for root, _, names in walk for name in names)
