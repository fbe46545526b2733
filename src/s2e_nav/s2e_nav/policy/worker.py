"""The inference thread: takes the newest image, asks the navigator, hands on the result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from s2e_core.contract import Policy
from s2e_core.errors import S2EError
from s2e_core.navigator import Navigator, NavigatorConfig, NavigatorResult
from s2e_nav.policy.intake import Intake
from s2e_nav.runtime.rates import LatencyWindow

WAIT = 0.2
"""Longest wait of the thread between two looks at whether to end, seconds."""


class Worker:
    """Owns the navigator; every access to it goes through the lock of this class."""

    def __init__(
        self,
        policy: Policy,
        config: NavigatorConfig,
        intake: Intake,
        on_result: Callable[[NavigatorResult, int], None],
        on_fault: Callable[[str, int], None],
    ) -> None:
        """Prepare, without starting.

        Args:
            policy: The policy.
            config: Tolerances.
            intake: Where images come from.
            on_result: Called in the thread with the result and the stamp of its image.
            on_fault: Called in the thread with what went wrong and the image's stamp, or 0.
        """
        policy.reset()
        self._navigator = Navigator(policy, config)
        self._lock = threading.Lock()
        self._intake, self._on_result, self._on_fault = intake, on_result, on_fault
        self._running = False
        self._thread: threading.Thread | None = None
        self.latency = LatencyWindow()

    def start(self) -> None:
        """Begin to answer images."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name='policy', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End and wait for the answer in progress."""
        self._running = False
        if self._thread is not None:
            self._thread.join(timeout=2.0)
            self._thread = None

    def set_goal(self, goal: np.ndarray) -> None:
        """Drive to a point of the odom frame. [2]"""
        with self._lock:
            self._navigator.set_goal(goal)

    def cancel(self) -> None:
        """Drop the goal."""
        with self._lock:
            self._navigator.cancel()

    def _run(self) -> None:
        while self._running:
            stamp = 0
            try:
                sample = self._intake.take(WAIT)
                if sample is None:
                    continue
                stamp = sample.frame.stamp_ns
                started = time.perf_counter()
                with self._lock:
                    result = self._navigator.step(sample.frame, sample.odometry)
                if result.output is not None:
                    self.latency.add(time.perf_counter() - started)
            except S2EError as error:
                self._on_fault(f'{type(error).__name__}: {error}'[:500], stamp)
                continue
            except Exception as error:
                # A policy may raise anything; the robot stops, the node lives and says why.
                self._on_fault(f'{type(error).__name__}: {error}'[:500], stamp)
                continue
            self._on_result(result, stamp)
