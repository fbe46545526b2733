"""`s2e robot`: list, show, write and measure robot profiles."""

from __future__ import annotations

import argparse
import contextlib
import math
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2e_core.robot import RobotProfile

ORDER = 60

EPILOG = """examples:
  s2e robot list
  s2e robot show turtlebot4
  s2e robot new --out my_robot.yaml
  s2e robot new --set name=rover --set kinematics=differential --out rover.yaml
  s2e robot check my_robot.yaml            # wheels off the ground
  s2e robot check my_robot.yaml --camera   # turn the robot by hand; nothing is sent
ROBOT is a name in config/robots or the path of a .yaml file.
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'robot', help='list, show, write and measure robot profiles', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    actions.add_parser('list', help='name the profiles that are installed')
    show = actions.add_parser('show', help='say what a profile means')
    show.add_argument('robot', metavar='ROBOT')
    new = actions.add_parser('new', help='ask for a profile, field by field, and write it')
    new.add_argument('--out', type=Path, metavar='FILE', help='YAML file (NAME.yaml)')
    new.add_argument('--set', action='append', default=[], metavar='FIELD=VALUE',
                     help='answer beforehand; camera.FIELD for the camera')
    check = actions.add_parser(
        'check', help="measure the base's own time-out, or whether the camera is mirrored",
        description='Turns the wheels slowly, falls silent, and times the odometry until the base '
        'has stopped by itself. With --camera it sends nothing and compares the picture with '
        'odometry while you turn the robot. What follows --ros-args goes to ROS.',
        epilog='examples:\n  s2e robot check jackal --ros-args -r cmd_vel:=/j100/cmd_vel '
        '-r odom:=/j100/platform/odom\n'
        '  s2e robot check jackal --camera --ros-args -r camera/image_raw:=/color/image_raw '
        '-r camera/camera_info:=/color/camera_info',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument('robot', metavar='ROBOT')
    check.add_argument('--speed', type=float, default=0.1, metavar='M/S', help='(0.1)')
    check.add_argument('--trials', type=int, default=3, metavar='N', help='(3)')
    check.add_argument('--yes', action='store_true', help='do not ask whether the wheels are free')
    check.add_argument('--camera', action='store_true',
                       help='turn the robot both ways: does its picture turn with odometry?')
    check.add_argument('--compressed', action='store_true',
                       help='with --camera: read compressed images')
    check.add_argument('--patience', type=float, default=120.0, metavar='S',
                       help='with --camera: longest wait, seconds (120)')
    check.add_argument('--ros-args', nargs=argparse.REMAINDER, default=[], metavar='ARG')


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    return int({'list': _list, 'show': _show, 'new': _new, 'check': _check}[args.action](args))


def _list(args: argparse.Namespace) -> int:
    from s2e_core.robot import load_robot, robot_files

    for path in robot_files():
        robot = load_robot(path)
        print(f'{robot.name:14} {robot.kinematics:14} {robot.length:g} x {robot.width:g} m  '
              f'{robot.v_max:g} m/s')
    return 0


def _show(args: argparse.Namespace) -> int:
    from s2e_cli.robot.sheet import describe
    from s2e_core.robot import load_robot

    robot = load_robot(args.robot)
    print(robot.name)
    _tell(describe(robot))
    return 0


def _tell(sheet: Mapping[str, Any]) -> None:
    for name, value in sheet.items():
        print(f'  {name:14} {value}')


def _new(args: argparse.Namespace) -> int:
    from s2e_cli.robot.questions import Interview, check_target, write_profile
    from s2e_cli.robot.sheet import describe
    from s2e_core.errors import ConfigError
    from s2e_core.settings import read_settings

    with contextlib.suppress(ImportError):
        # Merely imported it lets answers be edited, where Python has it.
        import readline  # noqa: F401
    if args.out:
        check_target(args.out)

    def refuse(name: str) -> str:
        taken = not args.out and Path(f'{name}.yaml').exists()
        return f'is taken: {name}.yaml exists already' if taken else ''

    interview = Interview(input, print, dict(read_settings(args.set)), refuse)
    if sys.stdin.isatty():
        print('Enter takes the value in brackets; Ctrl-C ends without a file.')
    try:
        profile = interview.profile()
    except EOFError as error:
        print(file=sys.stderr)
        raise ConfigError(
            f'the answers ended before the questions; {_resumed(interview.answers)}'
        ) from error
    except KeyboardInterrupt:
        print(f'\nnothing was written; {_resumed(interview.answers)}', file=sys.stderr)
        raise
    path = args.out or Path(f'{profile.name}.yaml')
    write_profile(profile, path)
    print(f'\nwrote {path}')
    _tell(describe(profile))
    print(f'next, with the wheels off the ground: s2e robot check {path}\n'
          f'then: ros2 launch s2e_nav robot.launch.py robot:={path}')
    return 0


def _resumed(answers: Mapping[str, Any]) -> str:
    """Say how to go on without typing everything again."""
    if not answers:
        return 'use --set'
    words = ' '.join(f'--set {shlex.quote(f"{name}={value}")}' for name, value in answers.items())
    return f'go on with: s2e robot new {words}'


def _check(args: argparse.Namespace) -> int:
    from s2e_core.robot import load_robot

    robot = load_robot(args.robot)
    ros = ['--ros-args', *args.ros_args] if args.ros_args else []
    return _check_camera(args, robot, ros) if args.camera else _check_base(args, robot, ros)


def _check_camera(args: argparse.Namespace, robot: RobotProfile, ros: list[str]) -> int:
    from s2e_nav.nodes.camera_check import check_camera

    trial = check_camera(
        robot.camera, args.compressed, args.patience, lambda text: print(text, flush=True), ros
    )
    counts = trial.counts
    print(f'{counts["agrees"]} of {counts.total()} pairs of pictures turn as odometry says')
    return 0


def _check_base(args: argparse.Namespace, robot: RobotProfile, ros: list[str]) -> int:
    from s2e_core.base_trial import TrialConfig
    from s2e_nav.nodes.base_check import check_base

    config = TrialConfig(speed=args.speed, trials=args.trials)
    if not args.yes:
        answer = input(f'{robot.name}: the wheels will turn at {config.speed:g} m/s. Are they off '
                       'the ground, and is nobody near? [no] ')
        if answer.strip().lower() not in ('y', 'yes'):
            print('nothing was done', file=sys.stderr)
            return 1
    results = check_base(config, robot.twist_stamped, ros)
    for number, result in enumerate(results, 1):
        print(f'trial {number}: slower after {result.timeout:.3f} s, at rest after '
              f'{result.rest:.3f} s')
    # Rounded up to 0.05 s: what is written down may be longer than the truth, never shorter.
    worst = math.ceil(max(result.timeout for result in results) * 20.0) / 20.0
    print(f'put into the profile: base_timeout: {worst:g}')
    return 0
