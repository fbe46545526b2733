"""Parts of a scene's routes: those to train on and those that are held out.

Written after the scene's name: `captures/yard@training`, `city:7@held-out`. World and picture are
the same; only the points where routes begin and end are divided, by squares of the floor. So no
route of one part begins or ends within a square of the other, though both may pass the same
places on their way.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.bundle import SceneBundle

Part = Literal['training', 'held-out']
PARTS: tuple[Part, ...] = get_args(Part)
CELL = 4.0
"""Edge of a square, metres: well above the goal's radius of 0.5 m, well below a route's 10 m."""
SHARE = 0.3
"""Share of the squares that are held out."""


def split_part(spec: str) -> tuple[str, Part | None]:
    """Return the scene that a user named, and the part of it.

    Raises:
        SceneError: There is no such part.
    """
    scene, mark, part = spec.rpartition('@')
    # A folder's name may hold the mark: only what looks like a part is taken for one.
    if not mark or '/' in part or '.' in part:
        return spec, None
    if part not in PARTS:
        raise SceneError(f'scene {spec!r}: the part after @ must be one of {list(PARTS)}')
    return scene, part


def take_part(bundle: SceneBundle, part: Part) -> SceneBundle:
    """Return the scene with the ends of routes of one part.

    Raises:
        SceneError: Fewer than two points are left.
    """
    chosen = held_out(bundle.spawn) == (part == 'held-out')
    if chosen.sum() < 2:
        raise SceneError(
            f'{bundle.name}: too small to be divided, {int(chosen.sum())} of {len(chosen)} places '
            f'are {part}'
        )
    return replace(bundle, spawn=bundle.spawn[chosen], part=part)


def held_out(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say which places are held out: by a hash of their square, the same on every machine.

    Args:
        points: Map, metres. [N, 2]
    """
    cells = np.floor(np.asarray(points, np.float64) / CELL).astype(np.int64)
    known: dict[tuple[int, int], bool] = {}
    for x, y in {(int(a), int(b)) for a, b in cells}:
        digest = hashlib.sha256(f'{x} {y}'.encode()).digest()
        known[x, y] = int.from_bytes(digest[:8], 'big') < SHARE * 2**64
    return np.array([known[int(a), int(b)] for a, b in cells], bool)
