"""A policy's time: what can be interrupted is, what cannot ends its process with its place."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading

import pytest

from navbench_gs.runner.deadline import PolicyStalledError, deadline

NATIVE = """
import signal, time
from navbench_gs.runner import deadline

deadline.GRACE = 0.2
# As in native code that never returns: signals wait.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
with deadline.deadline(0.1):
    time.sleep(60.0)
"""


def test_waiting_for_ever_is_interrupted_and_the_alarm_put_back():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(PolicyStalledError, match=r'no answer for 0.05 s'), deadline(0.05):
        threading.Event().wait()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_exception_caught_with_all_others_comes_again():
    def stubborn() -> None:
        with contextlib.suppress(BaseException):
            threading.Event().wait()
        threading.Event().wait()

    with pytest.raises(PolicyStalledError), deadline(0.05):
        stubborn()


def test_what_cannot_be_interrupted_ends_the_process_and_says_where():
    done = subprocess.run(
        [sys.executable, '-c', NATIVE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert 'Timeout' in done.stderr and 'line 9' in done.stderr


def test_in_time_or_without_a_bound_nothing_happens():
    for seconds in (30.0, 0.0, float('inf')):
        with deadline(seconds):
            pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
