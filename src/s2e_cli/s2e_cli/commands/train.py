"""`s2e train`: record drives, encode them, and clone the teacher."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2e_training.data.record import Recorded
    from s2e_training.pretrain.trainer import Progress

ORDER = 50

EPILOG = """examples:
  s2e train record config/training/record.yaml .cache/clips
  s2e train encode .cache/clips
  s2e train pretrain config/training/small.yaml runs/small
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
    record.add_argument('--driver', help='bundle that drives while the teacher labels (DAgger)')
    record.add_argument('--first-seed', type=int, help='first city seed, instead of the file')
    record.add_argument('--scenes', type=int, help='number of scenes, instead of the file')
    record.add_argument('--seed', type=int, help='seed of everything drawn, instead of the file')
    record.add_argument('--workers', type=int, help='processes, instead of the file')
    encode = steps.add_parser('encode', help='run the frozen encoder over clips once')
    encode.add_argument('clips', type=Path, nargs='+', help='folders of clips')
    encode.add_argument('--threads', type=int, default=1, help='threads (default 1)')
    pretrain = steps.add_parser('pretrain', help='clone the teacher; goes on where it stopped')
    pretrain.add_argument('config', type=Path, help='settings, such as config/training/small.yaml')
    pretrain.add_argument('out', type=Path, help='folder of the run')
    pretrain.add_argument('--until', type=int, help='pause after this step')


def run(args: argparse.Namespace) -> int:
    """Run one step of training."""
    return {'record': _record, 'encode': _encode, 'pretrain': _pretrain}[args.step](args)


def _record(args: argparse.Namespace) -> int:
    from s2e_core.config import from_mapping, from_yaml, to_mapping
    from s2e_training.data.record import RecordConfig, record

    values = to_mapping(from_yaml(RecordConfig, args.config))
    for key in ('driver', 'first_seed', 'scenes', 'seed', 'workers'):
        if getattr(args, key) is not None:
            values[key] = getattr(args, key)
    config = from_mapping(RecordConfig, values, source='command line')
    started, total = time.monotonic(), config.scenes * len(config.tasks)
    done = {'drives': 0, 'samples': 0, 'arrived': 0, 'touched': 0}

    def show(item: Recorded) -> None:
        done['drives'] += 1
        done['samples'] += item.samples
        done['arrived'] += item.arrived
        done['touched'] += item.touched
        minutes = (time.monotonic() - started) / 60
        note = f'  skipped: {item.skipped}' if item.skipped else ''
        print(
            f'{done["drives"]:5d}/{total} {item.name:44s} {item.samples:4d} samples  '
            f'{done["samples"] / minutes:6.0f} samples/min  '
            f'arrived {done["arrived"] / done["drives"]:.0%} '
            f'touched {done["touched"] / done["drives"]:.0%}{note}',
            flush=True,
        )

    record(config, args.out, show)
    print(f'{done["samples"]} samples in {args.out}')
    return 0


def _encode(args: argparse.Namespace) -> int:
    from s2e_training.data.clip import find_clips
    from s2e_training.data.features import FeatureEncoder, encode_clips
    from s2e_training.models.lite0 import Lite0

    encoder = Lite0()
    encoder.load_imagenet()
    runner = FeatureEncoder(encoder, 128, args.threads)

    def show(done: int, total: int) -> None:
        print(f'\rencoded {done}/{total} clips', end='', flush=True)

    for folder in args.clips:
        encode_clips(find_clips(folder), runner, show)
        print()
    return 0


def _pretrain(args: argparse.Namespace) -> int:
    from s2e_core.config import from_yaml
    from s2e_training.pretrain.config import PretrainConfig
    from s2e_training.pretrain.setup import make_trainer

    config = from_yaml(PretrainConfig, args.config)
    trainer = make_trainer(config, args.out, time.monotonic)
    first = trainer.step

    def show(p: Progress) -> None:
        if p.step % 20 and p.validation is None:
            return
        left = (p.steps - p.step) * p.seconds / max(1, p.step - first)
        print(
            f'step {p.step}/{p.steps}  loss {p.loss["total"]:.3f}  '
            f'nll {p.loss["likelihood"]:.2f}  score {p.loss["score"]:.3f}  '
            f'{p.seconds / max(1, p.step - first):.2f} s/step  ETA {left / 60:.0f} min',
            flush=True,
        )
        if p.validation is not None:
            v = p.validation
            print(
                f'  validation: loss {v["loss"]:.3f}  ADE 2 s {v["ade_2.0"]:.3f} m  '
                f'FDE 2 s {v["fde_2.0"]:.3f} m (best of 6 {v["best_fde_2.0"]:.3f}, straight '
                f'{v["straight_fde_2.0"]:.3f})  direction {v["direction"]:.1f} deg (straight '
                f'{v["straight_direction"]:.1f})', flush=True,
            )

    report = trainer.run(show, args.until)
    print(json.dumps({key: round(value, 4) for key, value in report.items()}, indent=1))
    return 0
