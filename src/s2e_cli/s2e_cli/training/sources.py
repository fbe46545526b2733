"""Options that describe a recording; shared by every command that opens one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2e_training.data.sources.options import SourceOptions

SIMPLE = (
    ('--hfov', 'DEG', float, 'horizontal field of view, where intrinsics are unknown'),
    ('--rate', 'HZ', float, 'images per second, where the source has no stamps'),
    ('--speed', 'M/S', float, 'steady speed to assume, where it has neither stamps nor rate'),
    ('--poses', 'FILE', str, 'pose file: TUM (8 columns) or KITTI (12 columns)'),
    ('--scale', 'M', float, 'metres per unit of the poses'),
    ('--offset', 'S', float, 'added to the stamps of the pose file'),
    ('--image-topic', 'TOPIC', str, 'images of a bag with several cameras'),
    ('--pose-source', 'TOPIC', str, "odometry topic of a bag, or 'tf'"),
    ('--base-frame', 'FRAME', str, "the robot's body in TF (base_link)"),
    ('--world-frame', 'FRAME', str, 'frame of the poses in TF (odom, else map)'),
    ('--licence', 'NAME', str, 'licence of the images, kept in every clip'),
    ('--wheelbase', 'M', float, 'donkeycar: wheelbase (0.25)'),
    ('--steering', 'DEG', float, 'donkeycar: wheel angle to the right at full steering (23)'),
    ('--full-speed', 'M/S', float, 'donkeycar: speed at full throttle (1.5)'),
)


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `source_options` reads."""
    group = parser.add_argument_group('what the source does not say itself')
    group.add_argument('--format', default='auto', help='rosbag, gnm, kitti, tum, colmap, video, '
                       'donkeycar (default: found out)')
    group.add_argument('--source-settings', type=Path, metavar='YAML',
                       help='file with any of these settings; options win')
    group.add_argument('--camera', type=Path, metavar='YAML', help='intrinsics: width, height, '
                       'fx, fy, cx, cy, model, distortion')
    group.add_argument('--mount', type=float, nargs=3, metavar=('X', 'Z', 'PITCH'),
                       help='camera ahead of base_link and above the floor (m), tilt down (rad)')
    group.add_argument('--body', choices=('camera', 'base'),
                       help='what the pose file holds poses of (default camera)')
    for flag, name, kind, text in SIMPLE:
        group.add_argument(flag, metavar=name, type=kind, help=text)


def source_options(args: argparse.Namespace) -> SourceOptions:
    """Read the options.

    Raises:
        ConfigError: A file or value breaks a rule.
    """
    from s2e_core.camera import CameraModel
    from s2e_core.config import from_mapping, from_yaml, to_mapping
    from s2e_training.data.sources.options import SourceOptions

    values = {}
    if args.source_settings is not None:
        values = to_mapping(from_yaml(SourceOptions, args.source_settings))
    if args.format != 'auto':
        values['format'] = args.format
    if args.camera is not None:
        values['camera'] = to_mapping(from_yaml(CameraModel, args.camera))
    if args.mount is not None:
        x, z, pitch = args.mount
        values['mount'] = {'x': x, 'y': 0.0, 'z': z, 'pitch': pitch}
    for name in ('body', *(flag[2:].replace('-', '_') for flag, *_ in SIMPLE)):
        if getattr(args, name) is not None:
            values[name] = getattr(args, name)
    return from_mapping(SourceOptions, values, source='command line')
