"""The calibration gate: a protocol is worth running if it can be solved, and not blindly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from navbench_gs.metrics.summary import Summary

CEILING = {'empty': 0.95, 'obstacle': 0.90, 'pedestrian': 0.85, 'obstacle_pedestrian': 0.80}
"""Success that the planner on the true map must reach at least: the tasks can be solved."""
FLOOR = {'empty': 0.50, 'obstacle': 0.20, 'pedestrian': 0.30, 'obstacle_pedestrian': 0.10}
"""Clean success that driving straight at the goal may have at most: the tasks need eyes."""


@dataclass(frozen=True)
class GateRow:
    """One requirement and what was measured."""

    task: str
    agent: str
    metric: str
    bound: float
    least: bool
    """Whether the bound is a least value; otherwise it is the most."""
    mean: float
    low: float
    high: float
    """Ends of the 95 % interval."""
    episodes: int

    @property
    def held(self) -> bool:
        """Whether the mean is on the right side of the bound."""
        return self.mean >= self.bound if self.least else self.mean <= self.bound

    def __str__(self) -> str:
        """Return one line for a console."""
        word = 'at least' if self.least else 'at most'
        return (
            f'{"ok " if self.held else "BAD"} {self.task:<20} {self.agent:<11} '
            f'{self.metric:<24} {self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]  {word} '
            f'{self.bound:.2f}  ({self.episodes} episodes)'
        )


def gate(privileged: Sequence[Summary], straight: Sequence[Summary]) -> list[GateRow]:
    """Hold the two reference agents against the bounds.

    Args:
        privileged: Summaries by task of the planner on the true map.
        straight: Of driving straight at the goal, over the same episodes.

    Returns:
        Two rows for each task that both have.
    """
    rows = []
    for agent, summaries, metric, bounds, least in (
        ('privileged', privileged, 'success', CEILING, True),
        ('straight', straight, 'collision_free_success', FLOOR, False),
    ):
        for part in summaries:
            if part.name in bounds:
                value = part.metrics[metric]
                rows.append(GateRow(
                    part.name, agent, metric, bounds[part.name], least, value.mean, value.low,
                    value.high, part.episodes,
                ))
    return rows
