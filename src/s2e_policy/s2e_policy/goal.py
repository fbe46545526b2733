"""How a goal becomes the graph's input.

The range code decides what the network can tell apart. The paper's ``clip(d, 0.1, 200) / 200``
is linear in d: between 1 m and 2 m, where a robot must slow down and stop, it moves by 0.005. The
`log` code moves by 0.077 there and by 0.13 from 10 m to 20 m, so stopping and turning both show.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

GoalEncoding = Literal['log', 'linear']
GOAL_ENCODINGS: tuple[GoalEncoding, ...] = ('log', 'linear')
NEAREST = 0.1
"""Goals nearer than this have no direction worth stating, metres (the paper's lower clip)."""
FARTHEST = 200.0
"""Goals farther than this look alike, metres (the paper's upper clip)."""


def encode_goal(goal: np.ndarray | None, encoding: GoalEncoding) -> tuple[np.ndarray, np.ndarray]:
    """Encode goals for the graph.

    Args:
        goal: Goals in base_link, metres, or None for goal-free. [..., 2]
        encoding: `linear`: clip(d) / 200, as in the paper; `log`: log(1 + d) / log(201).

    Returns:
        **code**: Range code, cosine and sine of the bearing; zeros when goal-free. [..., 3]
        **mask**: One where a goal is present. [..., 1] float32
    """
    if goal is None:
        return np.zeros(3, np.float32), np.zeros(1, np.float32)
    xy = np.asarray(goal, np.float64)
    distance = np.clip(np.linalg.norm(xy, axis=-1), NEAREST, FARTHEST)
    if encoding == 'linear':
        code = distance / FARTHEST
    else:
        code = np.log1p(distance) / math.log1p(FARTHEST)
    bearing = np.arctan2(xy[..., 1], xy[..., 0])
    encoded = np.stack([code, np.cos(bearing), np.sin(bearing)], axis=-1).astype(np.float32)
    return encoded, np.ones((*xy.shape[:-1], 1), np.float32)
