"""`s2e replay`: show what a policy would have done in a recording."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2e_cli.replay.player import Step
    from s2e_training.data.sources.options import SourceOptions

ORDER = 20

EPILOG = """examples:
  s2e replay walk.mp4
  s2e replay recordings/kitti_seq_a --out runs/kitti
  s2e replay drive.mcap --policy models/mine --goal 6s
  s2e replay photos/ --rate 2 --policy adapter:s2e:zoo/S2E/s2e.onnx --goal 10m
The folder written holds index.html (film, errors, latency, entropy), replay.mp4, replay.json and
replay.csv. docs/replay.md says what the lines mean.
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'replay', help='show what a policy would have done in a bag, video or folder of images',
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, metavar='SOURCE',
                        help='bag, video or folder of images, with poses where there are any')
    parser.add_argument('--policy', default='s2e-small', metavar='NAME',
                        help='bundle by name or folder, or adapter:KIND:PATH (s2e-small)')
    parser.add_argument('--out', type=Path, metavar='DIR', help='folder (runs/replay-<source>)')
    parser.add_argument('--goal', default='auto', metavar='GOAL',
                        help='none; 8s: the place 8 s on along the recorded way; 10m: straight '
                             'ahead; auto: 8s where poses are known, else none')
    parser.add_argument('--seconds', type=float, default=0.0, metavar='S', help='length (all)')
    parser.add_argument('--width', type=int, default=960, metavar='PX', help='of the film (960)')
    parser.add_argument('--threads', type=int, default=1, metavar='N', help='of an operator (1)')
    facts = parser.add_argument_group('what the recording does not say itself')
    facts.add_argument('--format', default='auto', help='format of the source (found out)')
    facts.add_argument('--fov', type=float, metavar='DEG', help='horizontal field of view')
    facts.add_argument('--height', type=float, metavar='M', help='camera above the ground')
    facts.add_argument('--pitch', type=float, metavar='DEG', help='camera looks down by')
    facts.add_argument('--rate', type=float, metavar='HZ', help='images per second')
    facts.add_argument('--topic', default='', help='topic of the images in a bag')


def run(args: argparse.Namespace) -> int:
    """Replay one recording."""
    from s2e_cli.replay.options import ReplayOptions
    from s2e_cli.replay.run import PAGE
    from s2e_cli.replay.run import replay as play
    from s2e_cli.replay.source import open_source
    from s2e_policy.named import open_policy

    options = ReplayOptions(
        goal=args.goal, seconds=args.seconds, width=args.width, threads=args.threads
    )
    footage = open_source(args.source, source_options(args))
    loaded = open_policy(args.policy, threads=args.threads, goal_comes_later=args.goal != 'none')
    out = args.out or Path('runs') / f'replay-{args.source.resolve().stem}'
    summed = play(footage, loaded, out, options, _progress)
    for note in summed['notes']:
        print(f'note: {note}')
    latency = summed['latency_ms']['all']
    print(f'{summed["images"]} images in {summed["seconds"]:.1f} s, policy {summed["policy"]}, '
          f'goal: {summed["goal"]}')
    print(f'latency p50 {latency["p50"]:.1f} ms, p95 {latency["p95"]:.1f}, '
          f'p99 {latency["p99"]:.1f}')
    scored = summed['against_recorded_way']
    for time in ('1.0', '2.0') if scored else ():
        print(f'against the recorded way over {time} s: ' + ', '.join(
            f'{key} {scored[f"{key}_{time}"]:.2f} m' for key in ('ade', 'fde', 'best_fde')
        ))
    print(f'page: {out / PAGE}')
    return 0


def source_options(args: argparse.Namespace) -> SourceOptions:
    """Turn what the user said about the recording into the readers' options.

    Raises:
        ConfigError: Out of bounds.
    """
    from s2e_core.camera import SMALL_MOUNT, CameraMount
    from s2e_core.config import from_mapping
    from s2e_training.data.sources.options import SourceOptions

    values: dict[str, Any] = {'format': args.format, 'image_topic': args.topic}
    if args.fov is not None:
        values['hfov'] = args.fov
    if args.rate is not None:
        values['rate'] = args.rate
    options = from_mapping(SourceOptions, values, source='replay')
    if args.height is None and args.pitch is None:
        return options
    pitch = SMALL_MOUNT.pitch if args.pitch is None else math.radians(args.pitch)
    height = SMALL_MOUNT.z if args.height is None else args.height
    return replace(options, mount=CameraMount(0.0, 0.0, height, pitch))


def _progress(steps: Iterable[Step], count: int) -> Iterable[Step]:
    from tqdm import tqdm

    return tqdm(steps, total=count, unit='img', file=sys.stderr, smoothing=0.1)
