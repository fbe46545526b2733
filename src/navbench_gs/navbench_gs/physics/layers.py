"""Which bodies can touch which: MuJoCo's contype and conaffinity bits.

Two geoms are tested when one's type meets the other's affinity. Only things that move under
forces have an affinity, so wall-wall, wall-person and person-person pairs are never tested.
"""

from __future__ import annotations

GROUND = 1
WALL = 2
PERSON = 4
PUSHABLE = 8
EVERYTHING = GROUND | WALL | PERSON | PUSHABLE
"""Affinity of a body that collides with all of the above (robot hull, pushable things)."""
