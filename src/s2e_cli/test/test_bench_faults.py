"""`s2e bench run` with policies that misbehave: an outcome with its words, and the run goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from s2e_cli.main import main

CODE = '''
import os
import time

import numpy as np

from navbench_gs.agents.straight import StraightToGoal
from s2e_core.contract import PolicyOutput


class Bad(StraightToGoal):
    """Answers two images and then does what the class says."""

    asked = 0
    needs_images = False

    def reset(self):
        self.asked = 0

    def infer(self, observation):
        self.asked += 1
        output = super().infer(observation)
        return output if self.asked < 3 else self.fail(output)


class Raises(Bad):
    def fail(self, output):
        raise ValueError('no idea')


class Nan(Bad):
    def fail(self, output):
        return PolicyOutput(output.stamp_ns, output.modes * np.nan, output.scores)


class Nothing(Bad):
    def fail(self, output):
        return None


class Empty(Bad):
    def fail(self, output):
        return PolicyOutput(output.stamp_ns, output.modes[:0], output.scores[:0])


class Races(Bad):
    def fail(self, output):
        return PolicyOutput(output.stamp_ns, output.modes * 100.0, output.scores)


class Unready(Bad):
    def reset(self):
        raise RuntimeError('not ready')


class Sleeps(Bad):
    def fail(self, output):
        if self.asked == 3:
            time.sleep(0.3)
        return output


class Quits(Bad):
    def fail(self, output):
        raise SystemExit(3)


class Hangs(Bad):
    def fail(self, output):
        while True:
            try:
                time.sleep(60.0)
            except Exception:
                pass


class Ends(Bad):
    def fail(self, output):
        os._exit(7)
'''


@pytest.fixture(scope='module')
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policies."""
    path = tmp_path_factory.mktemp('code') / 'bad.py'
    path.write_text(CODE)
    return path


@pytest.fixture(scope='module')
def hurry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A protocol of short routes and no more time than top speed takes: 5.3 to 6.7 s."""
    path = tmp_path_factory.mktemp('protocol') / 'hurry.yaml'
    path.write_text(
        'name: hurry\nversion: 1\nroute: {geodesic_low: 8.0, geodesic_high: 10.0}\n'
        'judge: {time_base: 0.0, time_factor: 1.0}\n'
    )
    return str(path)


@pytest.fixture
def bench(code, hurry, tmp_path):
    """Return a function that runs one episode by name and returns its file's content."""

    def run(name: str, *more: str) -> dict:
        out = tmp_path / name
        policy = 'straight' if name == 'straight' else f'python:{code}:{name}'
        words = ['bench', 'run', '--policy', policy, '--scenes', 'city:101', '--episodes', '1',
                 '--protocol', hurry, '--out', str(out), *more]
        assert main(words) == 0
        [file] = (out / 'episodes').iterdir()
        return json.loads(file.read_text())

    return run


@pytest.mark.parametrize(('name', 'ticks', 'detail'), [
    # The third image is the one after 0.4 s: eight ticks and the beginning.
    ('Raises', 9, 'ValueError: no idea'),
    ('Nan', 9, 'modes hold a value that is not finite'),
    ('Nothing', 9, "AttributeError: 'NoneType' object has no attribute 'problem'"),
    ('Quits', 9, 'SystemExit: 3'),
    ('Empty', 9, r'modes must be [M, T, 2] with M >= 1, got (0, 10, 2)'),
    ('Unready', 1, 'RuntimeError: not ready'),
])
def test_its_episode_ends_with_its_words(bench, capsys, name, ticks, detail):
    episode = bench(name)
    assert (episode['outcome'], episode['detail']) == ('policy_error', detail)
    assert len(episode['ticks']['x']) == ticks
    assert re.search(r'empty +1 +0\.00 \[0\.00, 0\.79\]', capsys.readouterr().out)


def test_plans_nobody_may_drive_leave_it_standing(bench):
    episode = bench('Races')
    assert episode['outcome'] == 'timed_out'
    assert set(episode['modes'][2:]) == {-1}
    assert episode['ticks']['command_v'][-1] == 0.0


def test_the_world_waits_for_one_that_sleeps(bench):
    slept, straight = bench('Sleeps'), bench('straight')
    assert slept['ticks'] == straight['ticks']
    assert slept['outcome'] == straight['outcome']


def test_one_that_hangs_ends_its_episode(bench):
    episode = bench('Hangs', '--answer-limit', '2')
    assert (episode['outcome'], episode['detail']) == (
        'policy_stalled', 'no answer for 2 s of wall time')
    assert len(episode['ticks']['x']) == 9


def test_one_that_ends_its_process_is_tried_twice_and_noted(code, hurry, tmp_path, capsys):
    words = ['bench', 'run', '--policy', f'python:{code}:Ends', '--scenes', 'city:101',
             '--episodes', '1', '--protocol', hurry, '--workers', '2', '--out', str(tmp_path)]
    assert main(words) == 1
    assert 'no episode could be run' in capsys.readouterr().err
    account = json.loads((tmp_path / 'run.json').read_text())['run']
    assert account['retried'] == ['city:101 empty 0']
    assert account['skipped'] == [{
        'scene': 'city:101', 'task': 'empty', 'index': 0,
        'reason': 'two workers died, last exit 7',
    }]
