"""Maps: nav_msgs/OccupancyGrid to what a robot can hit."""

from __future__ import annotations

import numpy as np
from nav_msgs.msg import OccupancyGrid

from navbench_gs.errors import SceneError
from navbench_gs.scenes.collision import MAX_CELLS, CollisionMap
from s2e_nav.convert.poses import yaw_of
from s2e_nav.errors import ConversionError

OCCUPIED = 65
"""Percent from which a cell counts as occupied, as map_server has it. Unknown ones (-1) do not."""


def collision_from_grid(message: OccupancyGrid) -> CollisionMap:
    """Read a map; everything outside it counts as occupied.

    Raises:
        ConversionError: Sizes that do not agree, too large, or turned against its frame.
    """
    rows, columns = int(message.info.height), int(message.info.width)
    if not 0 < rows * columns <= MAX_CELLS or len(message.data) != rows * columns:
        raise ConversionError(
            f'map of {columns}x{rows} cells does not fit {len(message.data)} values'
        )
    if abs(yaw_of(message.info.origin.orientation)) > 1e-3:
        raise ConversionError('a map that is turned against its frame is not read')
    occupied = np.asarray(message.data, np.int8).reshape(rows, columns) >= OCCUPIED
    place = message.info.origin.position
    try:
        return CollisionMap(
            float(message.info.resolution), np.array([place.x, place.y], np.float64), occupied,
            np.zeros(occupied.shape, np.float32), ~occupied, np.zeros((0, 7), np.float32),
        )
    except SceneError as error:
        raise ConversionError(f'map: {error}') from error
