"""What docs/robot_setup.md tells people to look at and to change is there under that name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')

from s2e_core.stops import Reason
from s2e_nav.navigation.codes import Code
from s2e_nav.nodes.follower import FollowerParameters
from s2e_nav.nodes.gate import GateParameters
from s2e_nav.nodes.policy import PolicyParameters
from s2e_nav.parameters import entries

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / 'docs/robot_setup.md').read_text(encoding='utf-8')
KNOWN = {
    entry.name
    for kind in (PolicyParameters, FollowerParameters, GateParameters) for entry in entries(kind)
}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    part = TEXT.split(f'## {heading}\n')[1].split('\n## ')[0]
    lines = [line for line in part.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[2:]]


def test_every_parameter_that_is_to_be_tuned_exists():
    named = {
        word for row in rows('Tuning') for word in re.findall(r'`(\w+\.\w+)`', row[1])
    }
    assert len(named) >= 6
    assert named <= KNOWN


def test_the_example_of_own_parameters_is_what_the_gate_takes():
    [example] = re.findall(r'```yaml\n(.*?)```', TEXT, re.DOTALL)
    groups = yaml.safe_load(example)['/**']['gate']['ros__parameters']
    assert {f'{group}.{key}' for group, keys in groups.items() for key in keys} <= KNOWN


def test_every_reason_that_stops_the_robot_is_explained():
    symptoms = ' '.join(row[0] for row in rows('Something is wrong'))
    reasons = {reason.value for reason in Reason}
    named = set(re.findall(r'`([a-z_]+)`', symptoms))
    assert {word for word in named if '_' in word} <= reasons
    # These speak for themselves, or are no fault; what an obstacle is, safety.md says.
    plain = {'none', 'e_stop', 'e_stop_lost', 'command_invalid', 'odometry_invalid', 'clock_jump',
             'shutdown', 'obstacle', 'obstacles_stale'}
    assert reasons - plain - named == set()
    codes = set(re.findall(r'\b([A-Z]{2,}_[A-Z_]+)\b', symptoms))
    assert codes and codes <= {code.name for code in Code}


def test_launch_arguments_that_are_named_exist():
    tree = ast.parse((ROOT / 'launch/robot.launch.py').read_text())
    [table] = [node.value for node in tree.body if isinstance(node, ast.Assign)
               and getattr(node.targets[0], 'id', '') == 'ARGUMENTS']
    declared = {name for name, _, _ in ast.literal_eval(table)}
    simulator = {'goals', 'mode'}
    assert set(re.findall(r'\b([a-z_]+):=', TEXT)) <= declared | simulator
