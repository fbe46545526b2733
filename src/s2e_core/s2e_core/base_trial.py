"""Measures how long a base goes on after commands stopped coming: its last layer of safety."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from s2e_core.config import check, option


class Phase(str, Enum):
    """What a trial is waiting for."""

    MOVE = 'move'
    """Commands are sent; the wheels must turn."""
    SILENCE = 'silence'
    """No commands; the base must stop by itself."""
    DONE = 'done'
    """All trials went well."""
    FAILED = 'failed'
    """See `BaseTrial.problem`."""


@dataclass(frozen=True)
class TrialConfig:
    """How a base is tried."""

    speed: float = option(0.1, unit='m/s', low=0.02, high=0.5, help='Speed asked for.')
    trials: int = option(3, low=1, high=20, help='Trials; the longest time counts.')
    settle: float = option(1.0, unit='s', low=0.2, high=10, help='Time to turn at that speed.')
    patience: float = option(
        5.0, unit='s', low=1, high=30,
        help='Longest wait for wheels that turn, and for a base that stops.',
    )

    def __post_init__(self) -> None:
        check(self, source='trial')


@dataclass(frozen=True)
class TrialResult:
    """One trial."""

    timeout: float
    """From the last command to the first odometry that is slower than 90 %, seconds."""
    rest: float
    """From the last command to the first odometry below 10 %, seconds."""


class BaseTrial:
    """Says when to send a command, and reads the odometry that comes of it.

    Times include the odometry's own delay, so that they are rather too long than too short.
    """

    def __init__(self, config: TrialConfig, now: float) -> None:
        """Begin.

        Args:
            config: Settings.
            now: Seconds, steady clock.
        """
        self._config = config
        self.phase, self.problem = Phase.MOVE, ''
        self.results: list[TrialResult] = []
        self._since, self._moving_since, self._last_command = now, -1.0, now
        self._slower = -1.0
        self._heard = False

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.phase in (Phase.DONE, Phase.FAILED)

    def command(self, now: float) -> float | None:
        """Return the speed to send now, m/s; None is silence. After the end send 0.

        Args:
            now: Seconds, steady clock.
        """
        if self.over:
            return 0.0
        late = now - self._since > self._config.patience
        if self.phase is Phase.MOVE:
            settled = self._moving_since >= 0.0 and (
                now - self._moving_since >= self._config.settle
            )
            if settled:
                self.phase, self._since, self._slower = Phase.SILENCE, now, -1.0
                return None
            if late and self._moving_since < 0.0:
                return self._fail(
                    'odometry never showed the speed that was asked for; does the base listen to '
                    'this topic and type, and is it enabled?' if self._heard else
                    'no odometry came'
                )
            self._last_command = now
            return self._config.speed
        if late:
            return self._fail(
                f'the base was still turning {self._config.patience:.0f} s after the last '
                'command: it has no time-out, so a program that dies does not stop it'
            )
        return None

    def odometry(self, now: float, speed: float) -> None:
        """Take the base's own speed.

        Args:
            now: Seconds, steady clock, when it came.
            speed: Forward, m/s.
        """
        self._heard = True
        share = abs(speed) / self._config.speed
        if self.phase is Phase.MOVE:
            if share >= 0.7 and self._moving_since < 0.0:
                self._moving_since = now
        elif self.phase is Phase.SILENCE:
            if share < 0.9 and self._slower < 0.0:
                self._slower = now
            if share < 0.1:
                self._finish(now)

    def _finish(self, now: float) -> None:
        last = self._last_command
        self.results.append(TrialResult(self._slower - last, now - last))
        self._since, self._moving_since = now, -1.0
        done = len(self.results) == self._config.trials
        self.phase = Phase.DONE if done else Phase.MOVE

    def _fail(self, problem: str) -> float:
        self.phase, self.problem = Phase.FAILED, problem
        return 0.0
