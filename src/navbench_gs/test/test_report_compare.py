"""Pages and tables of one run and of several."""

from __future__ import annotations

import copy
import csv
import dataclasses
import json
import re

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.metrics.scores import evaluate
from navbench_gs.metrics.summary import Scored
from navbench_gs.report.cautions import warnings
from navbench_gs.report.compare import differences, read_runs, write_comparison
from navbench_gs.report.ecdf import distributions, legend, round_numbers
from navbench_gs.report.html import write_report
from navbench_gs.report.map import load_map, save_map
from navbench_gs.report.overview import outcome_colour, overview_svg
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.identity import describe
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.runner.plan import RunConfig, RunFolder
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import default_name, sample_episode
from s2e_core.control import ControlLoop
from s2e_core.robot import load_robot

PROTOCOL, ROBOT = load_protocol(), load_robot('coco')
POLICIES = {'fast': 1.5, 'slow <b>': 0.4}


@pytest.fixture(scope='module')
def runs(tmp_path_factory, block_scene):
    """Run folders of two agents over the same three episodes; the slow one runs out of time."""
    folders = {}
    for policy, speed in POLICIES.items():
        folder = RunFolder(tmp_path_factory.mktemp('run'))
        folder.episodes.mkdir()
        for task, index in (('empty', 0), ('empty', 1), ('obstacle', 0)):
            spec = sample_episode(block_scene, task, index, 0, PROTOCOL, ROBOT)
            world = KinematicWorld(block_scene, ROBOT)
            world.reset(spec)
            loop = ControlLoop(StraightToGoal(speed), ROBOT)
            log = run_episode(world, spec, loop, PROTOCOL, policy, look=world.image)
            folder.episode(spec.id).write_text(log.to_json())
        save_map(block_scene.collision, default_name(block_scene), folder.maps)
        record = describe(RunConfig(('city:0',), ('empty',), PROTOCOL, 'coco'), policy, {})
        record['latency'] = {'policy': {'p50 ms': 1.25}}
        folder.record.write_text(json.dumps(record))
        folders[policy] = folder
    return folders


def test_the_page_sets_runs_beside_each_other(runs, tmp_path):
    read = read_runs([folder.root for folder in runs.values()])
    page = write_comparison(read, tmp_path).read_text()
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert 'slow &lt;b&gt;' in page
    assert '<b>' not in page.replace('&lt;b&gt;', '')
    assert PROTOCOL.hash in page
    for text in ('Leaderboard', 'Differences from fast', 'By task', 'obstacle', 'p50 ms',
                 'version of numpy', 'seed 0'):
        assert text in page
    assert warnings(read, differences(read)) == []


def test_json_and_csv_hold_the_same_numbers(runs, tmp_path):
    read = read_runs([folder.root for folder in runs.values()])
    write_comparison(read, tmp_path)
    values = json.loads((tmp_path / 'compare.json').read_text())
    assert values['baseline'] == 'fast'
    tasks = {part['name']: part for part in values['differences'][0]['tasks']}
    rows = [list(csv.DictReader((tmp_path / f'episodes_{i}.csv').open())) for i in range(2)]
    for metric in ('success', 'route_completion', 'spl'):
        change = np.mean([float(b[metric]) - float(a[metric])
                          for a, b in zip(*rows, strict=True)])
        assert tasks['all']['differences'][metric]['mean'] == pytest.approx(change, abs=1e-4)
    assert tasks['all']['pairs'] == 3
    # No people: their gap has no value.
    assert {row['person_gap'] for row in rows[0]} == {''}
    assert [row['id'] for row in rows[0]] == [row['id'] for row in rows[1]]


def test_a_report_leaves_tables_that_agree_with_it(runs):
    folder = runs['fast']
    page = write_report(folder.root).read_text()
    summary = json.loads((folder.root / 'summary.json').read_text())
    rows = list(csv.DictReader((folder.root / 'episodes.csv').open()))
    overall = summary['summaries'][-1]
    assert overall['name'] == 'all'
    rate = np.mean([int(row['success']) for row in rows])
    assert overall['metrics']['success']['mean'] == pytest.approx(rate, abs=1e-6)
    assert f'<div class="value">{rate:.2f}</div>' in page
    assert summary['run']['protocol'] == PROTOCOL.hash
    assert 'worst of empty' in page
    assert 'All drives by scene' in page
    assert page.count('class="chart"') >= 3


def test_what_cannot_be_compared_is_said(runs):
    fast, slow = read_runs([folder.root for folder in runs.values()])
    constants = copy.deepcopy(slow.record['constants'])
    constants['values']['gate']['speed_cap'] = 0.5
    other = dataclasses.replace(
        slow, protocol='0' * 64, scored=[], logs=[],
        record={**slow.record, 'conditions': {'blur': 1.0}, 'complete': False,
                'constants': constants, 'mode': 'realtime', 'camera': 'robot',
                'code': {'s2e_core': '0'}})
    found = ' '.join(warnings([fast, other], differences([fast, other])))
    for text in ('different protocols', 'differ in their conditions', 'is not complete',
                 'share no episode', 'constants: gate.speed_cap 1.5, now 0.5', 'cameras',
                 'some did not (realtime)', 'different versions of the code'):
        assert text in found


def test_runs_over_other_episodes_are_compared_in_those_they_share(runs):
    fast, slow = read_runs([folder.root for folder in runs.values()])
    part = dataclasses.replace(slow, scored=slow.scored[:2], logs=slow.logs[:2])
    [text] = warnings([fast, part], differences([fast, part]))
    assert text.startswith('slow <b> drove 2 episodes and fast 3, 2 of them the same')


def test_runs_of_one_policy_are_told_apart_by_folder(runs):
    root = runs['fast'].root
    names = [run.name for run in read_runs([root, root])]
    assert names == [f'fast ({root.name})'] * 2


def test_curves_rise_by_a_share_for_each_episode(runs):
    (fast, _) = read_runs([folder.root for folder in runs.values()])
    scores = [dataclasses.replace(item.scores, jerk=value)
              for item, value in zip(fast.scored, (0.0, 1.0, 4.0), strict=True)]
    scored = [Scored(item.spec, score) for item, score in zip(fast.scored, scores, strict=True)]
    chart = next(svg for svg in distributions({'a': scored}) if 'aria-label="jerk' in svg)
    # 258 wide from 34 and 124 tall from 22: x of 0, 1, 4 are 34, 98.5, 292; each rises by 41.3.
    assert 'd="M34.0,146.0H34.0V104.7H98.5V63.3H292.0V22.0H292.0"' in chart
    assert round_numbers(0.0, 4.0) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert round_numbers(-0.3, 1.1) == [0.0, 0.5, 1.0]
    assert '&lt;x&gt;' in legend(['<x>'])


def test_overview_draws_every_drive_and_its_contacts(runs, block_scene):
    run = read_runs([runs['fast'].root])[0]
    drives = [(log, outcome_colour(log)) for log in run.logs]
    picture = load_map(default_name(block_scene), runs['fast'].maps)
    svg = overview_svg(drives, picture)
    assert svg.count('class="drive"') == 3
    assert 'image/png' in svg
    assert ('class="contact"' in svg) == any(log.contacts for log in run.logs)
    for log in run.logs:
        clean = evaluate(log, PROTOCOL.judge).collision_free_success
        assert (outcome_colour(log) == '#16803c') == clean
