"""The shipped protocol holds the values of the design, and its hash follows every change."""

from __future__ import annotations

import dataclasses
import json

import pytest
import yaml

from navbench_gs.runner.plan import RunConfig, parse_scenes, parse_tasks
from navbench_gs.tasks.protocol import Protocol, RouteRules, load_protocol
from s2e_core.config import from_mapping, to_mapping
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config


def test_shipped_file_states_every_default():
    protocol = load_protocol()
    assert protocol == Protocol('default', protocol.version)
    stated = yaml.safe_load(find_config('navbench/default.yaml').read_text())
    assert set(stated) == set(to_mapping(protocol))
    for section in ('route', 'obstacle', 'people', 'judge', 'drift', 'recorded'):
        assert set(stated[section]) == set(to_mapping(protocol)[section])


def test_hash_follows_every_value():
    protocol = load_protocol()
    values = to_mapping(protocol)
    values['judge']['goal_radius'] = 0.51
    changed = from_mapping(Protocol, values)
    assert len(protocol.hash) == 64
    assert changed.hash != protocol.hash
    assert from_mapping(Protocol, to_mapping(protocol)).hash == protocol.hash


def test_time_limit_of_the_design():
    # T = 20 + 2.5 d / v_max: d = 30, v_max 1.5 -> 20 + 50; a robot of 3 m/s is capped at 1.5.
    protocol = load_protocol()
    assert protocol.time_limit(30.0, 1.5) == pytest.approx(70.0)
    assert protocol.time_limit(30.0, 3.0) == pytest.approx(70.0)
    assert protocol.time_limit(10.0, 0.5) == pytest.approx(70.0)


def test_unknown_key_and_bad_range_are_refused(tmp_path):
    path = tmp_path / 'p.yaml'
    path.write_text('name: x\nversion: 1\ngravity: 9.81\n')
    with pytest.raises(ConfigError, match='gravity'):
        load_protocol(path)
    with pytest.raises(ConfigError, match='geodesic_low'):
        RouteRules(geodesic_low=30.0, geodesic_high=20.0)


def test_ablation_is_the_default_on_fewer_episodes():
    """8 validation scenes x 2 tasks x 10 episodes."""
    default, study = load_protocol(), load_protocol('ablation')
    scenes, tasks = parse_scenes(study.scenes), parse_tasks(study.tasks)
    run = RunConfig(scenes, tasks, study, study.robot, study.episodes)
    assert (len(scenes), len(tasks), len(run.items())) == (8, 2, 160)
    assert all(100 <= int(scene.removeprefix('city:')) <= 125 for scene in scenes)
    own = {'name', 'episodes', 'scenes', 'tasks'}
    ours, theirs = to_mapping(study), to_mapping(default)
    assert {key for key in theirs if ours[key] != theirs[key]} == own
    assert study.hash != default.hash


def test_company_counts_in_the_hash_only_where_there_is_any():
    default, crowd = load_protocol(), load_protocol('crowd')
    ours, theirs = to_mapping(crowd), to_mapping(default)
    assert {key for key in theirs if ours[key] != theirs[key]} == {'name', 'people'}
    assert (crowd.people.groups, crowd.people.waiting) == (0.4, 0.3)
    assert crowd.hash != default.hash
    change = dataclasses.replace
    far = change(default, people=change(default.people, group_gap=1.0, wake_high=9.0))
    assert far.hash == default.hash
    far = change(crowd, people=change(crowd.people, group_gap=1.0))
    assert far.hash != crowd.hash
    with pytest.raises(ConfigError, match='wake_low must not be above wake_high'):
        change(crowd.people, wake_low=9.0)


def test_the_default_keeps_the_hash_of_its_calibration():
    record = json.loads(find_config('navbench/calibration.json').read_text())
    assert load_protocol().hash == record['protocol']['hash']
    assert from_mapping(Protocol, to_mapping(load_protocol())).hash == record['protocol']['hash']
