"""Drives of people beside those of programs: merged, paired, each figure again from the CSV."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from navbench_gs.runner import bench
from s2e_cli.main import main
from s2e_cli.teleop.reading import find_runs, read_drivers
from s2e_teleop.study.workload import SCALES

sys.path.append(str(Path(__file__).parents[2] / 'navbench_gs' / 'test' / 'support'))

LINK = {'round_trip': 0.2, 'command_age': 0.1, 'glass_to_glass': 0.15, 'frame_rate': 10.0,
        'refused': 0.01, 'lost': 2}


def person(run: Path, folder: Path, participant: int, driver: str, label: str, load: int) -> None:
    """Turn a program's run into a block that a person drove: only the files are those of one."""
    shutil.copytree(run, folder)
    record = json.loads((folder / 'run.json').read_text())
    kind = 'autonomy' if driver == 'autonomy' else 'person'
    record['policy'] = label
    record['details'] = {'kind': kind, 'participant': participant, 'inputs': 'video',
                         'assisted': driver == 'assisted'}
    (folder / 'run.json').write_text(json.dumps(record))
    for number, path in enumerate(sorted((folder / 'episodes').glob('*.json'))):
        steps = [{'time': 1.0, 'kind': 'e_stop', 'reason': ''}] * (number + participant - 1)
        steps += [{'time': 2.0, 'kind': 'slowed', 'reason': ''}] * 3
        drive = folder / 'drives' / f'p{participant}_{path.stem}'
        drive.mkdir(parents=True)
        (drive / 'drive.json').write_text(json.dumps({
            'id': path.stem, 'link': {**LINK, 'round_trip': 0.2 * participant},
            'interventions': steps,
            'real_time_factor': 0.99 if participant == 1 else 0.5,
        }))
        # No two people drive alike: the second is a second slower in every episode.
        log = json.loads(path.read_text())
        for name, column in log['ticks'].items():
            log['ticks'][name] = [column[0]] * (20 * (participant - 1)) + column
        path.write_text(json.dumps(log))
    answers = {name: min(100, load + 5 * k) for k, name in enumerate(SCALES)}
    (folder / 'workload.json').write_text(json.dumps(
        {**answers, 'raw_tlx': sum(answers.values()) / 6, 'participant': participant}
    ))


@pytest.fixture(scope='module')
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, each in two ways and beside autonomy, and two programs, on three routes."""
    from yard import make_yard

    made, out = make_yard(), tmp_path_factory.mktemp('study')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, 'resolve_scene', lambda scene: made)
        assert main(['teleop', 'study', str(out), '--policy', 'straight', '--links', 'none',
                     '--scenes', 'yard', '--tasks', 'empty', '--episodes', '3',
                     '--workers', '1']) == 0
    runs = out / 'runs'
    for participant in (1, 2):
        root = out / 'people' / f'p{participant:03d}'
        ways = (('person', 'person (4g)', 'operator-none', 40),
                ('assisted', 'person, assisted (4g)', 'operator-none', 20),
                ('autonomy', 'autonomy, watched', 'autonomy', 10))
        for driver, label, run, load in ways:
            person(runs / run, root / driver, participant, driver, label, load + 5 * participant)
    # Practice, and a run that was broken off after its log was written: neither counts.
    first = out / 'people' / 'p001' / 'person'
    shutil.copytree(first / 'episodes', first / 'practice' / 'episodes')
    log = json.loads(sorted((first / 'episodes').iterdir())[0].read_text())
    log['spec']['index'] = 7
    (first / 'episodes' / 'half.json').write_text(json.dumps(log))
    assert main(['teleop', 'compare', str(out), '--out', str(out / 'report')]) == 0
    return out


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_people_are_merged_by_what_they_drove_and_programs_stay_apart(study: Path) -> None:
    drivers = read_drivers([study])
    assert [(d.name, d.kind, len(d.rows), d.participants) for d in drivers] == [
        ('straight', 'autonomy', 3, []), ('autonomy, watched', 'autonomy', 6, [1, 2]),
        ('scripted operator (none)', 'scripted operator', 3, []),
        ('person (4g)', 'person', 6, [1, 2]), ('person, assisted (4g)', 'person', 6, [1, 2]),
    ]
    # 0.5 / 10 Hz + 0.15 + 0.1, as it was measured.
    assert drivers[3].delay == pytest.approx(0.3)
    assert drivers[4].assisted and not drivers[3].assisted
    assert not any('practice' in str(run) for run in find_runs([study]))


def bootstrap(groups: list[list[float]]) -> tuple[float, float]:
    """Draw groups again, then values within them: a few lines of one's own."""
    rng, means = np.random.default_rng(12), []
    for _ in range(6000):
        picked = [groups[i] for i in rng.integers(len(groups), size=len(groups))]
        drawn = [group[j] for group in picked for j in rng.integers(len(group), size=len(group))]
        means.append(np.mean(drawn))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def paired(drives: list[dict[str, str]], base: str, other: str, metric: str) -> dict[str, Any]:
    """Pair by route and person, else by route with everyone's mean."""
    def of(name: str) -> list[dict[str, str]]:
        return [d for d in drives if d['driver'] == name and math.isfinite(float(d[metric]))]

    groups = defaultdict(list)
    for row in of(other):
        same = [d for d in of(base) if all(d[k] == row[k] for k in ('scene', 'task', 'index'))]
        own = [d for d in same if d['participant'] == row['participant']] or same
        if own:
            value = float(row[metric]) - np.mean([float(d[metric]) for d in own])
            groups[row['participant'] or row['scene']].append(value)
    return groups


