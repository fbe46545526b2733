"""Where in space visibility is surveyed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Node = tuple[int, int, int]
"""A point of the grid: steps along x, y and z."""


@dataclass(frozen=True)
class ViewGrid:
    """Survey points on a regular grid of the scene frame.

    A camera sees with what its four nearest points in the plane see, at the height of the
    nearest layer.
    """

    spacing: float = 2.0
    """Distance between neighbouring points along x and y, metres."""
    layer: float = 0.8
    """Distance between layers along z, metres."""

    def corners(self, position: NDArray[np.floating]) -> tuple[Node, Node, Node, Node]:
        """Return the points around a position `[3]`, metres, scene frame."""
        x = math.floor(float(position[0]) / self.spacing)
        y = math.floor(float(position[1]) / self.spacing)
        z = round(float(position[2]) / self.layer)
        return (x, y, z), (x + 1, y, z), (x, y + 1, z), (x + 1, y + 1, z)

    def position(self, node: Node) -> NDArray[np.float64]:
        """Return where a point lies, `[3]` metres, scene frame."""
        return np.array([node[0] * self.spacing, node[1] * self.spacing, node[2] * self.layer])
