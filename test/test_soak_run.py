"""`s2e doctor --soak`, as a user runs it, for a moment."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')
pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')

PATIENCE = 300.0
"""Seconds for what takes 25 on an idle machine."""


@pytest.mark.ros
@pytest.mark.e2e
@pytest.mark.slow
def test_a_short_soak_drives_measures_and_leaves_nothing_behind(tmp_path):
    folder = tmp_path / 'soak'
    done = subprocess.run(
        [sys.executable, '-m', 's2e_cli', 'doctor', '--soak', '0.25', '--policy', 'straight',
         '--out', str(folder)],
        capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
    )
    said = done.stdout + done.stderr
    # Too short to judge anything but that nothing broke.
    assert done.returncode == 0, said
    rows = list(csv.DictReader((folder / 'soak.csv').open(encoding='utf-8')))
    assert len(rows) == 3, said
    for name in ('policy', 'follower', 'gate', 'incidents', 'launch'):
        assert float(rows[-1][f'{name}_rss_mb']) > 10.0, name
    assert sum(float(row['plans']) for row in rows) > 0, said
    assert sum(float(row['commands']) for row in rows) > 0, said
    assert float(rows[-1]['latency_p50_ms']) > 0.0
    assert '<svg' in (folder / 'soak.html').read_text()
    log = (folder / 'launch.log').read_text()
    assert log.count('process has finished cleanly') == 4, log


@pytest.mark.ros
@pytest.mark.e2e
@pytest.mark.slow
def test_a_soak_that_is_told_to_end_judges_what_it_has_and_takes_its_nodes_along(tmp_path):
    folder = tmp_path / 'soak'
    soak = subprocess.Popen(
        [sys.executable, '-m', 's2e_cli', 'doctor', '--soak', '60', '--policy', 'straight',
         '--out', str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        # As in the background of a script: SIGINT is ignored there.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    log = folder / 'launch.log'
    deadline = time.monotonic() + PATIENCE
    while not (log.exists() and 'ready: provider' in log.read_text()):
        assert soak.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    soak.send_signal(signal.SIGTERM)
    said, _ = soak.communicate(timeout=PATIENCE)
    text = log.read_text()
    assert text.count('process has finished cleanly') == 4, said + text
    for pid in re.findall(r'started with pid \[(\d+)\]', text):
        assert not Path('/proc', pid).exists()
