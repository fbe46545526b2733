"""`s2e policy evaluate`: a bundle over clips, open loop."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from s2e_cli.training.progress import count_line

TIMES = (0.4, 1.0, 2.0)
NAMES = (
    ('top mode', ''), ('best of 6', 'best_'), ('straight', 'straight_'),
    ('constant', 'constant_'),
)


def add_evaluate_parser(steps: argparse._SubParsersAction[Any]) -> None:
    """Add `evaluate`."""
    parser = steps.add_parser(
        'evaluate', help='open-loop errors of a bundle over clips, by source',
        epilog='example:\n  s2e policy evaluate models/s2e-small clips/kitti clips/lund',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('bundle', help='folder, or name under models/')
    parser.add_argument('clips', type=Path, nargs='+', help='folders of clips')
    parser.add_argument('--goal-free', action='store_true', help='withhold the goal')
    parser.add_argument('--out', type=Path, help='CSV file of every number')


def run_evaluate(args: argparse.Namespace) -> int:
    """Print a table for all samples and for each source."""
    from s2e_core.paths import find_model
    from s2e_policy.bundle import load_bundle
    from s2e_policy.runtime import OnnxPolicy
    from s2e_training.data.clip import find_clips
    from s2e_training.pretrain.evaluate import write_rows
    from s2e_training.pretrain.evaluate_bundle import evaluate_bundle

    policy = OnnxPolicy(load_bundle(find_model(args.bundle)))
    clips = [clip for folder in args.clips for clip in find_clips(folder)]

    def show(done: int, total: int) -> None:
        count_line(f'evaluated {done}/{total} clips', done, total, sys.stderr)

    rows = evaluate_bundle(policy, clips, args.goal_free, show)
    print(f'{policy.spec.name}, {"goal-free" if args.goal_free else "with goal"}; metres')
    for row in rows:
        if row['group'] == 'task':
            continue
        print(f'{row["name"]} ({row["samples"]} samples)')
        print('             ADE 0.4 s   1 s    2 s   FDE 0.4 s   1 s    2 s   direction')
        for name, start in NAMES:
            ade, fde = (
                ' '.join(f'{row[f"{start}{kind}_{time}"]:6.3f}' for time in TIMES)
                for kind in ('ade', 'fde')
            )
            angle = '' if start == 'best_' else f'{row[f"{start}direction"]:8.1f} deg'
            print(f'  {name:11s} {ade}      {fde}  {angle}')
        print(f'  calibration error {row["calibration_error"]:.3f}  score entropy '
              f'{row["score_entropy"]:.2f} nats  within the 50 % ellipse '
              f'{row["inside_50"]:.0%}, 90 % {row["inside_90"]:.0%}')
        if not math.isnan(float(row.get('free_abs', math.nan))):
            print(f'  free distance off by {row["free_abs"]:.2f} m, within 3 m by '
                  f'{row["free_abs_3m"]:.2f} m; within a factor of 1.25 '
                  f'{row["free_within"]:.0%}, stated {row["free_confidence"]:.0%}')
    if args.out is not None:
        write_rows(args.out, rows)
        print(args.out)
    return 0
