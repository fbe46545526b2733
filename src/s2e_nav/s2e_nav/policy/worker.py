"""The inference thread: takes the newest image, asks the navigator, hands on the result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from s2e_core.contract import Policy
from s2e_core.navigator import Navigator, NavigatorConfig, NavigatorResult
from s2e_core.obstacle_veto import ObstacleVeto
from s2e_nav.errors import InputError, StartError
from s2e_nav.navigation.codes import Code
from s2e_nav.policy.intake import Intake, Sample
from s2e_nav.runtime.stages import StageTimes, TimedPolicy

WAIT = 0.2
"""Longest wait of the thread between two looks at whether to end, seconds."""
JOIN = 2.0
"""Longest wait for a model to finish when the robot has been stopped already, seconds."""


@dataclass(frozen=True)
class Answer:
    """What one image led to."""

    goal_ns: int
    """Stamp of the goal it was made for, or 0."""
    sample: Sample
    result: NavigatorResult


class Listener(Protocol):
    """Whoever is told; every call comes from the inference thread."""

    def on_answer(self, answer: Answer) -> None:
        """Take an answer."""

    def on_standstill(self, stamp_ns: int) -> None:
        """Take the word that an image has no answer, as the goal was dropped meanwhile."""

    def on_fault(self, code: Code | None, text: str, stamp_ns: int) -> None:
        """Take what went wrong; without a code the next image may be fine."""


class Worker:
    """Owns the navigator. Nobody waits for it: a model that hangs must not delay a stop.

    What others ask for is done before the next image. An answer that was begun before a stop is
    thrown away, whenever it comes.
    """

    def __init__(
        self, policy: Policy, config: NavigatorConfig, intake: Intake, listener: Listener,
        check: Callable[[Sample], str], lock: threading.RLock, obstacles: ObstacleVeto,
    ) -> None:
        """Prepare, without starting.

        Args:
            policy: The policy.
            config: Tolerances.
            intake: Where images come from.
            listener: Told in the thread.
            check: Says what is wrong with a picture for the policy, or nothing.
            obstacles: What rejects modes that hit something.
            lock: The listener's; held while it is told, never while the model runs.
        """
        policy.reset()
        self._policy = TimedPolicy(policy)
        self._navigator = Navigator(self._policy, config, obstacles)
        self._intake, self._listener, self._check = intake, listener, check
        # The newest wish wins: nothing piles up while no image comes.
        self._wish: Callable[[Navigator], None] | None = None
        self._moved: np.ndarray | None = None
        self._goal_ns = 0
        self._stops = 0
        self._lock = lock
        self._running = False
        self._thread: threading.Thread | None = None
        self._hanging: threading.Thread | None = None
        self.times = StageTimes()

    def start(self) -> None:
        """Begin to answer images.

        Raises:
            StartError: The model of before still has not come back.
        """
        if self._hanging is not None and self._hanging.is_alive():
            raise StartError('the model is still busy with an image of before')
        self._hanging = None
        self._running = True
        self._thread = threading.Thread(target=self._run, name='policy', daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; the answer in progress is waited for a while and never handed on."""
        self._running = False
        self.cancel()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=JOIN)
            self._hanging = thread

    def set_route(self, points: np.ndarray, goal_ns: int) -> None:
        """Drive through points of the odom frame. [N, 2]"""
        self._ask(lambda navigator: navigator.set_route(points), goal_ns)

    def move_route(self, points: np.ndarray) -> None:
        """Correct where the points of the route lie. [N, 2]"""
        with self._lock:
            self._moved = points

    def roam(self, goal_ns: int) -> None:
        """Drive without a goal."""
        self._ask(lambda navigator: navigator.roam(), goal_ns)

    def cancel(self) -> None:
        """Drop the goal; after the return no plan of before is handed on any more."""
        with self._lock:
            self._stops += 1
            self._ask(lambda navigator: navigator.cancel(), 0)

    def _ask(self, wish: Callable[[Navigator], None], goal_ns: int) -> None:
        with self._lock:
            self._wish, self._goal_ns, self._moved = wish, goal_ns, None

    def _obey(self) -> tuple[int, int]:
        """Do what was asked for; return the goal's stamp and the count of stops until now."""
        with self._lock:
            wish, self._wish = self._wish, None
            moved, self._moved = self._moved, None
            goal_ns, stops = self._goal_ns, self._stops
        if wish is not None:
            wish(self._navigator)
        if moved is not None:
            self._navigator.move_route(moved)
        return goal_ns, stops

    def _run(self) -> None:
        while self._running:
            stamp = 0
            # A picture that cannot be read is the camera's fault, what follows is the model's.
            code: Code | None = Code.CAMERA_FAILED
            try:
                sample = self._intake.take(WAIT)
                if sample is None:
                    continue
                stamp = sample.frame.stamp_ns
                problem = self._check(sample)
                if problem:
                    self._fail(code, problem, stamp)
                    continue
                code = Code.POLICY_FAILED
                self._answer(sample)
            except InputError as error:
                self._fail(None, str(error), stamp)
            except (Exception, SystemExit) as error:
                # A policy may raise anything, also what ends a thread without a word; the robot
                # stops, the node lives and says why.
                self._fail(code, f'{type(error).__name__}: {error}'[:500], stamp)

    def _answer(self, sample: Sample) -> None:
        goal_ns, stops = self._obey()
        started = time.perf_counter()
        result = self._navigator.step(sample.frame, sample.odometry)
        answered = time.perf_counter()
        with self._lock:
            if stops == self._stops:
                self._listener.on_answer(Answer(goal_ns, sample, result))
            elif self._running:
                self._listener.on_standstill(sample.frame.stamp_ns)
        if result.output is not None:
            infer = self._policy.seconds
            self.times.add({
                **sample.timing, 'infer': infer, 'choose': answered - started - infer,
                'publish': time.perf_counter() - answered,
            })

    def _fail(self, code: Code | None, text: str, stamp_ns: int) -> None:
        with self._lock:
            if self._running:
                self._listener.on_fault(code, text, stamp_ns)
