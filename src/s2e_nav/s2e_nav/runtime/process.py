"""The frame of every node process: init, spin, clean stop, exit code."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn, Protocol

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from s2e_core.errors import S2EError
from s2e_nav.runtime.stuck import ERRORS, STOPS, StuckWatch

SPIN_SECONDS = 0.2
"""Longest wait between two looks at whether to stop."""
GRACE_SECONDS = 1.0
"""From a signal to the end of a process that is busy."""
TEAR_DOWN_SECONDS = 4.0
"""Longest orderly end; `ros2 launch` sends SIGTERM after five."""
MIDDLEWARE_SECONDS = 0.6
"""Longest good-bye of the middleware, after the program has closed: one in seven takes 3 s when
several nodes of a robot say it at once, and nothing of ours depends on it."""


class Program(Protocol):
    """A node with a beginning and an end."""

    @property
    def node(self) -> Node:
        """The node to spin."""

    @property
    def exit_code(self) -> int | None:
        """None while the program runs."""

    def close(self) -> None:
        """Stop what moves, join threads; called once while the context is still valid."""


class StopSignal:
    """Remembers that SIGINT or SIGTERM came; the main loop looks at it.

    A process that is busy, with compiling or reading a scene, does not get to look: it is ended
    from a thread once the grace is over, because Ctrl-C has to work within two seconds. One whose
    main thread is stuck in C does not even get here: `StuckWatch` ends it.
    """

    def __init__(self) -> None:
        """Take over both signals."""
        self.seen = False
        self.wake: Callable[[], None] | None = None
        self._tearing_down = False
        self._timers: list[threading.Timer] = []
        for number in STOPS:
            signal.signal(number, self._on_signal)
        self.watch = StuckWatch(lambda: self.seen)

    def tearing_down(self) -> None:
        """The end has begun in good order; it gets its own time."""
        self._tearing_down = True
        # From C: a good-bye that sticks may hold the interpreter's lock, as publishing does.
        faulthandler.dump_traceback_later(TEAR_DOWN_SECONDS, exit=True, file=ERRORS)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call from a thread, unless the end comes before."""
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def close(self) -> None:
        """The end has come: nothing of this may end the process any more."""
        faulthandler.cancel_dump_traceback_later()
        for timer in self._timers:
            timer.cancel()
        self.watch.close()

    def _on_signal(self, number: int, stack: object) -> None:
        if self.seen:
            return
        self.seen = True
        self.after(GRACE_SECONDS, self._give_up)
        # The wake-up matters: a wait in C is not left before its time by a Python handler alone.
        if self.wake is not None:
            self.wake()

    def _give_up(self) -> None:
        if not self._tearing_down:
            os._exit(0)


def run_program(make: Callable[[], Program], args: list[str] | None = None) -> int:
    """Run one node until it ends, is told to stop, or fails.

    SIGINT and SIGTERM end it cleanly: the program's `close` still may publish (a stopped robot
    needs its zero), then threads are joined and the context goes down.

    Returns:
        0 after an asked-for end, 1 after an error, or the program's own exit code.
    """
    stop = StopSignal()
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    program: Program | None = None
    executor = SingleThreadedExecutor()
    stop.wake = executor.wake
    code = 0
    try:
        program = make()
        stop.watch.name = program.node.get_name()
        executor.add_node(program.node)
        while not stop.seen and program.exit_code is None:
            executor.spin_once(timeout_sec=SPIN_SECONDS)
        code = program.exit_code or 0
    except S2EError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        code = 1
    except (KeyboardInterrupt, ExternalShutdownException):
        code = 0
    finally:
        stop.tearing_down()
        try:
            _tear_down(program, executor, code, stop)
        finally:
            stop.close()
    return code


def main_program(make: Callable[[], Program], args: list[str] | None = None) -> NoReturn:
    """Run a node and end the process with its exit code.

    The end is immediate: threads are joined and files closed by then, while the libraries' own
    tidying takes most of a second and turns a late signal into another exit code.
    """
    _end(run_program(make, args))


def _end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tear_down(
    program: Program | None, executor: SingleThreadedExecutor, code: int, stop: StopSignal
) -> None:
    try:
        if program is not None:
            program.close()
    finally:
        stop.after(MIDDLEWARE_SECONDS, lambda: _end(code))
        executor.shutdown(timeout_sec=1.0)
        if program is not None:
            program.node.destroy_node()
        rclpy.try_shutdown()
