"""The drives of a comparison: who drove what, and what each drive was like."""

from __future__ import annotations

from dataclasses import dataclass, field

METRICS: dict[str, str] = {
    'success': 'success', 'clean': 'success without contact', 'collisions': 'collisions',
    'time': 'time of successes, s', 'path': 'path, m', 'clearance': 'least clearance, m',
    'jerk': 'jerk, m/s^3', 'arc': 'spectral arc length', 'reversals': 'reversals a minute',
    'idle': 'standing, s', 'interventions': 'interventions a km',
    'slowings': 'slowed by the gate a km',
}
"""Metrics of a drive by name, with their titles."""
PROPORTIONS = ('success', 'clean')
LINK = ('round_trip', 'command_age', 'glass_to_glass', 'frame_rate', 'refused', 'lost')
"""What a drive over a link keeps of it: `s2e_teleop.study.link_summary`."""
SCRIPTED, PERSON, AUTONOMY = 'scripted operator', 'person', 'autonomy'
"""Kinds of drivers: a program far away, a person, and a policy on board."""


@dataclass(frozen=True)
class Row:
    """One drive."""

    scene: str
    task: str
    index: int
    spec: str
    """The episode, so that only the same ones are paired."""
    values: dict[str, float]
    """By name of the metric; NaN where it has no value."""
    participant: int | None = None
    """Who drove or watched; None without a person."""
    link: dict[str, float] = field(default_factory=dict)
    """Of the drives of people, by name of `LINK`."""
    pace: float = float('nan')
    """Simulated over wall seconds; below 1 the world ran slower than it should."""

    @property
    def route(self) -> str:
        """Name of the route."""
        return f'{self.scene} {self.task} {self.index}'


@dataclass(frozen=True)
class Form:
    """A form that a participant filled in after a block."""

    participant: int
    answers: dict[str, float]
    """The six scales and `raw_tlx`."""


@dataclass(frozen=True)
class Driver:
    """Everything driven by one policy, one scripted operator, or by people in one way."""

    name: str
    kind: str
    inputs: str
    delay: float | None
    """Seconds that picture and command are on their way, without a reaction; None on board."""
    protocol: str
    rows: list[Row]
    forms: list[Form] = field(default_factory=list)
    assisted: bool = False

    @property
    def participants(self) -> list[int]:
        """Who drove or watched, each once."""
        return sorted({row.participant for row in self.rows if row.participant is not None})


def rounded(value: float) -> float:
    """Round to the six digits of the CSV: the page says what can be computed from that.

    Two equal drives must be a tie, not a difference in the sixteenth digit.
    """
    return float(f'{value:.6g}')
