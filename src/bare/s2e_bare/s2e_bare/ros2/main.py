"""Entry of the `ros2` command: makes way for a real one, else picks the command."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from s2e_bare import index
from s2e_bare.errors import BareError
from s2e_bare.ros2.handover import hand_over

# Command -> (module, what it is for). Modules are imported when their command is used.
COMMANDS = {
    'action': ('action_command', 'list, info and send_goal'),
    'bag': ('bag_command', 'info and play of recordings'),
    'interface': ('interface_command', 'show and list message, service and action types'),
    'launch': ('launch_command', 'run a launch file'),
    'lifecycle': ('lifecycle_command', 'get and set states of managed nodes'),
    'node': ('node_command', 'list and info of running nodes'),
    'param': ('param_command', 'list, get, set, dump, load and describe parameters'),
    'pkg': ('pkg_command', 'list, prefix and executables of packages'),
    'run': ('run_command', "run a package's executable"),
    'service': ('service_command', 'list, type and call services'),
    'topic': ('topic_command', 'list, echo, hz, info, type and pub topics'),
}


def usage() -> str:
    """Give the help of the command as a whole."""
    lines = [f'  {name:<10} {text}' for name, (_, text) in COMMANDS.items()]
    return '\n'.join(
        [
            'usage: ros2 COMMAND ...',
            '',
            'Stand-in of s2e_nav for machines without a full ROS 2. Commands:',
            *lines,
            '',
            'Example: ros2 launch s2e_nav navbench_sim.launch.py --show-args',
            'Each command has --help.',
        ]
    )


def run_command(argv: Sequence[str]) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name.

    Returns:
        Exit code.
    """
    name = argv[0] if argv else '--help'
    if name not in COMMANDS and name not in ('-h', '--help'):
        print(
            f'ros2: {name!r} is not a command of s2e_bare, the stand-in for a full ROS 2; '
            f'it has: {", ".join(COMMANDS)}',
            file=sys.stderr,
        )
        return 2
    try:
        code = _run(name, list(argv[1:]))
        sys.stdout.flush()
    except BareError as error:
        print(f'ros2 {name}: {error}', file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


def _run(name: str, argv: list[str]) -> int:
    if name not in COMMANDS:
        print(usage())
        return 0
    index.export_prefixes()
    module = importlib.import_module(f's2e_bare.ros2.{COMMANDS[name][0]}')
    code: int = module.run(argv)
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run as the `ros2` program; a real `ros2` takes over where there is one.

    Args:
        argv: Arguments without the program's name, by default those of this process.

    Returns:
        Exit code.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    refusal = hand_over(words)
    if refusal is not None:
        print(refusal, file=sys.stderr)
        return 1
    return run_command(words)
