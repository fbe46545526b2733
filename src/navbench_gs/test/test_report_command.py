"""The command on a page makes the run again: it parses back to the same settings."""

from __future__ import annotations

import dataclasses
import shlex

import pytest

from navbench_gs.report.command import command, sweep_command
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.identity import describe
from navbench_gs.runner.plan import RunConfig
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import TASKS

SCENES = ('city:3', 'city:4', 'city:5', '/data/my yard', 'city:9', 'city:10@held-out')
CONFIG = RunConfig(SCENES, TASKS, load_protocol(), 'coco', episodes=4, seed=2)


def test_a_run_by_its_record():
    record = describe(CONFIG, 's2e-small@28cc', {'source': 's2e-small'})
    assert command(record) == (
        "s2e bench run --policy s2e-small --scenes city:3-5 '/data/my yard' city:9 "
        'city:10@held-out --tasks all --episodes 4 --seed 2 --robot coco --protocol default')
    worse = dataclasses.replace(
        CONFIG, scenes=('city:1',), tasks=('empty', 'pedestrian'), backend='cuda',
        conditions=Conditions(latency=0.2, blur=1.0, gate_source='depth'))
    assert command(describe(worse, 'straight', {})) == (
        's2e bench run --policy straight --scenes city:1 --tasks empty pedestrian --episodes 4 '
        '--seed 2 --robot coco --protocol default --gate-source depth '
        '--conditions blur=1.0 latency=0.2 --backend cuda')


def test_a_protocol_of_ones_own_is_a_file():
    own = dataclasses.replace(CONFIG, protocol=dataclasses.replace(CONFIG.protocol, name='mine'))
    assert command(describe(own, 'straight', {})).endswith('--protocol mine.yaml')


def test_a_run_through_ros_by_its_record():
    config = dataclasses.replace(CONFIG, camera='robot 640x480',
                                 conditions=Conditions(latency=0.2))
    record = {**describe(config, 'straight', {}, nodes=True), 'mode': 'realtime'}
    words = shlex.split(command(record))
    assert words[:4] == ['ros2', 'launch', 's2e_nav', 'navbench_sim.launch.py']
    options = dict(word.split(':=', 1) for word in words[4:])
    assert options == {
        'policy': 'straight', 'scenes': 'city:3-5 /data/my yard city:9 city:10@held-out',
        'tasks': 'all', 'episodes': '4', 'seed': '2', 'robot': 'coco', 'protocol': 'default',
        'mode': 'realtime', 'camera': 'robot', 'image_width': '640', 'image_height': '480',
        'latency': '0.2',
    }


def test_tracks_are_named():
    for more, words in ({}, ''), ({'fps': 30.0, 'scale': 0.01}, ' fps=30 scale=0.01'):
        recorded = dataclasses.replace(
            CONFIG.protocol.recorded, tracks='/d/obsmat.txt', digest='d', **more)
        config = dataclasses.replace(
            CONFIG, protocol=dataclasses.replace(CONFIG.protocol, recorded=recorded))
        assert command(describe(config, 'straight', {})).endswith(f'--tracks /d/obsmat.txt{words}')


@pytest.mark.parametrize('record', [{}, {'protocol': None}, {'protocol': {'values': {}}}])
def test_a_record_that_says_too_little_has_none(record):
    assert command(record) == ''
    assert sweep_command(record, {}) == ''


def test_a_sweep_by_its_facts():
    facts = {'policy': 'straight', 'scenes': ['city:1', 'city:2'], 'tasks': ['empty'],
             'episodes per scene and task': 2, 'seed': 0, 'robot': 'coco',
             'protocol': {'name': 'default'}, 'details': {}}
    assert sweep_command(facts, {'latency': [0.0, 0.1], 'fov': [60.0]}) == (
        's2e bench sweep --policy straight --scenes city:1-2 --tasks empty --episodes 2 --seed 0 '
        '--robot coco --protocol default --axes latency=0,0.1 fov=60')
