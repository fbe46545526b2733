"""The frame of every node process: init, spin, clean stop, exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Protocol

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from s2e_core.errors import S2EError

SPIN_SECONDS = 0.2
"""Longest wait between two looks at whether to stop."""


class Program(Protocol):
    """A node with a beginning and an end."""

    node: Node
    exit_code: int | None
    """Set by the program to end the process."""

    def close(self) -> None:
        """Stop what moves, join threads; called once while the context is still valid."""


class StopSignal:
    """Remembers that SIGINT or SIGTERM came; the main loop looks at it."""

    def __init__(self) -> None:
        """Take over both signals."""
        self.seen = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, stack: object) -> None:
        self.seen = True
        # The wake-up matters: a wait in C is not left before its time by a Python handler alone.
        if self.wake is not None:
            self.wake()

    wake: Callable[[], None] | None = None


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
        _tear_down(program, executor)
    return code


def _tear_down(program: Program | None, executor: SingleThreadedExecutor) -> None:
    try:
        if program is not None:
            program.close()
    finally:
        executor.shutdown(timeout_sec=1.0)
        if program is not None:
            program.node.destroy_node()
        rclpy.try_shutdown()
