"""Who touches the robot, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import mujoco

STEEP = 0.7
"""A face of the floor whose unit normal has less z than this is a kerb: over 45 degrees."""
OCCUPIED = 'occupied'
"""Name of the body that stands for occupied space and for the steep faces of the floor."""

ContactKind = Literal['static', 'obstacle', 'person', 'occupied']


@dataclass(frozen=True)
class ContactEvent:
    """The robot touches a body during a tick."""

    body: str
    """wall_<n>, obstacle_<n>, person_<n>, or occupied."""
    kind: ContactKind
    onset: bool = True
    """False when the same body was touched in the tick before too."""


class ContactTracker:
    """Collects contacts between the robot's hull and everything but the floor."""

    def __init__(
        self, model: mujoco.MjModel, hull: Sequence[int], feet: Sequence[int] = ()
    ) -> None:
        """Name every geom once.

        Args:
            model: Compiled model whose walls, obstacles and people carry their names.
            hull: Geom ids of the robot's hull (wheels touch the floor only).
            feet: Those of them that may step on any floor, steep or not.
        """
        parts = frozenset(hull)
        self._hull = [geom in parts for geom in range(model.ngeom)]
        self._feet = frozenset(feet)
        self._names = [_label(model, geom) for geom in range(model.ngeom)]
        self._before: frozenset[str] = frozenset()
        self._now: set[str] = set()

    def observe(self, data: mujoco.MjData) -> None:
        """Note the contacts of the step just made.

        The hull may rest on the floor, as on the edge of a ramp; where it meets a steep face of
        the floor it has run into a kerb.
        """
        hull, names = self._hull, self._names
        # Plain lists: a handful of contacts costs NumPy more than it costs Python.
        for index, (first, second) in enumerate(data.contact.geom.tolist()):
            if hull[first]:
                own, other = first, second
            elif hull[second]:
                own, other = second, first
            else:
                continue
            name = names[other]
            if name is not None:
                self._now.add(name)
            elif own not in self._feet and abs(data.contact.frame[index, 2]) < STEEP:
                self._now.add(OCCUPIED)

    def note(self, name: str) -> None:
        """Add a touch that physics does not see."""
        self._now.add(name)

    def collect(self) -> list[ContactEvent]:
        """Return the contacts since the last call, sorted by name, and start a new tick."""
        events = [
            ContactEvent(name, kind_of(name), name not in self._before)
            for name in sorted(self._now)
        ]
        self._before = frozenset(self._now)
        self._now = set()
        return events


def kind_of(name: str) -> ContactKind:
    """Return what sort of body carries a name."""
    if name.startswith('wall_'):
        return 'static'
    if name.startswith('person_'):
        return 'person'
    return 'occupied' if name == OCCUPIED else 'obstacle'


def _label(model: mujoco.MjModel, geom: int) -> str | None:
    """Return the name contacts with a geom are reported under, None for floor and robot."""
    name = model.geom(geom).name
    if name.startswith('wall_'):
        return str(name)
    body = model.body(model.geom_bodyid[geom])
    label = str(body.name)
    return label if label.startswith(('obstacle_', 'person_')) else None
