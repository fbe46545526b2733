"""How a node's process ends: in good order, or by force where its main thread does not hear."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from s2e_nav.runtime.process import StopSignal
from s2e_nav.runtime.stuck import STOPS, STUCK_CODE

PATIENCE = 60.0
CHILD = """
import ctypes, sys, threading, time
from pathlib import Path
from rclpy.node import Node
from s2e_nav.runtime import process, stuck

stuck.STUCK_SECONDS = process.TEAR_DOWN_SECONDS = 1.5
MUTEX = ctypes.create_string_buffer(64)
MAIN = Path(f'/proc/self/task/{threading.get_native_id()}/syscall')

def lock_twice(library):
    '''A mutex that is never freed: no signal brings this back.'''
    library.pthread_mutex_lock(MUTEX)
    library.pthread_mutex_lock(MUTEX)

def tell_when_stuck():
    '''Once the kernel has it wait for the mutex, futex(2) is 202, no handler in Python runs.'''
    while not MAIN.read_text().startswith(f'202 {ctypes.addressof(MUTEX):#x} '):
        time.sleep(0.01)
    print('ready', flush=True)

class Program:
    exit_code = None
    def __init__(self):
        self.node = Node('sleeper')
        self.node.create_timer(0.01, self.work)
    def work(self):
        if sys.argv[1] == 'spinning':
            threading.Thread(target=tell_when_stuck).start()
            lock_twice(ctypes.CDLL(None))
        print('ready', flush=True)
    def close(self):
        print('closing', flush=True)
        if sys.argv[1] == 'closing':
            # With the interpreter's lock held: no thread in Python gets to run.
            lock_twice(ctypes.PyDLL(None))

process.main_program(Program)
"""


def ended(where: str, number: signal.Signals) -> tuple[int, str, str, float]:
    """Signal a node that is stuck somewhere; return code, output, errors and seconds."""
    child = subprocess.Popen(
        [sys.executable, '-c', CHILD, where], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == 'ready\n'
    began = time.monotonic()
    child.send_signal(number)
    out, errors = child.communicate(timeout=PATIENCE)
    return child.returncode, out, errors, time.monotonic() - began


@pytest.fixture
def handlers():
    """Put back the handlers that a stop signal takes over."""
    before = {number: signal.getsignal(number) for number in STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.ros
def test_a_main_thread_that_is_stuck_in_c_is_ended_with_its_name_and_place() -> None:
    """1.5 s after the signal: not at once, and without another one."""
    code, _, errors, seconds = ended('spinning', signal.SIGINT)
    assert code == STUCK_CODE
    assert 'error: sleeper: the main thread has not answered SIGINT for 1.5 s' in errors
    assert 'in lock_twice' in errors and 'in work' in errors
    assert 1.5 <= seconds < 1.5 + 10.0


@pytest.mark.ros
def test_a_good_bye_that_is_stuck_is_ended_though_no_thread_gets_to_run() -> None:
    code, out, errors, _ = ended('closing', signal.SIGTERM)
    assert code == STUCK_CODE and 'closing' in out
    assert 'in lock_twice' in errors and 'in close' in errors


@pytest.mark.ros
@pytest.mark.parametrize('number', STOPS)
def test_a_main_thread_that_hears_ends_in_good_order(number: signal.Signals) -> None:
    code, out, errors, _ = ended('nowhere', number)
    assert (code, errors) == (0, '') and out.endswith('closing\n')


def test_whoever_heard_of_signals_before_hears_of_them_again(handlers) -> None:
    """Also where one runs inside another, and nothing is left running."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write)
    try:
        outer = StopSignal()
        inner = StopSignal()
        signal.raise_signal(signal.SIGINT)
        assert inner.seen and not outer.seen
        for stop in (inner, outer):
            stop.tearing_down()
            stop.close()
        assert not [item for item in threading.enumerate() if item.name == 'stuck_watch']
    finally:
        assert signal.set_wakeup_fd(before) == write
    # What came meanwhile was none of theirs.
    os.close(write)
    assert os.read(read, 1) == b''
    os.close(read)
