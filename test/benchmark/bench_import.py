"""Import captures that were turned, scaled, thinned, shifted and littered; compare with the plain.

Example:
    python test/benchmark/bench_import.py --capture capture.ply
    python test/benchmark/bench_import.py --cities 1000,1004

A capture is changed, written as .ply, imported with what its user would know (the scale) and
surveyed for a disc of 0.3 m. For generated cities, whose true map is known, the row also says how
much of the true free ground was found and how much of what was found is truly free.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench_render import DATA

from navbench_gs.errors import NavBenchError
from navbench_gs.scenes import resolve_scene
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.importer import ImportOptions, import_capture
from navbench_gs.scenes.survey import survey
from navbench_gs.splats import GaussianCloud, load, save_ply
from navbench_gs.splats.cloud import GaussianCloud as Cloud

RESULTS = Path(__file__).parent / 'results/bench_import.csv'
SCENES = DATA / 'splats/scenes'

Change = Callable[[Cloud], Cloud]


def turned(axis: str, degrees: float) -> Change:
    """Return a rotation about an axis of the capture."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    index = 'xyz'.index(axis)
    i, j = (index + 1) % 3, (index + 2) % 3
    pose = np.eye(4)
    pose[i, i], pose[i, j], pose[j, i], pose[j, j] = c, -s, s, c
    return lambda cloud: cloud.transformed(pose)


def scaled(factor: float) -> Change:
    """Return a change of unit."""
    return lambda cloud: cloud.transformed(np.diag([factor, factor, factor, 1.0]))


def shifted(by: float) -> Change:
    """Return a move of the origin."""
    pose = np.eye(4)
    pose[:3, 3] = (by, -0.6 * by, 0.1 * by)
    return lambda cloud: cloud.transformed(pose)


def thinned(share: float) -> Change:
    """Return a random choice of the gaussians, each grown to keep the area that they cover."""
    def change(cloud: Cloud) -> Cloud:
        kept = np.flatnonzero(np.random.default_rng(0).random(len(cloud)) < share)
        chosen = pick(cloud, kept)
        return dataclasses.replace(chosen, scales=chosen.scales / np.sqrt(share))
    return change


def littered(share: float) -> Change:
    """Return the addition of small floaters anywhere in the box that holds 99 % of the scene."""
    def change(cloud: Cloud) -> Cloud:
        rng = np.random.default_rng(0)
        litter = pick(cloud, rng.choice(len(cloud), int(share * len(cloud)), replace=False))
        low, high = np.percentile(cloud.means, (0.5, 99.5), axis=0)
        means = rng.uniform(low, high, (len(litter), 3)).astype(cloud.means.dtype)
        faint = np.minimum(litter.opacities, 0.5)
        return GaussianCloud.concatenate([
            cloud, dataclasses.replace(litter, means=means, opacities=faint)
        ])
    return change


def pick(cloud: Cloud, index: np.ndarray) -> Cloud:
    """Return some gaussians of a cloud."""
    values = {field.name: getattr(cloud, field.name)[index] for field in dataclasses.fields(cloud)}
    return Cloud(**values)


def both(one: Change, other: Change) -> Change:
    """Return one change after the other."""
    return lambda cloud: other(one(cloud))


CHANGES: dict[str, tuple[Change, float]] = {
    'plain': (lambda cloud: cloud, 1.0),
    'turned 37 degrees about z': (turned('z', 37.0), 1.0),
    'tilted 3 degrees': (turned('x', 3.0), 1.0),
    'tilted 8 degrees': (turned('y', 8.0), 1.0),
    'tilted 15 degrees': (turned('x', 15.0), 1.0),
    'upside down': (turned('x', 180.0), 1.0),
    'up is +y': (turned('x', -90.0), 1.0),
    'up is -y (as trainers write)': (turned('x', 90.0), 1.0),
    'unit of 2.7 m': (scaled(0.37), 1 / 0.37),
    'unit of 0.34 m': (scaled(2.9), 1 / 2.9),
    '500 m from the origin': (shifted(500.0), 1.0),
    'half of the gaussians': (thinned(0.5), 1.0),
    'a quarter of the gaussians': (thinned(0.25), 1.0),
    '2 % floaters added': (littered(0.02), 1.0),
    'as trainers write, tilted 8 degrees, unit of 0.34 m': (
        both(both(turned('y', 8.0), turned('x', 90.0)), scaled(2.9)), 1 / 2.9,
    ),
}
"""Name: the change, and the scale that undoes it."""


def overlap(found: CollisionMap, truth: CollisionMap) -> dict[str, float]:
    """Compare free ground for a disc of 0.3 m with the true map.

    Returns:
        `found_share` of the true free cells that are free, `true_share` of the found free cells
        that are truly free.
    """
    true_free, free = truth.free(0.3), found.free(0.3)
    cells = np.argwhere(true_free)
    places = found.cell(truth.centre(cells))
    inside = found.inside(truth.centre(cells))
    hit = np.zeros(len(cells), bool)
    hit[inside] = free[tuple(places[inside].T)]
    back = np.argwhere(free)
    at = found.centre(back)
    known = truth.inside(at)
    right = np.zeros(len(back), bool)
    right[known] = true_free[tuple(truth.cell(at[known]).T)]
    shares = {'found_share': hit.mean(), 'true_share': right.mean()}
    return {name: round(float(share), 3) for name, share in shares.items()}


def measure(
    name: str, cloud: Cloud, change: str, truth: CollisionMap | None, folder: Path
) -> dict[str, object]:
    """Import one changed capture."""
    alter, scale = CHANGES[change]
    file = folder / 'capture.ply'
    save_ply(file, alter(cloud))
    row: dict[str, object] = {'capture': name, 'change': change, 'failed': ''}
    try:
        bundle = import_capture(file, folder / 'bundle', ImportOptions(scale=scale))
        found = survey(bundle)
    except NavBenchError as error:
        return row | {'failed': str(error).partition(': ')[2]}
    row |= {
        'up': bundle.notes['up'], 'tilt_removed_deg': bundle.notes['tilt_removed_deg'],
        'free_m2': round(found.free, 1), 'route_m': round(found.length, 1),
        'climb_m': round(found.climb, 2), 'found_share': '', 'true_share': '',
    }
    if truth is not None and change in ('plain', 'half of the gaussians',
                                        'a quarter of the gaussians', '2 % floaters added'):
        row |= overlap(bundle.collision, truth)
    return row


def main() -> None:
    """Import everything, print and store the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--capture', action='append', type=Path,
                        help='capture, repeatable (the shared ones)')
    parser.add_argument('--cities', default='1000,1004', help='city seeds, comma separated')
    parser.add_argument('--changes', help='names, separated by ; (all)')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    captures = arguments.capture or sorted(SCENES.iterdir() if SCENES.is_dir() else [])
    wanted = arguments.changes.split(';') if arguments.changes else list(CHANGES)
    clouds: list[tuple[str, Cloud, CollisionMap | None]] = []
    for path in captures:
        clouds.append((path.name, load(path), None))
    for seed in filter(None, arguments.cities.split(',')):
        city = resolve_scene(f'city:{seed}')
        clouds.append((city.name, city.cloud(), city.collision))
    rows = []
    for name, cloud, truth in clouds:
        flat = dataclasses.replace(cloud, sh=cloud.sh[:, :1])
        for change in wanted:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measure(name, flat, change, truth, Path(folder)))
            print(rows[-1], flush=True)
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, max(rows, key=len).keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
