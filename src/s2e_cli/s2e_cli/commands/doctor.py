"""`s2e doctor`: what is present, and how to mend what is not."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ORDER = 0

EPILOG = """examples:
  s2e doctor                  a table; exit code 1 if something needed is missing
  s2e doctor --json           the same for a program
  s2e doctor --only models    one group of checks
  s2e doctor --selftest       run what this machine has: GPU, ROS, RViz, Nav2, drivers; minutes
  s2e doctor --faults         break camera, odometry, model, processes; measure the stops; 2 min
  s2e doctor --faults camera e-stop --csv times.csv
  s2e doctor --faults --scene city:100   the same with the simulator as the robot; 6 min
  s2e doctor --soak 60        drive for an hour; does anything grow or slow down? Ctrl-C ends early
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'doctor',
        help='say what this machine has, and how to mend what is missing',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--json', action='store_true', help='write JSON')
    parser.add_argument('--selftest', action='store_true',
                        help='run providers, renderers, ros2 tools, viewers and Nav2 instead of '
                        'looking')
    parser.add_argument('--docker', action='store_true',
                        help='with --selftest: build and run the images too')
    parser.add_argument('--faults', metavar='NAME', nargs='*',
                        help='inject faults into the nodes, all or those with such names')
    parser.add_argument('--csv', metavar='FILE', type=Path,
                        help='with --faults: write the measured times')
    parser.add_argument('--scene', metavar='SCENE', nargs='?', const='city:100',
                        help='with --faults: the simulator is the robot, in this scene (city:100)')
    parser.add_argument('--soak', metavar='MINUTES', type=float,
                        help='drive the nodes from goal to goal for so long and watch them')
    parser.add_argument('--policy', metavar='NAME', default='s2e-small',
                        help='with --soak, or --faults and --scene: policy (s2e-small)')
    parser.add_argument('--robot', metavar='NAME', default='coco',
                        help='with --soak: robot profile (coco)')
    parser.add_argument('--out', metavar='FOLDER', type=Path,
                        help='with --soak: new folder for table, page and log (runs/soak-<time>)')
    parser.add_argument('--only', metavar='GROUP', help='run the checks of one group only')


def run(args: argparse.Namespace) -> int:
    """Run the checks; returns 1 if one failed."""
    from s2e_cli.doctor.checks import run_checks
    from s2e_cli.doctor.table import render_table, to_records

    def tell(text: str) -> None:
        print(f'... {text}', file=sys.stderr, flush=True)

    if args.selftest:
        from s2e_cli.doctor.selftest import selftest

        checks = list(selftest(tell, docker=args.docker))
    elif args.faults is not None:
        from s2e_cli.doctor.faults import inject

        checks = list(inject(args.faults, args.csv, tell, args.scene, args.policy))
    elif args.soak is not None:
        from s2e_cli.doctor.soak import soak

        checks = list(soak(args.soak, args.policy, args.robot, args.out, tell))
    else:
        checks = run_checks(args.only)
    if args.json:
        json.dump(to_records(checks), sys.stdout, indent=2)
        print()
    else:
        print(render_table(checks, colour=sys.stdout.isatty()))
    return int(any(check.level == 'fail' for check in checks))
