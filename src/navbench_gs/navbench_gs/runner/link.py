"""Commands on their way to a base that is far from its driver: late, unevenly late, lost."""

from __future__ import annotations

from collections import deque

import numpy as np

from navbench_gs.runner.conditions import Conditions
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.records import Command


class CommandLink:
    """Carries the commands of one episode, in order; the same fate in each run.

    The constant part of the delay is the base's own (`Conditions.latency`); this adds what varies.
    Where nothing arrives the base keeps the last command, and its time-out runs.
    """

    def __init__(self, conditions: Conditions, spec: EpisodeSpec) -> None:
        """Prepare.

        Args:
            conditions: Jitter, loss and what becomes of the lost.
            spec: The episode, for its seed.
        """
        self._conditions = conditions
        self._rng = np.random.default_rng(np.random.SeedSequence([spec.seed, 0x7E1E]))
        self._queue: deque[tuple[int, Command]] = deque()
        self._last_ns = 0
        self._arrived = Command(-1)

    def __call__(self, now_ns: int, command: Command) -> Command:
        """Send a command; return the newest one that has arrived.

        Args:
            now_ns: Simulated time.
            command: Leaves the driver now.
        """
        c = self._conditions
        # Both are drawn each time, so that one condition does not change what the other does.
        late, lost = abs(float(self._rng.normal())), bool(self._rng.random() < c.command_loss)
        if not lost or c.retransmit > 0.0:
            delay = c.jitter * late + (c.retransmit if lost else 0.0)
            self._last_ns = max(self._last_ns, now_ns + round(delay * 1e9))
            self._queue.append((self._last_ns, command))
        while self._queue and self._queue[0][0] <= now_ns:
            self._arrived = self._queue.popleft()[1]
        return self._arrived
