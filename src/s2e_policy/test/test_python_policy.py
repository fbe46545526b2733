"""Policies in Python by name: found, checked, told apart by their text, or refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from s2e_core.contract import Observation
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.errors import PolicyError
from s2e_policy.named import check_policy, open_policy
from s2e_policy.python_policy import parse_python

CODE = """
from dataclasses import dataclass

import numpy as np

from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import PolicyOutput, PolicySpec


@dataclass
class Ahead:
    speed: float = 1.0
    inputs = 'nothing'
    spec = PolicySpec('ahead', frames=1, camera=SMALL_CAMERA, v_max=1.0, w_max=1.0)

    def reset(self):
        pass

    def infer(self, observation):
        way = np.zeros((1, 10, 2), np.float32)
        way[0, :, 0] = 0.2 * self.speed * np.arange(1, 11)
        return PolicyOutput(observation.stamp_ns, way, np.ones(1, np.float32))


def slow():
    return Ahead(0.3)


class Mute:
    spec = Ahead.spec
    reset = Ahead.reset


class Nameless:
    spec = 'ahead'
    reset, infer = Ahead.reset, Ahead.infer


def broken():
    raise OSError('no card')
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(CODE)
    return path


def test_a_class_or_function_makes_the_policy(file):
    loaded = open_policy(f'python:{file}:Ahead')
    assert loaded.policy.spec.name == 'ahead'
    assert loaded.policy.speed == 1.0
    assert loaded.identity.startswith('ahead@')
    assert loaded.about['inputs'] == 'nothing'
    assert open_policy(f'python:{file}:slow').policy.speed == 0.3
    check_policy(f'python:{file}:slow')


def test_a_changed_file_is_another_policy(file):
    before = open_policy(f'python:{file}:Ahead')
    file.write_text(CODE.replace('speed: float = 1.0', 'speed: float = 0.5'))
    after = open_policy(f'python:{file}:Ahead')
    assert before.identity != after.identity
    assert after.policy.speed == 0.5


def test_a_relative_path_becomes_whole(file, monkeypatch):
    """Workers may run in another folder."""
    monkeypatch.chdir(file.parent)
    assert str(parse_python('python:mine.py:Ahead')) == f'python:{file}:Ahead'


@pytest.mark.parametrize(('name', 'reason'), [
    ('python:mine.py', 'is named python:FILE.py:NAME'),
    ('python:mine.txt:Ahead', 'is named python:FILE.py:NAME'),
    ('python:mine.py:a b', 'is named python:FILE.py:NAME'),
    ('python:none.py:Ahead', 'no such file'),
    ('python:mine.py:Behind', "has no 'Behind'"),
    ('python:mine.py:broken', 'OSError: no card'),
    ('python:mine.py:Mute', 'needs a method infer'),
    ('python:mine.py:Nameless', 'needs a spec of type'),
])
def test_what_is_no_policy_is_refused(file, monkeypatch, name, reason):
    monkeypatch.chdir(file.parent)
    with pytest.raises(PolicyError, match=reason):
        open_policy(name)


def test_a_file_that_fails_is_refused_each_time(file):
    file.write_text('import no_such_module\n')
    for _ in range(2):
        with pytest.raises(PolicyError, match=r'mine.py: ModuleNotFoundError'):
            open_policy(f'python:{file}:Ahead')


def test_the_example_of_the_document_drives(tmp_path):
    document = Path(__file__).resolve().parents[3] / 'docs' / 'policies.md'
    example = re.search(r'```python\n(.*?class Turner.*?)```', document.read_text(), re.DOTALL)
    (tmp_path / 'turner.py').write_text(example[1])
    policy = open_policy(f'python:{tmp_path / "turner.py"}:Turner').policy
    policy.reset()
    images = np.zeros((1, 128, 128, 3), np.uint8)
    ahead, left = (
        policy.infer(Observation(images, np.array([5]), np.array(goal), Odometry(5, Pose2())))
        for goal in ([5.0, 0.0], [0.0, 5.0])
    )
    assert ahead.problem() is None
    assert ahead.modes[0, -1] == pytest.approx([2.0, 0.0])
    assert left.modes[0, -1, 1] > 1.0
