"""The recipe of docs/protocol.md and a bootstrap written another way, against the report."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.metrics.record import COLUMNS, Contact, EpisodeLog
from navbench_gs.metrics.summary import by_task
from navbench_gs.report.read import read_run
from navbench_gs.report.tables import summary_values, write_json
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.se2 import Pose2

DOCUMENT = Path(__file__).resolve().parents[3] / 'docs' / 'protocol.md'
RECIPE = re.search(r'```python\n(.*?)```', DOCUMENT.read_text(encoding='utf-8'), re.DOTALL)
LINE = re.compile(r'(\w+) (SR|collision-free SR) (\d+) ([\d.]+) \[([\d.-]+), ([\d.]+)\]')
NAMES = {'SR': 'success', 'collision-free SR': 'collision_free_success'}


def write_episodes(root: Path, wins: dict[str, list[int]], touched: int = 3) -> None:
    """Write episodes by scene: 1 is a success; in every `touched`th episode there is a contact."""
    (root / 'episodes').mkdir(parents=True)
    ticks = {name: np.zeros(2) for name in COLUMNS}
    for task in ('empty', 'obstacle'):
        for scene, results in wins.items():
            for index, won in enumerate(results if task == 'empty' else results[::2]):
                spec = EpisodeSpec(scene, 'h', 'coco', task, index, 0, Pose2(), (9.0, 0.0), 9.0,
                                   9.0, False, 35.0)
                contacts = () if index % touched else (Contact(1, 'wall_0', 'static'),)
                log = EpisodeLog(spec, 'p', 'straight', 'success' if won else 'timed_out', '',
                                 ticks, contacts)
                (root / 'episodes' / f'{spec.id}.json').write_text(log.to_json())


def by_recipe(root: Path) -> dict[tuple[str, str], tuple[int, float, float, float]]:
    """Run the document's program in a Python that knows nothing of us."""
    assert RECIPE is not None
    done = subprocess.run([sys.executable, '-I', '-c', RECIPE[1], str(root)], text=True,
                          capture_output=True, check=True)
    return {
        (found[1], NAMES[found[2]]): (int(found[3]), *map(float, found.group(4, 5, 6)))
        for found in map(LINE.fullmatch, done.stdout.splitlines()) if found
    }


def by_chance(groups: list[list[int]], draws: int = 3000) -> tuple[float, float]:
    """The same bootstrap by other means: Python's generator, one draw at a time."""
    chance = random.Random(7)
    means = []
    for _ in range(draws):
        scenes = chance.choices(groups, k=len(groups))
        episodes = [value for scene in scenes for value in chance.choices(scene, k=len(scene))]
        means.append(sum(episodes) / len(episodes))
    means.sort()
    return means[round(0.025 * draws)], means[round(0.975 * draws) - 1]


MANY = {
    'city:1': [1, 1, 1, 0, 1, 1], 'city:2': [0, 0, 1, 0, 0, 1], 'city:10': [1, 1, 0, 1],
    'city:3': [1] * 6, 'city:4': [0, 1, 0, 1, 0, 1], 'city:5': [1, 0, 0, 0, 1, 0],
}


@pytest.mark.parametrize('wins', [MANY, {'city:7': [1, 1, 0, 1, 1, 0, 1, 1]}])
def test_the_recipe_gives_the_numbers_of_the_report(tmp_path, wins):
    write_episodes(tmp_path, wins)
    _, _, scored = read_run(tmp_path)
    parts = by_task(scored)
    write_json({'summaries': [summary_values(part) for part in parts]}, tmp_path / 'summary.json')
    told = json.loads((tmp_path / 'summary.json').read_text())['summaries']
    found = by_recipe(tmp_path)
    assert len(found) == 4
    for part in told:
        for name in NAMES.values():
            if part['name'] != 'all':
                value = part['metrics'][name]
                assert found[part['name'], name] == pytest.approx(
                    (value['episodes'], value['mean'], value['low'], value['high']), abs=6e-5)


def test_another_bootstrap_gives_nearly_the_same(tmp_path):
    write_episodes(tmp_path, MANY)
    _, mean, low, high = by_recipe(tmp_path)['empty', 'success']
    # 5 + 2 + 3 + 6 + 3 + 2 = 21 of 34.
    assert mean == pytest.approx(21 / 34, abs=1e-4)
    other = by_chance(list(MANY.values()))
    assert (low, high) == pytest.approx(other, abs=0.03)
    # Scenes differ more than chance within them: wider than if all 34 were alike.
    alike = by_chance([[value] for values in MANY.values() for value in values])
    assert high - low > 1.2 * (alike[1] - alike[0])
