"""What a participant is shown, and what they answer: one card at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2e_core.config import check, option
from s2e_teleop.study.plan import DRIVERS, PERSON

Phase = Literal['prepare', 'ready', 'running', 'form', 'done']


@dataclass(frozen=True)
class StudyCard:
    """Where a participant is in the study."""

    number: int = option(low=0, high=2**53 - 1, help='Counts cards; an answer names its card.')
    phase: Phase = option('prepare', choices=('prepare', 'ready', 'running', 'form', 'done'))
    participant: int = option(1, low=1, high=9999)
    block: int = option(1, low=1, high=10000)
    blocks: int = option(1, low=1, high=10000)
    run: int = option(0, low=0, high=10000, help='In the block; 0 before the first.')
    runs: int = option(0, low=0, high=10000)
    practice: bool = option(False)
    driver: str = option(PERSON, choices=DRIVERS)
    link: str = option('')
    result: str = option('', help='How the run before ended.')
    hint: str = option('', help='What to know before the start.')
    counted: bool = option(False, help='People count collisions and may end a run: on a robot.')

    def __post_init__(self) -> None:
        check(self, source='study card')


@dataclass(frozen=True)
class Guide:
    """Where the goal is, for a person who has no map."""

    distance: float
    """Metres, straight."""
    bearing: float
    """Radians from straight ahead, positive to the left."""
    u: float | None = None
    """Share of the picture's width, where the goal's place on the ground is seen."""
    v: float | None = None
    """Share of its height."""
