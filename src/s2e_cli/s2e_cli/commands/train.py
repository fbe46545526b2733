"""`s2e train`: record drives, encode them, clone the teacher, and learn by driving."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from s2e_cli.training.adapt import add_adapt_parser, run_adapt
from s2e_cli.training.importing import (
    add_import_parser,
    add_inspect_parser,
    run_import,
    run_inspect,
)
from s2e_cli.training.label import add_label_parser, run_label
from s2e_cli.training.posttrain import add_posttrain_parser, run_posttrain
from s2e_cli.training.progress import DriveLines, StepLines, count_line, encoded_line
from s2e_cli.training.study import add_study_parser, run_study

ORDER = 50

EPILOG = """examples:
  s2e train record config/training/record.yaml .cache/clips
  s2e train import drive.mcap .cache/clips/drive
  s2e train inspect .cache/clips
  s2e train encode .cache/clips
  s2e train label walk.mp4 clips/walk --height 1.4 --hfov 68 --licence CC-BY-4.0
  s2e train anchors .cache/clips/teacher --out anchors.npy
  s2e train pretrain config/training/small.yaml runs/small
  torchrun --nproc-per-node 2 .venv/bin/s2e train pretrain config/training/small.yaml runs/small
  s2e train posttrain config/training/posttrain.yaml runs/ram
  s2e train adapt scenes/yard runs/yard
  s2e train study config/training/studies/modes.yaml runs/modes
  s2e train evaluate runs/small .cache/clips/validation
  s2e policy export runs/small models/my-policy
