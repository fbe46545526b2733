"""What docs/experiments.md says of a study beside its table: rates while exploring, recordings.

Run: python test/benchmark/study_tables.py runs/modes docs/experiments/modes --past 3072 \
         --clips .cache/clips/kitti .cache/clips/lund .cache/clips/donkeycar

Writes OUT_exploring.csv, a line for each rollout of each training, and with --clips
OUT_recordings.csv, open-loop errors of the parent and of every trained bundle; prints what the
document shows of both. Folders of clips with black margins end in _black. With --goal-free the
file is OUT_goal_free.csv.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from s2e_policy.bundle import load_bundle
from s2e_policy.runtime import OnnxPolicy
from s2e_training.data.clip import find_clips
from s2e_training.pretrain.evaluate_bundle import evaluate_bundle

LOGGED = {'step': 'step', 'episodes': 'episodes', 'success': 'success',
          'clean_success': 'clean_success', 'collisions': 'collisions', 'kl': 'kl',
          'reward': 'reward'}
"""Columns of the document's files by those of log.csv."""
ERRORS = ('ade_2.0', 'fde_2.0', 'direction', 'best_ade_2.0', 'best_fde_2.0')
BLACK = '_black'

Row = Mapping[str, object]


def trainings(study: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield variant, seed and folder of each training, seed by seed."""
    found = [(folder.name.rpartition('-'), folder) for folder in study.iterdir()
             if (folder / 'log.csv').is_file()]
    for (variant, _, seed), folder in sorted(found, key=lambda item: (item[0][2], item[1])):
        yield variant, seed, folder


def exploring(study: Path) -> list[Row]:
    """Return a row for each rollout in which the policy explored; SFT has none."""
    rows: list[Row] = []
    for variant, seed, folder in trainings(study):
        with (folder / 'log.csv').open(encoding='utf-8') as file:
            for row in csv.DictReader(file):
                if 'kl' in row:
                    named = {ours: f'{float(row[theirs]):.4g}' for ours, theirs in LOGGED.items()}
                    rows.append({'variant': variant, 'seed': seed, **named,
                                 'step': row['step'], 'episodes': f'{float(row["episodes"]):g}'})
    return rows


def print_exploring(rows: Sequence[Row], past: int) -> None:
    """Print means over the episodes that ended past a step, by variant and seed."""
    totals: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        count = float(str(row['episodes']))
        if float(str(row['step'])) <= past or count == 0.0:
            continue
        total = totals[str(row['variant']), str(row['seed'])]
        total['episodes'] += count
        for name in ('success', 'clean_success', 'collisions'):
            total[name] += count * float(str(row[name]))
    print(f'exploring, past {past} steps: variant, seed, episodes, success, without contact, CT')
    for (variant, seed), total in totals.items():
        means = [total[name] / total['episodes']
                 for name in ('success', 'clean_success', 'collisions')]
        print(f'  {variant:20s} {seed} {total["episodes"]:5.0f}  '
              + '  '.join(f'{mean:.2f}' for mean in means))


def recordings(study: Path, folders: Sequence[Path], goal_free: bool) -> list[Row]:
    """Return open-loop errors, recording by recording, parents first."""
    parents = [('parent', '', folder / 'bundle') for folder in (study / 'parent').iterdir()
               if (folder / 'bundle').is_dir()]
    bundles = [*parents, *((variant, seed, folder / 'bundle')
                           for variant, seed, folder in trainings(study)
                           if (folder / 'bundle').is_dir())]
    rows: list[Row] = []
    for folder in folders:
        clips = find_clips(folder)
        for variant, seed, bundle in bundles:
            whole = evaluate_bundle(OnnxPolicy(load_bundle(bundle)), clips, goal_free)[0]
            row = {'recording': folder.name.removesuffix(BLACK), 'variant': variant, 'seed': seed,
                   'margins': 'black' if folder.name.endswith(BLACK) else 'edge',
                   'samples': whole['samples'],
                   **{name: round(float(whole[name]), 4) for name in ERRORS}}
            rows.append(row)
            print(f'  {folder.name:16s} {variant:20s} {seed:1s}  ADE at 2 s {row["ade_2.0"]}')
    return rows


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write rows with the columns of the first."""
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
    print(path)


def main() -> None:
    """Write and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', type=Path, help='folder of `s2e train study`')
    parser.add_argument('out', help='beginning of the files to write')
    parser.add_argument('--past', type=int, default=3072, metavar='STEP',
                        help='means begin after this step: until then the policy stands (3072)')
    parser.add_argument('--clips', type=Path, nargs='+', default=(), help='folders of clips')
    parser.add_argument('--goal-free', action='store_true', help='withhold the goal')
    args = parser.parse_args()
    explored = exploring(args.study)
    if explored:
        write(Path(f'{args.out}_exploring.csv'), explored)
        print_exploring(explored, args.past)
    if args.clips:
        name = 'goal_free' if args.goal_free else 'recordings'
        write(Path(f'{args.out}_{name}.csv'), recordings(args.study, args.clips, args.goal_free))


if __name__ == '__main__':
    main()
