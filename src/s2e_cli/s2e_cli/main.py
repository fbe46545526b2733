"""The `s2e` command: finds the commands, runs one, and turns errors into one clear line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from s2e_cli.registry import discover
from s2e_core.errors import S2EError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
REQUIREMENTS = {
    's2e_training': 'src/s2e_training of this repository: do not skip it in `colcon build`; '
    'reading recordings needs no torch',
    **dict.fromkeys(
        ('torch', 'transformers', 'onnx', 'pycolmap', 'tensorboard'), 'requirements/training.txt'
    ),
}
"""Where packages that only some commands need come from."""

EPILOG = """examples:
  s2e doctor                  what this machine has, and how to mend what is missing
  s2e COMMAND --help          options and examples of one command
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command of `s2e_cli.commands`."""
    parser = argparse.ArgumentParser(
        prog='s2e',
        description='Visual navigation with S2E policies: simulate, benchmark, train, check.',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--traceback', action='store_true', help='show where an error comes from')
    subparsers = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name, module in discover().items():
        before = set(subparsers.choices)
        module.add_parser(subparsers)
        for added in set(subparsers.choices) - before:
            subparsers.choices[added].set_defaults(run=module.run)
            if added != name:
                raise TypeError(f'module s2e_cli.commands.{name} adds the command {added}')
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after `s2e`; the process's own when left out.

    Returns:
        Exit code: the command's own, 2 on an error of ours, 130 on Ctrl-C.
    """
    parser = build_parser()
    args = parser.parse_args(arguments)
    try:
        return int(args.run(args))
    except S2EError as error:
        if args.traceback:
            raise
        print(f's2e: error: {error}', file=sys.stderr)
        return EXIT_ERROR
    except ModuleNotFoundError as error:
        if args.traceback or error.name is None:
            raise
        package = error.name.partition('.')[0]
        hint = REQUIREMENTS.get(package, 'requirements/')
        print(
            f's2e: error: `s2e {args.command}` needs the package {package}, which is not '
            f'installed ({hint}); `s2e doctor` shows what is missing', file=sys.stderr,
        )
        return EXIT_ERROR
    except KeyboardInterrupt:
        print('s2e: interrupted', file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe such as `s2e doctor | head` has gone; nothing is left to tell it.
        sys.stderr.close()
        return 0
