"""What a run consists of, and how its files are written."""

from __future__ import annotations

import copy
import json

import pytest

from navbench_gs.errors import RunError
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.identity import changed_constants, describe
from navbench_gs.runner.latency import STAGE, latency_table
from navbench_gs.runner.plan import (
    Item,
    RunConfig,
    RunFolder,
    parse_scenes,
    parse_tasks,
    write_atomically,
)
from navbench_gs.runner.pool import chunks
from navbench_gs.runner.resume import go_on, refuse_namesakes
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import TASKS
from s2e_core.errors import ConfigError

PROTOCOL = load_protocol()


def config(**changes):
    values = {'scenes': ('city:1', 'city:2'), 'tasks': ('empty',), 'protocol': PROTOCOL,
              'robot': 'coco', 'episodes': 3}
    return RunConfig(**{**values, **changes})


def test_scenes_expand_and_keep_their_order():
    assert parse_scenes(['city:3-5', '/a/b', 'city:4', 'city:9']) == (
        'city:3', 'city:4', 'city:5', '/a/b', 'city:9')
    for word in ('city:5-3', 'city:0-99999'):
        with pytest.raises(RunError, match='range'):
            parse_scenes([word])


def test_tasks_are_checked():
    assert parse_tasks(['all']) == TASKS
    assert parse_tasks(['pedestrian', 'empty']) == ('empty', 'pedestrian')
    with pytest.raises(RunError, match="'fly'"):
        parse_tasks(['fly'])


def test_items_and_bounds():
    items = config().items()
    assert len(items) == 6
    assert items[0] == Item('city:1', 'empty', 0)
    with pytest.raises(ConfigError, match='episodes'):
        config(episodes=0)
    with pytest.raises(RunError, match='needs scenes'):
        config(scenes=())


def test_chunks_hold_one_scene_and_every_item_once():
    items = config(episodes=12).items()
    pieces = chunks(items, 2)
    assert [item for piece in pieces for item in piece] == items
    assert all(len({item.scene for item in piece}) == 1 for piece in pieces)
    assert max(map(len, pieces)) == 5
    # Fewer episodes than workers: one each.
    assert [len(piece) for piece in chunks(items[:3], 8)] == [1, 1, 1]


def test_atomic_write_leaves_no_draft(tmp_path):
    path = tmp_path / 'a' / 'b.json'
    write_atomically(path, 'one')
    write_atomically(path, 'two')
    assert path.read_text() == 'two'
    assert [p.name for p in path.parent.iterdir()] == ['b.json']


def test_write_into_a_file_is_refused(tmp_path):
    (tmp_path / 'a').write_text('')
    with pytest.raises(RunError, match='cannot be written'):
        write_atomically(tmp_path / 'a' / 'b.json', 'x')


def test_folder_of_another_run_is_refused(tmp_path):
    folder = RunFolder(tmp_path)
    record = describe(config(), 'straight', {})
    assert go_on(folder, record) == (record, True)
    folder.record.write_text(json.dumps(record))
    for other, what in (
        (describe(config(), 'privileged', {}), 'policy'),
        (describe(config(seed=1), 'straight', {}), 'seed'),
        (describe(config(conditions=Conditions(latency=0.1)), 'straight', {}), 'conditions'),
        ({**record, 'mode': 'realtime'}, 'mode'),
    ):
        with pytest.raises(RunError, match=what):
            go_on(folder, other)
    for text in ('{', '[]'):
        folder.record.write_text(text)
        with pytest.raises(RunError, match='cannot be read'):
            go_on(folder, record)


def test_more_of_the_same_is_added_to_what_the_folder_knows(tmp_path):
    """A run of two scenes was cut off; one more scene does not make it complete."""
    folder = RunFolder(tmp_path)
    old = {**describe(config(), 'straight', {}), 'complete': False,
           'latency': {STAGE: {'images': 9}},
           'run': {'finished': 5, 'kept': 0, 'retried': ['city:1 empty 2']}}
    folder.record.write_text(json.dumps(old))
    asked = describe(config(scenes=('city:3',), tasks=('obstacle',), episodes=2), 'straight', {})
    record, whole = go_on(folder, asked)
    assert record['scenes'] == ['city:1', 'city:2', 'city:3']
    assert (record['tasks'], record['episodes'], whole) == (['empty', 'obstacle'], 3, False)
    assert record['latency'] == old['latency']
    assert 'earlier' not in record
    assert record['calls'] == [old['run']]
    folder.record.write_text(json.dumps({**old, 'complete': True}))
    assert go_on(folder, asked)[1] is True
    # A call that found everything done says nothing.
    idle = {**old, 'calls': record['calls'], 'run': {'finished': 5, 'kept': 5, 'retried': []}}
    folder.record.write_text(json.dumps(idle))
    assert go_on(folder, asked)[0]['calls'] == record['calls']
    # Other versions may go on, but the record says which drove before.
    old['versions'] = {'numpy': '1.0'}
    folder.record.write_text(json.dumps(old))
    record, _ = go_on(folder, asked)
    assert record['earlier'] == [{'versions': {'numpy': '1.0'}, 'code': asked['code']}]
    assert record['versions'] == asked['versions']


def test_constants_behind_a_run_are_hashed_and_told_apart(tmp_path):
    """A robot, gate or crowd that changed is another run, though the protocol is the same."""
    record = describe(config(), 'straight', {})
    values = record['constants']['values']
    assert values['robot']['v_max'] == 1.5
    assert values['gate']['camera_period'] == 0.2
    assert values['crowd']['horizon'] == 2.5
    other = describe(config(robot='turtlebot4'), 'straight', {})
    assert other['constants']['hash'] != record['constants']['hash']
    slower = copy.deepcopy(record)
    slower['constants']['values']['robot']['v_max'] = 1.0
    slower['constants']['values']['robot']['camera']['z'] = 0.7
    assert changed_constants(slower, record) == ['robot.camera.z 0.7, now 0.6',
                                                 'robot.v_max 1.0, now 1.5']
    folder = RunFolder(tmp_path)
    folder.record.write_text(json.dumps(slower))
    with pytest.raises(RunError, match=r'other constants: robot.camera.z 0.7, now 0.6'):
        go_on(folder, record)
    # Nodes have settings of their own, and runs of before none or fewer: nothing to compare.
    fewer = copy.deepcopy(record)
    del fewer['constants']['values']['gate']['flapping']
    assert changed_constants(fewer, record) == changed_constants(record, fewer) == []
    assert changed_constants(describe(config(), 'straight', {}, nodes=True), record) == []
    assert changed_constants({}, record) == []


def test_scenes_of_one_name_would_overwrite_each_other(only_yard):
    refuse_namesakes(['city:1', 'a/scene.ply'])
    with pytest.raises(RunError, match=r"a/scene.ply and b/scene.ply are both called 'yard'"):
        refuse_namesakes(['a/scene.ply', 'city:1', 'b/scene.ply'])


def test_latency_is_told_by_its_percentiles():
    # Of 0, 1, ..., 100 ms the percentiles are their own numbers.
    table = latency_table([tuple(k / 1000 for k in range(101))])
    assert table == {STAGE: {'images': 101, 'p50 ms': 50.0, 'p95 ms': 95.0, 'p99 ms': 99.0}}
    # A run that goes on with little keeps the measure of much.
    assert latency_table([(0.5,)], table) == table
    assert latency_table([], None) == {}