@pytest.mark.parametrize(
    'metric', ['success', 'path', 'time', 'jerk', 'interventions', 'slowings']
)
def test_every_figure_of_people_can_be_made_again_from_the_csv(study: Path, metric: str) -> None:
    drives = table(study / 'report' / 'drives.csv')
    summary = [line for line in table(study / 'report' / 'summary.csv')
               if line['metric'] == metric]
    base = summary[0]['driver']
    for line in summary:
        own = [d for d in drives if d['driver'] == line['driver']]
        values = [float(d[metric]) for d in own if math.isfinite(float(d[metric]))]
        assert int(line['drives']) == len(values)
        if not values:
            assert line['mean'] == 'nan'
            continue
        assert float(line['mean']) == pytest.approx(np.mean(values), rel=1e-3, abs=1e-6)
        groups = paired(drives, base, line['driver'], metric)
        changes = np.array([value for group in groups.values() for value in group])
        assert int(line['pairs']) == len(changes)
        if len(changes) < 2:
            continue
        assert float(line['difference']) == pytest.approx(changes.mean(), rel=1e-3, abs=1e-4)
        share = np.mean((changes > 0) + 0.5 * (changes == 0))
        assert float(line['share_more']) == pytest.approx(share, abs=1e-4)
        spread = changes.std(ddof=1)
        if spread > 1e-3:
            assert float(line['cohens_d']) == pytest.approx(changes.mean() / spread, rel=0.02)
        low, high = bootstrap(list(groups.values()))
        near = max(0.12 * (high - low), 1e-3)
        assert float(line['difference_low']) == pytest.approx(low, abs=near)
        assert float(line['difference_high']) == pytest.approx(high, abs=near)


def test_interventions_count_for_each_kilometre_and_only_where_somebody_could(study: Path) -> None:
    """The second of participant 2's three drives has two, on a way of so many metres."""
    drives = table(study / 'report' / 'drives.csv')
    [row] = [d for d in drives if d['driver'] == 'person (4g)' and d['participant'] == '2'
             and d['index'] == '1']
    assert float(row['interventions']) == pytest.approx(2000 / float(row['path']), rel=1e-4)
    programs = [d for d in drives if not d['participant']]
    assert programs and all(d['interventions'] == 'nan' for d in programs)


def test_the_load_is_that_of_the_forms(study: Path) -> None:
    """Person: 45 and 50 upwards in steps of 5; watching: 15 and 20 upwards. The mean adds 12.5."""
    forms = table(study / 'report' / 'workload.csv')
    assert len(forms) == 6
    line = next(item for item in table(study / 'report' / 'summary.csv')
                if item['driver'] == 'person (4g)' and item['metric'] == 'raw_tlx')
    assert float(line['mean']) == pytest.approx(np.mean([57.5, 62.5]))
    # The first whom people rated is autonomy that they watched: 30 less for either of them.
    assert line['pairs'] == '2' and float(line['difference']) == pytest.approx(30.0)
    assert line['cohens_d'] == 'inf'


def test_the_page_keeps_people_and_programs_apart_and_names_what_is_doubtful(study: Path) -> None:
    page = (study / 'report' / 'compare.html').read_text()
    assert 'A scripted operator is a program' in page and '2 people' in page
    assert 'slower' in page and 'in 3 of 6 drives' in page
    assert '>nan<' not in page and page.count('<svg') == 2
    for name in ('curves', 'workload'):
        assert (study / 'report' / f'{name}.pdf').read_bytes().startswith(b'%PDF')
    for title in ('Route by route', 'Links', 'Load'):
        assert f'<h2>{title}</h2>' in page


def test_a_folder_without_runs_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['teleop', 'compare', str(tmp_path), '--out', str(tmp_path / 'out')]) == 2
    assert 'holds no run' in capsys.readouterr().err
