"""Routes of a study on a robot: goals seen from where each route begins."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from navbench_gs.tasks.spec import Task
from s2e_core.config import check, from_yaml, option
from s2e_core.errors import ConfigError
from s2e_teleop.study.plan import Route

TASK: Task = 'empty'
"""What stands in logs for the task: nothing was put in the way by us."""


@dataclass(frozen=True)
class RobotRoute:
    """One route."""

    name: str = option(help='What whoever places the robot reads.')
    x: float = option(unit='m', low=-500, high=500, help='Goal ahead of the start.')
    y: float = option(unit='m', low=-500, high=500, help='Goal to the left of the start.')

    @property
    def straight(self) -> float:
        """Distance from start to goal, metres."""
        return math.hypot(self.x, self.y)


@dataclass(frozen=True)
class RouteBook:
    """The routes of a place."""

    place: str = option(help='Name of the place: letters, digits, . and -')
    routes: tuple[RobotRoute, ...] = option(help='Driven by everyone under each condition.')
    practice: tuple[RobotRoute, ...] = option((), help='For practice; nobody is judged on them.')

    def __post_init__(self) -> None:
        check(self, source='routes')
        if not re.fullmatch(r'[A-Za-z0-9.-]{1,60}', self.place):
            raise ConfigError(
                f'routes: place must be letters, digits, . and -, got {self.place!r}'
            )
        if not self.routes:
            raise ConfigError('routes: at least one must be named')
        for route in (*self.routes, *self.practice):
            if route.straight < 1.0:
                raise ConfigError(f'routes: {route.name} must be 1 m long or longer')

    def of(self, route: Route) -> RobotRoute:
        """Return a route of the plan; practice comes after those that count."""
        return (*self.routes, *self.practice)[route.index]


def load_routes(path: Path) -> RouteBook:
    """Read a route book.

    Raises:
        ConfigError: Missing, or breaks a rule.
    """
    return from_yaml(RouteBook, path)
