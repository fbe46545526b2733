"""Faults of four kinds with the simulator as the robot and the shipped policy at the wheel.

All of them run by `s2e doctor --faults --scene`; docs/safety.md has the measured table.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')
pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')

FAULTS = (
    'camera frozen, new stamps', 'odometry killed', 'model raises', 'gate killed (SIGKILL)',
)
PATIENCE = 300.0
"""Seconds for what takes 35, nearly half of it until the nodes and the scene are there: a busy
machine gets more attempts."""


@pytest.fixture(scope='module')
def rows(tmp_path_factory) -> dict[str, dict[str, str]]:
    """Inject the faults; return the rows of the CSV by name."""
    file = tmp_path_factory.mktemp('faults') / 'times.csv'
    # The processes run the sources of this test run, as their parent does.
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, '-m', 's2e_cli', 'doctor', '--csv', str(file), '--scene', 'city:100',
         '--faults', *FAULTS],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        timeout=PATIENCE, check=False,
    )
    assert file.is_file(), run.stdout
    return {row['fault']: row for row in csv.DictReader(file.open(encoding='utf-8'))}


@pytest.mark.ros
@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize('fault', FAULTS)
def test_fault_in_the_simulator(rows: dict[str, dict[str, str]], fault) -> None:
    """The verdict covers reason, time to the stop ramp or to rest, and what moves it again."""
    assert rows[fault]['verdict'] == 'held', rows[fault]


@pytest.mark.ros
@pytest.mark.parametrize(('words', 'error'), [
    (['--scene', 'atlantis'], "s2e: error: scene 'atlantis' does not exist; allowed: 'city:SEED'"),
    (['--scene', 'city:100', '--policy', 'nobody'], 's2e: error: models/nobody not found'),
])
def test_what_is_not_there_is_said_in_a_line_before_anything_starts(words, error) -> None:
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, '-m', 's2e_cli', 'doctor', '--faults', 'odometry killed', *words],
        capture_output=True, text=True, env=environment, timeout=60.0, check=False,
    )
    assert run.returncode != 0 and not run.stdout
    line, = run.stderr.strip().splitlines()
    assert line.startswith(error)
