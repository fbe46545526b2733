"""Sweeps: each axis changes what it says, runs go on, intervals are in table and plot."""

from __future__ import annotations

import csv
import dataclasses
import json
import math

import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.errors import ReportError, RunError
from navbench_gs.metrics.estimate import Estimate
from navbench_gs.report.band import band_chart
from navbench_gs.report.curves import draw_curves, write_table
from navbench_gs.report.sweep import write_sweep
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.plan import RunConfig
from navbench_gs.runner.sweep import AXES, measure, plan, total
from navbench_gs.runner.sweep_record import read_sweep, write_plan
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.errors import ConfigError

PROTOCOL = load_protocol()


def config(**changes):
    values = {'scenes': ('yard',), 'tasks': ('empty',), 'protocol': PROTOCOL, 'robot': 'coco',
              'episodes': 2}
    return RunConfig(**{**values, **changes})


@pytest.mark.parametrize(('name', 'value', 'field'), [
    ('fov', 75.0, 'hfov'), ('height', 0.3, 'height'), ('pitch', -5.0, 'pitch'),
    ('exposure', 2.0, 'exposure'), ('blur', 1.0, 'blur'), ('frame_drop', 0.5, 'frame_drop'),
    ('latency', 0.4, 'latency'), ('goal_noise', 0.5, 'goal_noise'),
])
def test_conditions_change_one_field(tmp_path, name, value, field):
    points = plan(config(), [(name, [value])], tmp_path)
    point = next(point for point in points if point.folder != tmp_path / 'nominal')
    assert len(points) == (1 if name == 'fov' else 2)
    assert point.config == config(conditions=Conditions(**{field: value}))
    assert point.folder == tmp_path / name / f'{value:g}'


def test_drift_and_people_change_the_protocol_and_its_hash(tmp_path):
    usual, drift = plan(config(), [('drift', [4.0])], tmp_path)
    assert (usual.value, usual.config) == (1.0, config())
    # 4 x 0.5 % and 4 x 0.2 degrees per 10 m.
    assert (drift.config.protocol.drift.distance, drift.config.protocol.drift.yaw) == (2.0, 0.8)
    usual, people = plan(config(tasks=('empty', 'pedestrian')), [('people', [20.0])], tmp_path)
    assert usual.value == PROTOCOL.people.count
    assert people.config.protocol.people.count == 20
    assert people.config.tasks == ('pedestrian',)
    assert len({PROTOCOL.hash, drift.config.protocol.hash, people.config.protocol.hash}) == 3


def test_what_changes_nothing_is_run_once(tmp_path):
    points = plan(config(), [('blur', []), ('latency', [0.0, 0.1]), ('drift', [1.0])], tmp_path)
    nominal = [point for point in points if point.folder == tmp_path / 'nominal']
    assert [point.axis.name for point in nominal] == ['blur', 'latency', 'drift']
    assert all(point.config == config() for point in nominal)
    # Blur 1, 2, 4, latency 0.1, and one for all that changes nothing: 5 runs of 2 episodes.
    assert total(points) == 10


def test_default_values_are_in_bounds(tmp_path):
    tasks = ('empty', 'pedestrian')
    points = plan(config(tasks=tasks), [(name, []) for name in AXES], tmp_path)
    assert {point.axis.name for point in points} == set(AXES)


def test_the_lens_of_the_policy_is_the_nominal_one(tmp_path):
    points = plan(config(), [('fov', [60.0, 90.0])], tmp_path, own_fov=90.0)
    assert [(p.value, p.config.conditions.hfov) for p in points] == [(60.0, 60.0), (90.0, 0.0)]
    assert points[1].folder == tmp_path / 'nominal'


def test_more_recorded_people_where_people_are_recorded(tmp_path):
    recorded = dataclasses.replace(PROTOCOL.recorded, tracks='t.txt', digest='d', most=7)
    rules = dataclasses.replace(PROTOCOL, recorded=recorded)
    points = plan(config(protocol=rules, tasks=('pedestrian',)), [('people', [3.0])], tmp_path)
    assert [p.config.protocol.recorded.most for p in points] == [3, 7]
    assert points[1].config.protocol == rules


def test_wrong_axes_are_refused(tmp_path):
    with pytest.raises(RunError, match=r"must be among fov, height, .*, got 'fog'"):
        plan(config(), [('fog', [])], tmp_path)
    with pytest.raises(RunError, match='people matters only in'):
        plan(config(), [('people', [])], tmp_path)
    with pytest.raises(ConfigError, match='latency must be in'):
        plan(config(), [('latency', [-1.0])], tmp_path)


class Straight:
    name = 'straight'
    made = 0

    def __call__(self):
        Straight.made += 1
        return StraightToGoal()


