"""Commands side by side: at most so many at a time, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from s2e_cli.training.side_by_side import run_side_by_side

NOTE = (
    'import sys, time; from pathlib import Path; here, name, other = sys.argv[1:];'
    'Path(here, name).touch();'
    'end = time.monotonic() + 20\n'
    'while other and not Path(here, other).exists() and time.monotonic() < end: time.sleep(0.01)\n'
    'print(name, "saw", Path(here, other).name if other else "nobody");'
    'sys.exit(3 if name == "bad" else 0)'
)
"""Leaves a file of its name, and waits for that of another."""


def command(here: Path, name: str, other: str = '') -> list[str]:
    return [sys.executable, '-c', NOTE, str(here), name, other]


def test_two_run_at_a_time_and_a_failure_stops_nobody(tmp_path: Path) -> None:
    """`a` and `bad` wait for each other, so both must run at once; `c` begins after one's end."""
    said: list[str] = []
    begun = time.monotonic()
    failed = run_side_by_side(
        {'a': command(tmp_path, 'a', 'bad'), 'bad': command(tmp_path, 'bad', 'a'),
         'c': command(tmp_path, 'c')},
        lambda name: tmp_path / 'logs' / name, 2, said.append,
    )
    assert time.monotonic() - begun < 20.0, 'nobody waited in vain'
    assert failed == ['bad']
    assert [line.split(':')[0] for line in said[:2]] == ['a, 1 of 3', 'bad, 2 of 3']
    at = {line.split(':')[0]: index for index, line in enumerate(said)}
    assert at['c, 3 of 3'] > min(at['a is done'], at['bad failed, 3'])
    assert (tmp_path / 'logs' / 'a').read_text() == 'a saw bad\n'


CALLER = (
    'import sys; from pathlib import Path;'
    'from s2e_cli.training.side_by_side import run_side_by_side;'
    'here = Path(sys.argv[1]);'
    'code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)";'
    'run_side_by_side({"long": [sys.executable, "-c", code]}, lambda name: here / name, 1, print)'
)


def test_sigterm_ends_what_runs(tmp_path: Path) -> None:
    caller = subprocess.Popen([sys.executable, '-c', CALLER, str(tmp_path)])
    log, end = tmp_path / 'long', time.monotonic() + 20.0
    while not (log.is_file() and log.read_text().strip()) and time.monotonic() < end:
        time.sleep(0.02)
    child = int(log.read_text())
    os.kill(child, 0)
    caller.send_signal(signal.SIGTERM)
    assert caller.wait(20.0) == 128 + signal.SIGTERM
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        return
    raise AssertionError('the child still runs')
