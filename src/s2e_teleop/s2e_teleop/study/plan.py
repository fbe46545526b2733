"""Which runs a participant drives, in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_teleop.link import NONE
from s2e_teleop.study.order import order_of

AUTONOMY, PERSON, ASSISTED = 'autonomy', 'person', 'assisted'
DRIVERS = (AUTONOMY, PERSON, ASSISTED)
"""Autonomy with a person who watches; a person; a person with a gate that vetoes."""
MAX_RUNS = 500
"""Runs of one participant: three minutes each are a day."""


@dataclass(frozen=True)
class Condition:
    """Who drives over which link."""

    driver: str
    link: str

    @property
    def label(self) -> str:
        """Name in reports, such as `person (4g)`; autonomy is on board, whatever the link."""
        if self.driver == AUTONOMY:
            return 'autonomy, watched'
        words = {PERSON: 'person', ASSISTED: 'person, assisted'}
        return f'{words[self.driver]} ({self.link})'

    @property
    def folder(self) -> str:
        """Name of a folder."""
        return self.driver if self.driver == AUTONOMY else f'{self.driver}-{self.link}'


@dataclass(frozen=True)
class Route:
    """One route with its start and everything that is in the way."""

    scene: str
    task: str
    index: int


@dataclass(frozen=True)
class Block:
    """Runs under one condition; a form is filled in after it."""

    number: int
    """From 1."""
    condition: Condition
    practice: tuple[Route, ...]
    """Driven first, and not counted."""
    routes: tuple[Route, ...]

    def without(self, done: Collection[Route]) -> Block:
        """Return what is left to drive of a block that was broken off.

        It is practised anew, as long as there is something to drive: hands forget over a night.
        """
        routes = tuple(route for route in self.routes if route not in done)
        return replace(self, routes=routes, practice=self.practice if routes else ())


@dataclass(frozen=True)
class StudyPlan:
    """Everything that decides who drives what; equal for all participants of a study."""

    scenes: tuple[str, ...] = option(help='Scenes.')
    tasks: tuple[str, ...] = option(help='Tasks.')
    episodes: int = option(2, low=1, high=1000, help='Routes per scene and task.')
    drivers: tuple[str, ...] = option(DRIVERS, help='Among autonomy, person, assisted.')
    links: tuple[str, ...] = option((NONE,), help='Link profiles that people drive over.')
    practice: int = option(1, low=0, high=10, help='Runs before each block that do not count.')
    seed: int = option(0, low=0, high=2**31 - 1, help='Of routes and orders.')

    def __post_init__(self) -> None:
        check(self, source='study')
        for name, values in (('scenes', self.scenes), ('tasks', self.tasks),
                             ('drivers', self.drivers), ('links', self.links)):
            if not values or len(set(values)) < len(values):
                raise ConfigError(f'study: {name} must be named, each once, got {list(values)}')
        unknown = [name for name in self.drivers if name not in DRIVERS]
        if unknown:
            raise ConfigError(f'study: drivers must be among {list(DRIVERS)}, got {unknown[0]!r}')
        runs = len(self.conditions) * (len(self.routes) + self.practice)
        if runs > MAX_RUNS:
            raise ConfigError(f'study: a participant drives at most {MAX_RUNS} runs, got {runs}')

    @property
    def conditions(self) -> list[Condition]:
        """Drivers by links; autonomy is on board and has none."""
        return [
            Condition(driver, link) for driver in self.drivers
            for link in ((NONE,) if driver == AUTONOMY else self.links)
        ]

    @property
    def routes(self) -> list[Route]:
        """What everyone drives under each condition."""
        return [
            Route(scene, task, index) for scene in self.scenes for task in self.tasks
            for index in range(self.episodes)
        ]

    def blocks(self, participant: int) -> list[Block]:
        """Return a participant's blocks in their order.

        The order of the conditions is balanced over participants; that of the routes within a
        block is drawn anew for each block, scene by scene because a scene takes time to load.
        Practice is on routes that nobody is judged on.

        Args:
            participant: From 1.
        """
        if participant < 1:
            raise ConfigError(f'study: participants count from 1, got {participant}')
        conditions = self.conditions
        order = order_of(participant, len(conditions), self.seed)
        return [
            self._block(participant, number, conditions[index])
            for number, index in enumerate(order, 1)
        ]

    def _block(self, participant: int, number: int, condition: Condition) -> Block:
        rng = np.random.default_rng([self.seed, participant, number])
        routes: list[Route] = []
        for scene in rng.permutation(len(self.scenes)):
            own = [route for route in self.routes if route.scene == self.scenes[int(scene)]]
            routes += [own[int(index)] for index in rng.permutation(len(own))]
        # Who only watches has nothing to practise.
        count = 0 if condition.driver == AUTONOMY else self.practice
        practice = tuple(
            Route(routes[0].scene, self.tasks[0], self.episodes + index) for index in range(count)
        )
        return Block(number, condition, practice, tuple(routes))
