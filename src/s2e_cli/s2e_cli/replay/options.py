"""What a user may say about a replay."""

from __future__ import annotations

from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.errors import ConfigError


@dataclass(frozen=True)
class ReplayOptions:
    """How a recording is replayed."""

    goal: str = option('auto', help='auto, none, SECONDSs along the way, or METRESm ahead.')
    seconds: float = option(0.0, unit='s', low=0, high=1e6, help='Length; everything when 0.')
    width: int = option(960, unit='px', low=320, high=3840, help='Width of the film.')
    fov: float = option(
        70.0, unit='deg', low=20, high=150, help='Horizontal view where no one knows it.'
    )
    threads: int = option(1, low=1, high=64, help='Threads of an operator.')

    def __post_init__(self) -> None:
        check(self, source='replay')


@dataclass(frozen=True)
class GoalChoice:
    """Where the policy is sent; at most one of both is set."""

    along: float | None = None
    """Seconds ahead on the way that was really driven."""
    ahead: float | None = None
    """Metres straight ahead of the robot."""

    def __str__(self) -> str:
        if self.along is not None:
            return f'the place {self.along:g} s ahead on the recorded way'
        return 'no goal' if self.ahead is None else f'{self.ahead:g} m straight ahead'


ALONG = 8.0
"""Seconds: at a walk of 1.2 m/s a goal 10 m off, the shortest of the benchmark's."""
AHEAD = 10.0
"""Metres, for policies that cannot do without a goal where there are no poses."""


def choose_goal(text: str, has_way: bool, needs_goal: bool) -> GoalChoice:
    """Turn what a user says into a goal.

    Args:
        text: `auto`, `none`, `6s`, `10m`.
        has_way: Whether poses are known.
        needs_goal: Whether the policy cannot do without.

    Raises:
        ConfigError: The text is no goal, or there is no way to take it from.
    """
    if text == 'auto':
        if has_way:
            return GoalChoice(along=ALONG)
        return GoalChoice(ahead=AHEAD) if needs_goal else GoalChoice()
    if text == 'none':
        return GoalChoice()
    try:
        value = float(text[:-1])
    except ValueError:
        value = 0.0
    if text[-1:] not in ('s', 'm') or not 0 < value <= 1000:
        raise ConfigError(f'replay: goal must be auto, none, 8s or 10m, got {text!r}')
    if text[-1] == 'm':
        return GoalChoice(ahead=value)
    if not has_way:
        raise ConfigError(
            f'replay: goal {text!r} lies on the recorded way, but no poses are known; '
            'say 10m or none'
        )
    return GoalChoice(along=value)
