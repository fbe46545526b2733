"""From short empty routes to long ones with obstacles and people, as fast as the policy learns."""

from __future__ import annotations

from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.errors import ConfigError


@dataclass(frozen=True)
class Stage:
    """How hard episodes are."""

    tasks: tuple[str, ...] = option(
        ('empty', 'obstacle', 'pedestrian', 'obstacle_pedestrian'),
        help='Drawn with equal chances.',
    )
    geodesic_low: float = option(10.0, unit='m', low=1.0, high=500.0, help='Shortest route.')
    geodesic_high: float = option(30.0, unit='m', low=1.0, high=500.0, help='Longest route.')
    obstacles: float = option(
        8.0, unit='per 100 m^2', low=0.0, high=100.0, help='Obstacles on the corridor.'
    )
    people: int = option(10, low=0, high=500, help='People near the route.')

    def __post_init__(self) -> None:
        check(self, source='stage')
        if self.geodesic_low >= self.geodesic_high:
            raise ConfigError(
                f'stage: geodesic_low must be below geodesic_high, got {self.geodesic_low} and '
                f'{self.geodesic_high}'
            )


DEFAULT_STAGES = (
    Stage(('empty', 'obstacle'), 6.0, 12.0, 4.0, 0),
    Stage(geodesic_low=8.0, geodesic_high=20.0, obstacles=6.0, people=5),
    Stage(),
)
"""The last is the benchmark's own difficulty."""


@dataclass(frozen=True)
class CurriculumConfig:
    """The stages and when to leave one."""

    stages: tuple[Stage, ...] = option(DEFAULT_STAGES, help='From easy to hard.')
    success: float = option(0.7, low=0.0, high=1.0, help='Share of successes that ends a stage.')
    episodes: int = option(
        50, low=1, high=10**6, help='Newest episodes of the stage that are judged.'
    )

    def __post_init__(self) -> None:
        check(self, source='curriculum')
        if not self.stages:
            raise ConfigError('curriculum: must have at least one stage, got none')


class Curriculum:
    """Where a run stands."""

    def __init__(self, config: CurriculumConfig) -> None:
        """Begin with the first stage."""
        self._config = config
        self.index = 0
        self._recent: list[float] = []

    @property
    def stage(self) -> Stage:
        """The stage in force."""
        return self._config.stages[self.index]

    def add(self, successes: list[bool]) -> None:
        """Take in finished episodes of the stage."""
        self._recent = [*self._recent, *map(float, successes)][-self._config.episodes:]

    def advance(self) -> bool:
        """Enter the next stage if it is earned; return whether it was."""
        full = len(self._recent) >= self._config.episodes
        last = self.index + 1 == len(self._config.stages)
        if last or not full or sum(self._recent) < self._config.success * len(self._recent):
            return False
        self.index, self._recent = self.index + 1, []
        return True

    def state(self) -> dict[str, list[float]]:
        """Return what a checkpoint keeps."""
        return {'index': [float(self.index)], 'recent': list(self._recent)}

    def load(self, state: dict[str, list[float]]) -> None:
        """Go on from a checkpoint."""
        self.index, self._recent = int(state['index'][0]), list(state['recent'])
