"""What a run consists of, and how its files are written."""

from __future__ import annotations

import json

import pytest

from navbench_gs.errors import RunError
from navbench_gs.runner.plan import (
    Item,
    RunConfig,
    RunFolder,
    parse_scenes,
    parse_tasks,
    write_atomically,
)
from navbench_gs.runner.pool import chunks
from navbench_gs.runner.run import _check_same_run, describe
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
    _check_same_run(folder, record)
    folder.record.write_text(json.dumps(record))
    _check_same_run(folder, describe(config(episodes=9), 'straight', {}))
    with pytest.raises(RunError, match='policy'):
        _check_same_run(folder, describe(config(), 'privileged', {}))
    with pytest.raises(RunError, match='seed'):
        _check_same_run(folder, describe(config(seed=1), 'straight', {}))
    folder.record.write_text('{')
    with pytest.raises(RunError, match='cannot be read'):
        _check_same_run(folder, record)
