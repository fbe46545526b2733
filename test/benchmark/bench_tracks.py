"""How recorded pedestrians fit onto generated cities: who is played, and what drawing costs.

    python test/benchmark/bench_tracks.py FILE... [--scenes city:100-103] [--episodes 5]

Writes results/bench_tracks.csv: a line for each file and task, means over episodes.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from navbench_gs.runner.plan import parse_scenes
from navbench_gs.scenes.resolve import resolve_scene
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.robot import load_robot

RESULTS = Path(__file__).parent / 'results' / 'bench_tracks.csv'


def measured(spec: EpisodeSpec) -> tuple[float, float, float, float]:
    """People, people there at once, metres they walk, share of those present at the start."""
    rows = [np.array(person.track) for person in spec.people]
    lasts = sum(float(track[-1, 0] - track[0, 0]) for track in rows)
    walked = sum(float(np.hypot(*np.diff(track[:, 1:], axis=0).T).sum()) for track in rows)
    start = sum(float(track[0, 0]) == 0.0 for track in rows)
    return len(rows), lasts / spec.time_limit, walked, start


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('files', nargs='+', type=Path)
    parser.add_argument('--scenes', nargs='+', default=['city:100-103'])
    parser.add_argument('--episodes', type=int, default=5)
    args = parser.parse_args()
    robot = load_robot('coco')
    bundles = [resolve_scene(scene) for scene in parse_scenes(args.scenes)]
    lines = [('file', 'task', 'episodes', 'people', 'fewest', 'at_once', 'metres', 'at_start',
              'cpu_s')]
    for file in args.files:
        protocol = load_protocol('default', file)
        for task in ('pedestrian', 'obstacle_pedestrian'):
            began, found = time.process_time(), []
            for bundle in bundles:
                for index in range(args.episodes):
                    found.append(measured(
                        sample_episode(bundle, task, index, 0, protocol, robot)))
            cost = (time.process_time() - began) / len(found)
            people, at_once, metres, start = np.mean(found, axis=0)
            fewest = min(row[0] for row in found)
            name = f'{file.parent.name}/{file.name}'
            lines.append((name, task, str(len(found)), f'{people:.1f}', f'{fewest:.0f}',
                          f'{at_once:.1f}', f'{metres:.0f}', f'{start:.1f}', f'{cost:.2f}'))
            print(*lines[-1])
    with RESULTS.open('w', newline='', encoding='utf-8') as stream:
        csv.writer(stream, lineterminator='\n').writerows(lines)


if __name__ == '__main__':
    main()
