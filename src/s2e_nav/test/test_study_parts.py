"""A participant's way through a block, what is kept of it, and what the launch starts."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import pytest

from s2e_core.errors import S2EError
from s2e_nav.errors import ConversionError, StartError
from s2e_nav.sim.parameters import SimParameters
from s2e_nav.study.flow import BlockFlow, BlockSize
from s2e_nav.study.folder import BlockFolder, StudyFolder
from s2e_nav.study.launching import StudyRun
from s2e_nav.study.outcome import result_text
from s2e_nav.study.run_record import RunRecord, sample_from
from s2e_nav.study.world import Result
from s2e_teleop.journal import LinkSample
from s2e_teleop.study.card import StudyCard
from s2e_teleop.study.plan import Condition, Route, StudyPlan
from s2e_teleop.study.workload import Workload

LAUNCH = Path(__file__).resolve().parents[3] / 'launch' / 'teleop_compare.launch.py'
SAMPLE = {
    name: '0' if kind != 'bool' else 'True'
    for name, kind in ((f.name, f.type) for f in dataclasses.fields(LinkSample))
}


def arguments(tmp_path: Path, **changed: str) -> dict[str, str]:
    """The defaults of the launch file, with some changed."""
    tree = ast.parse(LAUNCH.read_text(encoding='utf-8'))
    tables = [
        ast.literal_eval(node.value) for node in tree.body
        if isinstance(node, ast.Assign)
        and node.targets[0].id in ('SHARED', 'SCRIPTED', 'PEOPLE', 'ROBOT')
    ]
    values = {name: value for table in tables for name, value, _ in table}
    assert not set(changed) - set(values)
    return {**values, 'participant': '1', 'links': 'none 4g', 'output': str(tmp_path / 'study'),
            'policy': 'straight', **changed}


def drive(folder: BlockFolder, route: Route) -> None:
    """Leave what a finished run leaves."""
    name = f'{route.scene.replace(":", "-")}_{route.task}_{route.index:03d}'
    folder.begin(name, practice=False).mkdir(parents=True)
    episode = folder.root / 'episodes' / f'{name}.json'
    episode.parent.mkdir(parents=True, exist_ok=True)
    episode.write_text('{}')
    folder.finish(name, False, {'id': name, 'route': dataclasses.asdict(route)})


def test_practice_then_runs_then_the_form() -> None:
    flow = BlockFlow(StudyCard(0), BlockSize(practice=1, runs=3, done=1, form=True, last=False))
    seen = [(flow.card.phase, flow.card.run, flow.card.practice)]
    numbers = [flow.card.number]

    def note() -> None:
        seen.append((flow.card.phase, flow.card.run, flow.card.practice))
        numbers.append(flow.card.number)

    for _ in range(3):
        for step in (flow.prepared, flow.started, lambda: flow.ended('well done')):
            step()
            note()
    assert seen == [
        ('prepare', 0, True), ('ready', 0, True), ('running', 0, True),
        # One of the three was driven in an earlier session.
        ('prepare', 2, False), ('ready', 2, False), ('running', 2, False),
        ('prepare', 3, False), ('ready', 3, False), ('running', 3, False), ('prepare', 3, False),
    ]
    flow.exhausted()
    note()
    assert flow.card.phase == 'form' and flow.card.result == 'well done' and not flow.is_over
    flow.answered()
    note()
    # More blocks come: the page waits and is not thanked yet.
    assert flow.card.phase == 'prepare' and flow.is_over
    assert numbers == sorted(set(numbers)), 'an answer names one card'


def test_the_last_block_ends_with_thanks_and_a_form_is_asked_once() -> None:
    flow = BlockFlow(StudyCard(0), BlockSize(practice=0, runs=1, done=1, form=False, last=True))
    flow.exhausted()
    assert flow.card.phase == 'done' and flow.is_over


def test_a_run_is_done_when_its_record_and_its_episode_are_there(tmp_path: Path) -> None:
    block = tmp_path / 'p001' / 'person-4g'
    folder = BlockFolder(block)
    first, second = Route('city:1', 'empty', 0), Route('city:1', 'empty', 1)
    drive(folder, first)
    drive(folder, second)
    assert folder.done() == {first, second}
    (block / 'episodes' / 'city-1_empty_001.json').unlink()
    assert folder.done() == {first}, 'a record without its episode is driven again'
    # A run that is broken off leaves a draft, and the next attempt begins with nothing.
    draft = folder.begin('city-1_empty_001', practice=False)
    draft.mkdir(parents=True)
    kept = [path.name for path in (block / 'drives').glob('[!.]*')]
    assert folder.done() == {first} and kept == ['p001_person-4g_city-1_empty_000']
    assert not folder.begin('city-1_empty_001', practice=False).exists()
    # Practice is elsewhere, where nothing counts it.
    folder.begin('city-1_empty_002', practice=True).mkdir(parents=True)
    folder.finish('city-1_empty_002', True, {'route': {}})
    assert folder.done() == {first}
    (block / 'drives' / kept[0] / 'drive.json').write_text('{"route": {}}')
    with pytest.raises(StartError, match='names no route'):
        folder.done()


def test_the_form_is_kept_with_its_mean(tmp_path: Path) -> None:
    folder = BlockFolder(tmp_path)
    assert not folder.has_form
    path = folder.store_form(Workload(0, 20, 40, 60, 80, 100), {'participant': 3})
    stored = json.loads(path.read_text())
    assert folder.has_form and stored['raw_tlx'] == 50.0 and stored['frustration'] == 100
    assert stored['participant'] == 3 and not list(tmp_path.glob('.*')), 'no draft is left'


def test_a_study_keeps_its_plan_for_everyone(tmp_path: Path) -> None:
    plan = StudyPlan(scenes=('city:1',), tasks=('empty',))
    study = StudyFolder(tmp_path)
    study.claim(plan, {'policy': 'straight'})
    study.claim(plan, {'policy': 'straight'})
    with pytest.raises(StartError, match=r'episodes 2, asked for 3'):
        study.claim(dataclasses.replace(plan, episodes=3), {'policy': 'straight'})
    with pytest.raises(StartError, match="policy 'straight', asked for 's2e-small'"):
        study.claim(plan, {'policy': 's2e-small'})


def test_a_block_starts_what_its_driver_needs(tmp_path: Path) -> None:
    run = StudyRun(arguments(tmp_path))
    blocks = {block.condition: block for block in run.left()}
    assert len(blocks) == 5
    by_name = {
        condition: {entry.executable: entry.parameters for entry in run.nodes(block)}
        for condition, block in blocks.items()
    }
    person = by_name[Condition('person', '4g')]
    assert set(person) == {'teleop', 'study', 'sim_bridge', 'policy', 'follower', 'gate'}
    assert person['gate']['shadow'] and person['teleop']['link'] == '4g'
    assert person['teleop']['session.steering.v_start'] == person['policy']['v_max']
    assert person['sim_bridge']['practice'] == 1 and person['sim_bridge']['mode'] == 'realtime'
    assert len(person['sim_bridge']['items']) == 1 + 2 * 2 * 2
    assert 'gate.obstacles.source' not in person['gate'] and not person['sim_bridge']['scan']
    assisted = by_name[Condition('assisted', '4g')]
    assert assisted['gate']['gate.obstacles.assist'] and assisted['sim_bridge']['scan']
    assert assisted['gate']['shadow'], 'assisted, not driven'
    watched = by_name[Condition('autonomy', 'none')]
    assert not watched['gate']['shadow'] and watched['sim_bridge']['practice'] == 0
    tokens = {nodes['teleop']['server.token'] for nodes in by_name.values()}
    assert len(tokens) == 1 and len(tokens.pop()) >= 12, 'the page comes back with its token'
    # Everyone drives the same, whatever the order.
    routes = {tuple(sorted(nodes['sim_bridge']['items'][-8:])) for nodes in by_name.values()}
    assert len(routes) == 1
    for nodes in by_name.values():
        values = {k: v for k, v in nodes['sim_bridge'].items() if k != 'use_sim_time'}
        items = SimParameters(**{**values, 'items': tuple(values['items'])}).route_items()
        assert len(items) == len(values['items'])


def test_what_was_broken_off_goes_on_there(tmp_path: Path) -> None:
    run = StudyRun(arguments(tmp_path))
    first, *others = run.left()
    folder = BlockFolder(tmp_path / 'study' / 'people' / 'p001' / first.condition.folder)
    for route in first.routes[:3]:
        drive(folder, route)
    again = StudyRun(arguments(tmp_path))
    nodes = {entry.executable: entry.parameters for entry in again.nodes(again.left()[0])}
    counted = nodes['sim_bridge']['items'][nodes['sim_bridge']['practice']:]
    assert counted == [f'{r.task} {r.index} {r.scene}' for r in first.routes[3:]]
    for route in first.routes[3:]:
        drive(folder, route)
    # Only the form is missing: no world is needed for that.
    left = again.left()[0]
    assert [entry.executable for entry in again.nodes(left)] == ['teleop', 'study']
    folder.store_form(Workload(0, 0, 0, 0, 0, 0), {})
    assert again.left() == others


def test_autonomy_is_the_bundle_of_the_robots_lens_and_named_in_the_folder(tmp_path) -> None:
    run = StudyRun(arguments(tmp_path, policy='auto', robot='turtlebot4'))
    run.claim()
    assert "'s2e-small-lens'" in str(json.loads((tmp_path / 'study' / 'study.json').read_text()))
    block = next(item for item in run.left() if item.condition.driver == 'autonomy')
    policy = next(item.parameters for item in run.nodes(block) if item.executable == 'policy')
    assert policy['policy'] == 's2e-small-lens'


@pytest.mark.parametrize(('changed', 'word'), [
    ({'participant': '0'}, 'count from 1'),
    ({'participant': 'Anna'}, 'whole number'),
    ({'drivers': 'pilot'}, 'pilot'),
    ({'links': 'pigeon'}, 'pigeon'),
    ({'scenes': 'nowhere'}, 'does not exist'),
    ({'tasks': 'golf'}, 'golf'),
    ({'policy': 'nobody'}, 'nobody'),
    ({'host': '0.0.0.0'}, 'open to other machines'),
    ({'port': '0'}, 'must be fixed'),
])
def test_what_is_wrong_is_named_before_anything_starts(tmp_path, changed, word) -> None:
    with pytest.raises(S2EError, match=word):
        StudyRun(arguments(tmp_path, **changed))


def test_a_run_keeps_its_interventions_from_its_beginning() -> None:
    record = RunRecord()
    record.gate(5_000_000_000, {'reason': 'none', 'source': 'autonomy'})
    record.world_began(6_000_000_000, now=100.0)
    record.gate(8_500_000_000, {'reason': 'none', 'source': 'teleop'})
    for k in range(3):
        record.link({**SAMPLE, 'round_trip': str(0.1 * k), 'command_age': 'nan'})
    kept = record.summary(ended=110.0, simulated=9.0)
    assert kept['interventions'] == [
        {'time': 2.5, 'kind': 'take_over', 'reason': 'autonomy to teleop'}
    ]
    assert kept['wall_seconds'] == 10.0 and kept['real_time_factor'] == 0.9
    assert kept['link']['round_trip'] == 0.1 and kept['link']['command_age'] is None
    json.dumps(kept, allow_nan=False)


def test_a_status_that_is_no_sample_is_refused() -> None:
    assert sample_from(SAMPLE).driver is True
    with pytest.raises(ConversionError, match='round_trip'):
        sample_from({**SAMPLE, 'round_trip': 'long'})
    with pytest.raises(ConversionError, match='bytes_sent'):
        sample_from({key: value for key, value in SAMPLE.items() if key != 'bytes_sent'})


def test_results_in_words() -> None:
    assert result_text(Result('a', 'success', 31.24, 0)) == 'The goal was reached in 31.2 s.'
    assert result_text(Result('a', 'timed_out', 44.0, 2)) == (
        'The run ended after 44 s, before the goal was reached, with 2 collisions.'
    )
    assert result_text(Result('a', 'fell', 1.0, 0)) == 'The run ended: fell.'
