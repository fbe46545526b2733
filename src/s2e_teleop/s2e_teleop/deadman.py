"""The dead-man: which commands of a driver count, and when the driver is lost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from s2e_core.config import check, option


class Verdict(str, Enum):
    """What became of a command."""

    ACCEPTED = 'accepted'
    RELEASED = 'released'
    OLD = 'old'
    FUTURE = 'future'
    SEQUENCE = 'sequence'
    SPENT = 'spent'
    NO_CLOCK = 'no_clock'
    E_STOP = 'e_stop'
    NOT_DRIVER = 'not_driver'


class Hold(str, Enum):
    """State of the dead-man."""

    IDLE = 'idle'
    DRIVING = 'driving'
    LOST = 'lost'


@dataclass(frozen=True)
class DeadManConfig:
    """Times of the dead-man."""

    period: float = option(0.05, unit='s', low=0.02, high=0.1, help='Between two commands.')
    # With the watch of the server (2 ms) and the gate's tick (50 ms) the ramp begins within
    # 0.28 s of the last command: under the 0.3 s that no stop may take.
    timeout: float = option(0.22, unit='s', low=0.1, high=0.25, help='Silence that means lost.')
    repeat: float = option(
        0.1, unit='s', low=0.0, high=0.1, help='A late command is bridged; longest age claimed.'
    )
    max_age: float = option(0.4, unit='s', low=0.1, high=3, help='Older commands are dropped.')
    future: float = option(0.1, unit='s', low=0.0, high=1, help='Error of the clock allowed.')

    def __post_init__(self) -> None:
        check(self, source='dead_man')


class DeadMan:
    """Accepts commands of one driver while the dead-man is held.

    Each press has a number. Letting go, or silence, spends it: a burst of commands that the link
    held back cannot move the robot again, only a new press by a person can.
    """

    def __init__(self, config: DeadManConfig) -> None:
        """Start idle."""
        self._config = config
        self._sequence = -1
        self._spent = 0
        self._press = 0
        self._at = 0.0
        self._since = 0.0
        self.state = Hold.IDLE

    @property
    def pressed_at(self) -> float:
        """When the current press began, seconds."""
        return self._since

    @property
    def heard_at(self) -> float:
        """When the newest command was accepted, seconds."""
        return self._at

    @property
    def deadline(self) -> float:
        """When the driver counts as lost, seconds; infinite unless driving."""
        driving = self.state is Hold.DRIVING
        return self._at + self._config.timeout if driving else float('inf')

    def offer(self, now: float, sequence: int, press: int, held: bool, age: float) -> Verdict:
        """Judge a command.

        Args:
            now: Robot's clock, seconds.
            sequence: Number of the command; must grow.
            press: Number of the press.
            held: Whether the dead-man was held.
            age: How long ago it was sent, seconds.
        """
        # Letting go is always heard, however late it comes.
        if not held:
            self._release(press)
            self._sequence = max(self._sequence, sequence)
            return Verdict.RELEASED
        if sequence <= self._sequence:
            return Verdict.SEQUENCE
        self._sequence = sequence
        if not age <= self._config.max_age:
            return Verdict.OLD
        if age < -self._config.future:
            return Verdict.FUTURE
        # Whoever was late is lost already, also when nobody looked in between.
        self.lost_at(now)
        if press <= self._spent:
            return Verdict.SPENT
        if self.state is not Hold.DRIVING or press != self._press:
            self._spent, self._press, self._since = press - 1, press, now
            self.state = Hold.DRIVING
        self._at = now
        return Verdict.ACCEPTED

    def lost_at(self, now: float) -> bool:
        """Spend the press if commands have ended; return whether that happened now."""
        if now <= self.deadline:
            return False
        self.spend(Hold.LOST)
        return True

    def spend(self, state: Hold = Hold.IDLE) -> None:
        """End the press: what is still held must be let go and pressed anew."""
        self._spent = max(self._spent, self._press)
        if self.state is not Hold.IDLE:
            self.state = state

    def _release(self, press: int) -> None:
        self._spent = max(self._spent, press)
        # An old press that arrives late must not end the one that is held now.
        if press >= self._press:
            self.state = Hold.IDLE