def test_a_sweep_goes_on_and_leaves_table_and_curves(tmp_path, only_yard, hurry):
    axes = [('goal_noise', [3.0]), ('latency', [0.0])]
    points = plan(config(protocol=load_protocol(hurry)), axes, tmp_path)
    first = measure(points, Straight())
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('episodes/*.json')}
    assert len(files) == 4
    again = measure(points, Straight())
    assert {path: path.stat().st_mtime_ns for path in files} == files
    # Through JSON the same numbers come back, rounded as they are stored.
    assert [item.summary.metrics['success'] for item in first] == [
        item.summary.metrics['success'] for item in again]
    # A goal 3 m off is never reached within 0.5 m.
    assert first[1].summary.metrics['success'].mean == 0.0
    write_table(first, tmp_path / 'sweep.csv')
    rows = list(csv.DictReader((tmp_path / 'sweep.csv').open()))
    assert [(row['axis'], row['value'], row['task']) for row in rows] == [
        ('goal_noise', '0', 'empty'), ('goal_noise', '3', 'empty'), ('latency', '0', 'empty')]
    estimate = first[0].summary.metrics['collisions']
    assert float(rows[0]['CT']) == pytest.approx(estimate.mean, abs=1e-4)
    assert float(rows[0]['CT_low']) == pytest.approx(estimate.low, abs=1e-4)
    assert rows[2] == {**rows[0], 'axis': 'latency'}
    # The folder tells the same, with the plan that is written before the first run.
    write_plan(points, 'straight', {'kind': '<agent>'}, tmp_path)
    page = write_sweep(tmp_path).read_text()
    assert list(csv.DictReader((tmp_path / 'sweep.csv').open())) == rows
    assert page.count('class="nominal"') == 6
    assert 'Not finished' not in page
    assert '&lt;agent&gt;' in page
    assert PROTOCOL.hash[:12] not in page
    assert load_protocol(hurry).hash in page
    told = json.loads((tmp_path / 'sweep.json').read_text())
    assert told['nominal'] == {'goal_noise': 0.0, 'latency': 0.0}
    assert told['points'][0]['metrics']['collisions']['high'] == pytest.approx(
        estimate.high, abs=1e-6)
    gone = next((tmp_path / 'goal_noise/3/episodes').glob('*.json'))
    gone.unlink()
    assert 'Not finished: goal_noise=3 (1 of 2)' in write_sweep(tmp_path).read_text()
    draw_curves(first, 'straight', tmp_path / 'sweep.png')
    assert (tmp_path / 'sweep.png').read_bytes()[:4] == b'\x89PNG'
    draw_curves(
        [dataclasses.replace(first[0], axis=name) for name in AXES], 'all axes',
        tmp_path / 'all.svg',
    )
    text = (tmp_path / 'all.svg').read_text()
    assert all(f'<!-- {axis.label} -->' in text for axis in AXES.values())


def test_a_folder_that_is_no_sweep_is_refused(tmp_path):
    with pytest.raises(ReportError, match=r'plan.json: cannot be read'):
        read_sweep(tmp_path)
    plan_file = tmp_path / 'plan.json'
    plan_file.write_text('[]')
    with pytest.raises(ReportError, match='is not the plan of a sweep'):
        read_sweep(tmp_path)
    point = {'axis': 'blur', 'value': 1, 'tasks': ['empty'], 'folder': '../other', 'episodes': 1,
             'protocol': 'x'}
    plan_file.write_text(json.dumps({'facts': {}, 'nominal': {}, 'points': [point]}))
    with pytest.raises(ReportError, match='no sweep has'):
        read_sweep(tmp_path)
    plan_file.write_text(json.dumps(
        {'facts': {}, 'nominal': {}, 'points': [{**point, 'folder': 'blur/1'}]}))
    with pytest.raises(ReportError, match='holds no finished episode'):
        write_sweep(tmp_path)


def test_a_band_lies_where_its_numbers_say():
    rows = [(0.0, Estimate(0.5, 0.25, 0.75, 8)), (2.0, Estimate(1.0, 1.0, 1.0, 8))]
    svg = band_chart('SR', {'a': rows}, 1.0, nominal=2.0)
    # The chart is 300 x 170 with margins 34, 14, 22, 26: x 34..286, y 144 (0) to 22 (1).
    assert 'points="34.0,52.5 286.0,22.0 286.0,22.0 34.0,113.5"' in svg
    assert 'points="34.0,83.0 286.0,22.0"' in svg
    assert '<path class="nominal" d="M286.0,22.0' in svg
    assert 'class="nominal"' not in band_chart('SR', {'a': rows}, 1.0)
    assert 'nan' not in band_chart('CT', {'a': [(1.0, Estimate(math.nan, 0, 0, 0))]}, 2.0)
