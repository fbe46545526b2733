"""Every fault of `s2e doctor --faults`: stopped in time, for the right reason, and at rest until
the cause that it needs.

The faults are shared out between two benches that run side by side: most of a case is waiting.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')
pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')

from s2e_nav.faults.cases import CASES

BENCHES = 2
PATIENCE = 400.0
"""Seconds for what takes 60 on an idle machine: a busy one gets more attempts."""


@pytest.fixture(scope='module')
def times(tmp_path_factory) -> dict[str, dict[str, str]]:
    """Inject every fault; return the rows of the CSV by name."""
    folder = tmp_path_factory.mktemp('faults')
    files = [folder / f'{bench}.csv' for bench in range(BENCHES)]
    # The processes run the sources of this test run, as their parent does.
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    running = [
        subprocess.Popen(
            [sys.executable, '-m', 's2e_cli', 'doctor', '--csv', str(file), '--faults',
             *(case.name for case in CASES[bench::BENCHES])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        )
        for bench, file in enumerate(files)
    ]
    said = [child.communicate(timeout=PATIENCE)[0] for child in running]
    for text in said:
        print(text)
    rows = {}
    for file, text in zip(files, said, strict=True):
        assert file.is_file(), text
        rows |= {row['fault']: row for row in csv.DictReader(file.open(encoding='utf-8'))}
    return rows


@pytest.mark.ros
@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize('case', CASES, ids=lambda case: case.name)
def test_fault(times: dict[str, dict[str, str]], case) -> None:
    """The verdict covers reason, time to the stop ramp or to rest, and what moves it again."""
    row = times[case.name]
    assert row['verdict'] == 'held', row
