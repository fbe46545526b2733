"""When the gate decides: on ticks in lock-step, on the steady clock in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.stops import Reason

Step = Callable[[int, int], None]
"""Called with the gate's time and the stamp for the answer, both nanoseconds."""
FREEZE_NS = 500_000_000
"""A gate that did not decide for so long was frozen: the base has stopped by itself, and what the
robot was doing is over. Ten times the longest tick; a busy machine makes 60 ms of it."""
CLOCK_SLACK_NS = 100_000_000
"""A clock that goes back by less was only corrected."""


class LockstepDriver:
    """Steps once odometry, command and, on image ticks, the camera of one stamp are there."""

    def __init__(self, step: Step) -> None:
        """Take the function that decides."""
        self._step = step
        self._heard = {'odom': -1, 'command': -1, 'camera': -1}
        self._answered = -1

    def start(self) -> None:
        """Nothing runs by itself in lock-step."""

    def stop(self) -> None:
        """Nothing runs by itself in lock-step."""

    def wake(self) -> None:
        """What came is judged at the next tick."""

    def now_ns(self) -> int:
        """Return the newest tick."""
        return self._heard['odom']

    def local_ns(self, what: str, stamp_ns: int) -> int:
        """Stamps are the gate's time."""
        return stamp_ns

    def heard(self, what: str, stamp_ns: int) -> None:
        """Note an input and step when the tick is complete."""
        self._heard[what] = stamp_ns
        tick = self._heard['odom']
        if self._heard['command'] != tick or tick == self._answered:
            return
        if tick % POLICY_PERIOD_NS == 0 and self._heard['camera'] != tick:
            return
        self._answered = tick
        self._step(tick, tick)


class SteadyDriver:
    """Steps at a fixed rate and on each command, on a clock that nobody can stop or set.

    Stamps are moved to the steady clock on arrival: their age then grows with it even when the
    ROS clock, or the simulator behind it, stands still. The same stamp again is no news and goes
    on ageing.
    """

    def __init__(
        self,
        step: Step,
        ros_now: Callable[[], int],
        period: float,
        on_stop: Callable[[Reason, str], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        """Take the function that decides.

        Args:
            step: Called from a thread of its own.
            ros_now: Clock of the stamps, nanoseconds.
            period: Longest time between two steps, seconds.
            on_stop: Called in that thread when the driver finds a reason to stop.
            on_failure: Called in that thread, as its last act, with what a step raised.
        """
        self._step, self._ros_now, self._period = step, ros_now, period
        self._on_stop, self._on_failure = on_stop, on_failure
        self._newest: dict[str, tuple[int, int]] = {}
        self._last_step: int | None = None
        self._last_ros = 0
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name='gate', daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End and wait for the thread."""
        self._ending.set()
        self._wake.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=1.0)

    def wake(self) -> None:
        """Step now."""
        self._wake.set()

    def now_ns(self) -> int:
        """Return the steady clock."""
        return time.monotonic_ns()

    def local_ns(self, what: str, stamp_ns: int) -> int:
        """Move the stamp of an input to the steady clock.

        Args:
            what: Name of the input.
            stamp_ns: Its stamp, on the clock of the messages, nanoseconds.
        """
        known = self._newest.get(what)
        if known is not None and stamp_ns == known[0]:
            return known[1]
        now = self._ros_now()
        # Simulated time is 0 until its first message: then nothing can be said of a stamp, and
        # what it belongs to counts as old.
        local = time.monotonic_ns() - (now - stamp_ns) if now else 0
        self._newest[what] = stamp_ns, local
        return local

    def heard(self, what: str, stamp_ns: int) -> None:
        """A command is passed on at once; everything else waits for the next step."""
        if what == 'command':
            self._wake.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(self._period)
            self._wake.clear()
            if self._ending.is_set():
                return
            try:
                now, ros_now = time.monotonic_ns(), self._ros_now()
                self._look_at_clocks(now, ros_now)
                self._step(now, ros_now)
            except Exception as error:
                # A gate that no longer decides must not look alive.
                self._on_failure(error)
                return

    def _look_at_clocks(self, now_ns: int, ros_ns: int) -> None:
        """Find out whether this process was frozen or the clock of the stamps was set back."""
        asleep = 0 if self._last_step is None else now_ns - self._last_step
        back = self._last_ros - ros_ns
        self._last_step, self._last_ros = now_ns, ros_ns
        if back > CLOCK_SLACK_NS:
            self._on_stop(Reason.CLOCK_JUMP, f'back by {back / 1e9:.2f} s')
        if asleep > FREEZE_NS:
            self._on_stop(Reason.GATE_FROZEN, f'no decision for {asleep / 1e9:.2f} s')

