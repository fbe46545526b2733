"""`s2e train label`: ordinary video to training clips."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

EPILOG = """examples:
  s2e train label walk.mp4 clips/walk --height 1.4 --hfov 68 --licence CC-BY-4.0
  s2e train label drive.mp4 clips/drive --kind drive --height 1.65 --camera camera.yaml
  s2e train label photos/ clips/photos --fps 1 --rate 1 --features sift --width 1024 \\
      --height 1.6 --hfov 70

camera.yaml: width, height, fx, fy, cx, cy and, for a distorted lens, model and distortion.
A run that was stopped goes on where it was. OUT/summary.png shows the path, the confidence and
what was rejected.
"""


def add_label_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this step."""
    parser = steps.add_parser(
        'label', help='turn walking or driving video without poses into clips', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('video', type=Path, help='video file, or folder of photos with --fps')
    parser.add_argument('out', type=Path, help='folder of the clips; finished ones are kept')
    parser.add_argument('--height', type=float, required=True, help='camera above ground, m')
    lens = parser.add_mutually_exclusive_group(required=True)
    lens.add_argument('--camera', type=Path, help='file with the intrinsics')
    lens.add_argument('--hfov', type=float, help='horizontal field of view, degrees')
    parser.add_argument('--refine-focal', action='store_true',
                        help='calibrate the focal length from the video')
    parser.add_argument('--kind', choices=('walk', 'drive'), default='walk',
                        help='what speeds are plausible (default walk)')
    parser.add_argument('--features', choices=('klt', 'sift'), default='klt',
                        help='klt for video, sift for sparse photos (default klt)')
    parser.add_argument('--rate', type=float, default=5.0, help='frames per second of the clips')
    parser.add_argument('--width', type=int, default=640,
                        help='wider video is shrunk to this for the odometry (default 640)')
    parser.add_argument('--confidence', type=float, default=0.2,
                        help='pieces that are trusted less are rejected (default 0.2)')
    parser.add_argument('--fps', type=float, help="frame rate, instead of the video's own")
    parser.add_argument('--licence', default='unknown', help='licence of the video')


def run_label(args: argparse.Namespace) -> int:
    """Label a video."""
    from s2e_core.camera import CameraModel
    from s2e_core.config import from_mapping, from_yaml
    from s2e_core.errors import ConfigError
    from s2e_training.label.config import LabelConfig
    from s2e_training.label.frames import open_footage
    from s2e_training.label.run import SUMMARY, label

    if args.hfov is not None and not 10.0 <= args.hfov <= 170.0:
        raise ConfigError(f'--hfov must be in 10..170 degrees, got {args.hfov}')
    config = from_mapping(LabelConfig, {
        key: getattr(args, key) for key in (
            'height', 'kind', 'features', 'rate', 'refine_focal', 'width', 'confidence')
    }, source='command line')
    footage = open_footage(args.video, args.fps)
    if args.camera is not None:
        camera = from_yaml(CameraModel, args.camera)
        if (camera.width, camera.height) != (footage.width, footage.height):
            camera = camera.scaled(footage.width, footage.height)
    else:
        camera = CameraModel.from_fov(footage.width, footage.height, math.radians(args.hfov))
    started = time.monotonic()

    def show(done: int, total: int, record: dict[str, Any]) -> None:
        kept = sum(len(piece['numbers']) for piece in record['pieces'])
        left = (time.monotonic() - started) * (total - done) / done / 60
        print(f'chunk {done}/{total}: {kept}/{record["frames"]} frames labelled  '
              f'ETA {left:.1f} min', flush=True)
        for piece in record['pieces']:
            trust = sum(piece['confidence']) / len(piece['confidence'])
            print(f'  {piece["name"]}: {len(piece["numbers"])} frames, confidence {trust:.2f}, '
                  f'{piece["speed"]:.2f} m/s, {len(piece["clips"])} clips')
        for first, last, reason in record['rejected']:
            print(f'  {first / footage.fps:.1f}-{(last + 1) / footage.fps:.1f} s rejected: '
                  f'{reason}')

    records = label(footage, camera, config, args.out, args.licence, show)
    clips = sum(len(piece['clips']) for record in records for piece in record['pieces'])
    print(f'{clips} clips in {args.out}\n{args.out / SUMMARY}')
    return 0 if clips else 1