"""


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the parser of this command."""
    parser = subparsers.add_parser(
        'train',
        help='record drives and train policies on them',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    steps = parser.add_subparsers(dest='step', metavar='STEP', required=True)
    record = steps.add_parser('record', help='drive the teacher through generated scenes')
    record.add_argument('config', type=Path, help='settings, such as config/training/record.yaml')
    record.add_argument('out', type=Path, help='folder of the clips; finished ones are kept')
    record.add_argument('--scene', help='scene bundle or capture to drive in, instead of cities')
    record.add_argument('--driver', help='bundle that drives while the teacher labels (DAgger)')
    record.add_argument('--first-seed', type=int, help='first city seed, instead of the file')
    record.add_argument('--scenes', type=int, help='number of scenes, instead of the file')
    record.add_argument('--seed', type=int, help='seed of everything drawn, instead of the file')
    record.add_argument('--image-size', type=int, help='height and width, instead of the file')
    record.add_argument('--workers', type=int, help='processes, instead of the file')
    add_import_parser(steps)
    add_inspect_parser(steps)
    add_label_parser(steps)
    encode = steps.add_parser('encode', help='run the frozen encoder over clips once')
    encode.add_argument('clips', type=Path, nargs='+', help='folders of clips')
    encode.add_argument('--threads', type=int, default=1, help='threads (default 1)')
    encode.add_argument('--views', type=int, default=1,
                        help='views of each clip: as recorded, then narrower lenses (default 1)')
    encode.add_argument('--config', type=Path, metavar='FILE',
                        help='settings of the training, for another encoder than that of `small`')
    anchors = steps.add_parser('anchors', help='cluster intent points from clips, with a picture')
    anchors.add_argument('clips', type=Path, nargs='+', help='folders of clips')
    anchors.add_argument('--count', type=int, default=33, help='anchors, one to stop (default 33)')
    anchors.add_argument('--seed', type=int, default=0, help='seed of the clustering (default 0)')
    anchors.add_argument('--out', type=Path, default=Path('anchors.npy'),
                         help='file; the picture lies beside it (default anchors.npy)')
    evaluate = steps.add_parser('evaluate', help='open-loop errors by task and scene, as CSV')
    evaluate.add_argument('training', type=Path, metavar='run', help='run or checkpoint')
    evaluate.add_argument('clips', type=Path, nargs='+', help='folders of clips')
    evaluate.add_argument('--out', type=Path, help='CSV file (RUN/evaluation.csv)')
    pretrain = steps.add_parser('pretrain', help='clone the teacher; goes on where it stopped')
    pretrain.add_argument('config', type=Path, help='settings, such as config/training/small.yaml')
    pretrain.add_argument('out', type=Path, help='folder of the run')
    pretrain.add_argument('--until', type=int, help='pause after this step')
    add_posttrain_parser(steps)
    add_adapt_parser(steps)
    add_study_parser(steps)


def run(args: argparse.Namespace) -> int:
    """Run one step of training."""
    actions = {
        'record': _record, 'encode': _encode, 'anchors': _anchors, 'evaluate': _evaluate,
        'pretrain': _pretrain, 'import': run_import, 'inspect': run_inspect,
        'label': run_label, 'posttrain': run_posttrain, 'adapt': run_adapt,
        'study': run_study,
    }
    return actions[args.step](args)


def _record(args: argparse.Namespace) -> int:
    from s2e_core.config import from_mapping, from_yaml, to_mapping
    from s2e_training.data.record import RecordConfig, record

    values = to_mapping(from_yaml(RecordConfig, args.config))
    for key in ('scene', 'driver', 'first_seed', 'scenes', 'seed', 'image_size', 'workers'):
        if getattr(args, key) is not None:
            values[key] = getattr(args, key)
    config = from_mapping(RecordConfig, values, source='command line')
    lines = DriveLines(config.scenes * len(config.tasks))
    record(config, args.out, lines)
    print(f'{lines.samples} samples in {args.out}')
    return 0


def _encode(args: argparse.Namespace) -> int:
    from s2e_core.config import from_yaml
    from s2e_training.data.clip import find_clips
    from s2e_training.data.features import encode_clips
    from s2e_training.pretrain.config import PretrainConfig
    from s2e_training.pretrain.setup import feature_encoder

    config = PretrainConfig('encode', clips=(), validation=())
    if args.config is not None:
        config = from_yaml(PretrainConfig, args.config)
    runner = feature_encoder(config, args.threads)

    for folder in args.clips:
        clips = find_clips(folder)
        encode_clips(clips, runner, encoded_line, args.views)
        print(f'{folder}: {len(clips)} clips encoded')
    return 0


def _anchors(args: argparse.Namespace) -> int:
    import cv2
    import numpy as np

    from s2e_training.data.clip import find_clips, load_tracks
    from s2e_training.data.windows import labels
    from s2e_training.models.anchor_picture import draw_anchors
    from s2e_training.models.anchors import cluster_anchors

    parts = []
    for clip in (clip for folder in args.clips for clip in find_clips(folder)):
        plan, keep = labels(load_tracks(clip))
        parts.append(plan[keep])
    trajectories = np.concatenate(parts)
    anchors = cluster_anchors(trajectories, args.count, args.seed)
    np.save(args.out, anchors)
    picture = args.out.with_suffix('.png')
    drawn = draw_anchors(anchors, trajectories)
    cv2.imwrite(str(picture), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    print(f'{args.out}: {len(anchors)} anchors from {len(trajectories)} samples\n{picture}')
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from s2e_training.data.clip import find_clips
    from s2e_training.data.features import FeatureEncoder, encode_clips
    from s2e_training.data.windows import WindowSet
    from s2e_training.pretrain.checkpoint import BEST, load_checkpoint, restore_model
    from s2e_training.pretrain.evaluate import evaluate, write_rows

    checkpoint = args.training / BEST if args.training.is_dir() else args.training
    model, config = restore_model(load_checkpoint(checkpoint))
    runner = FeatureEncoder(model.encoder, config.model.image_size, config.threads)
    clips = [clip for folder in args.clips for clip in find_clips(folder)]
    encode_clips(clips, runner)
    data = WindowSet(clips, runner.key, config.model.frames, config.model.goal_encoding)

    def show(done: int, total: int) -> None:
        count_line(f'evaluated {done}/{total} samples', done, total, sys.stderr)

    rows = evaluate(model, data, clips, show)
    for row in rows:
        if row['group'] != 'source':
            print(f'{row["name"]} ({row["samples"]} samples)')
            for name in ('top', 'straight', 'constant'):
                start = '' if name == 'top' else f'{name}_'
                errors = '  '.join(f'{row[f"{start}{kind}_{t}"]:.3f}'
                                   for kind in ('ade', 'fde') for t in (0.4, 1.0, 2.0))
                print(f'  {name:9s} ADE, FDE at 0.4, 1, 2 s: {errors} m  '
                      f'direction {row[f"{start}direction"]:.1f} deg')
    out = args.out or checkpoint.parent / 'evaluation.csv'
    write_rows(out, rows)
    print(out)
    return 0


def _pretrain(args: argparse.Namespace) -> int:
    from s2e_core.config import from_yaml
    from s2e_training.pretrain.config import PretrainConfig
    from s2e_training.pretrain.setup import make_trainer

    config = from_yaml(PretrainConfig, args.config)
    trainer = make_trainer(config, args.out, time.monotonic, encoded_line)
    report = trainer.run(StepLines() if trainer.first else None, args.until)
    if trainer.first:
        print(json.dumps({key: round(value, 4) for key, value in report.items()}, indent=1))
    return 0
