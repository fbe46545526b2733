"""One episode in the bridge: tick by tick, from start to outcome."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from enum import Enum

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from s2e_core.contract import POLICY_PERIOD_NS, TICK_NS
from s2e_core.records import Command
from s2e_nav.sim.senses import Senses
from s2e_nav.sim.world import World


class Phase(Enum):
    """Where the episode is."""

    READY = 'ready'
    RUNNING = 'running'
    OVER = 'over'


class Episode:
    """Publishes a tick, takes the answer, advances the world.

    In lock-step the world waits for the gate's answer of the very stamp and, on image ticks, for
    the policy's word on that image. In real time it advances by the wall clock under the newest
    command, and late answers are late.
    """

    def __init__(
        self, world: World, senses: Senses, base_ns: int, *, lockstep: bool, camera_every: int,
        judged: bool, on_end: Callable[[EpisodeLog], None],
    ) -> None:
        """Prepare.

        Args:
            world: Reset to the episode.
            senses: Where ticks are published.
            base_ns: ROS time of the episode's beginning, nanoseconds.
            lockstep: Whether the world waits.
            camera_every: Real time: ticks between images.
            judged: Whether the protocol watches and ends the episode; without, it never ends.
            on_end: Called with the log.
        """
        self._world, self._senses, self._base = world, senses, base_ns
        self._lockstep, self._judged, self._on_end = lockstep, judged, on_end
        self._image_ns = POLICY_PERIOD_NS if lockstep else camera_every * TICK_NS
        self.phase = Phase.READY
        self.policy = 'unknown'
        """Name and hash of the policy, as its status says."""
        self._command: Command | None = None
        self._answered_ns = -1
        self.image_ns = 0
        """Stamp of the newest image."""
        self._waiting_since = time.monotonic()

    @property
    def stamp_ns(self) -> int:
        """ROS time of the current tick."""
        return self._base + self._world.simulation.time_ns

    @property
    def waited(self) -> float:
        """Wall seconds since the tick was published."""
        return time.monotonic() - self._waiting_since

    def preview(self) -> None:
        """Publish the first tick before its time, for whoever decides when to start."""
        self._publish()

    def start(self) -> None:
        """Judge the beginning and publish the first tick."""
        self.phase = Phase.RUNNING
        outcome = self._observe(Command(0))
        if outcome is None:
            self._publish()
        else:
            self.end(outcome)

    def command(self, asked: Command) -> None:
        """Take a velocity from the gate."""
        if self.phase is not Phase.RUNNING:
            return
        self._command = dataclasses.replace(asked, stamp_ns=asked.stamp_ns - self._base)
        if self._lockstep:
            self._advance_if_answered()

    def answered(self, image_ns: int, mode: int, failure: str) -> None:
        """Take the policy's word on an image."""
        if self.phase is not Phase.RUNNING or image_ns <= self._answered_ns:
            return
        if image_ns < self._base:
            return
        self._answered_ns = image_ns
        if failure and self._judged:
            self.end(Outcome.POLICY_ERROR, failure)
            return
        if self._judged:
            self._world.judge.choose(mode)
        if self._lockstep:
            self._advance_if_answered()

    def advance(self) -> None:
        """Move the world by one tick under the newest command and publish the next."""
        simulation = self._world.simulation
        command = self._command or Command(simulation.time_ns)
        simulation.tick(command)
        outcome = self._observe(command)
        if outcome is None:
            self._publish()
        else:
            self.end(outcome)

    def _observe(self, command: Command) -> Outcome | None:
        if not self._judged:
            return None
        return self._world.judge.observe(self._world.simulation, command)

    def end(self, outcome: Outcome, detail: str = '') -> None:
        """Finish the episode."""
        self.phase = Phase.OVER
        self._on_end(self._world.judge.finish(outcome, self.policy, detail))

    def _advance_if_answered(self) -> None:
        now = self._world.simulation.time_ns
        if self._command is None or self._command.stamp_ns != now:
            return
        if now % POLICY_PERIOD_NS == 0 and self._answered_ns != self._base + now:
            return
        self.advance()

    def _publish(self) -> None:
        simulation, stamp = self._world.simulation, self.stamp_ns
        spec = simulation.spec
        assert spec is not None
        self._senses.move(stamp, simulation.odometry(), spec.start)
        if simulation.time_ns % self._image_ns == 0:
            self.image_ns = stamp
            self._senses.look(stamp, simulation)
        # Drawing is not waiting: the first image may compile for seconds.
        self._waiting_since = time.monotonic()
