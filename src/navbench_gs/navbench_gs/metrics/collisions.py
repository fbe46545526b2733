"""Counting collisions, contact by contact."""

from __future__ import annotations

from navbench_gs.metrics.record import TICK

# As `physics.contacts` names what does not move.
_WALL, _OCCUPIED, _STATIC = 'wall_', 'occupied', 'static'


class CollisionTally:
    """Counts as CT does, while an episode goes on.

    Contacts with one body less than `debounce` s apart are one; each full such time in it counts
    again. A contact that chatters on and off is sustained from its first to its last tick. The
    static world is one body: a capture's wall is many boxes, cut along the rows of its map.
    """

    def __init__(self, debounce: float) -> None:
        """Start at zero.

        Args:
            debounce: Seconds.
        """
        self._gap = round(debounce / TICK)
        self._spans: dict[str, tuple[int, int]] = {}
        self.count = 0
        """Collisions so far."""

    def add(self, tick: int, body: str) -> int:
        """Note that a body was touched in a tick, no earlier than those noted before.

        Returns:
            How many collisions that adds.
        """
        if body.startswith(_WALL) or body == _OCCUPIED:
            body = _STATIC
        first, last = self._spans.get(body, (tick, tick - self._gap))
        if tick - last >= self._gap:
            self._spans[body] = (tick, tick)
            added = 1
        else:
            self._spans[body] = (first, tick)
            added = (tick - first) // self._gap - (last - first) // self._gap
        self.count += added
        return added
