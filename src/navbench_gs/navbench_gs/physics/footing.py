"""The ground under each foot: a small board that lies on the floor's slope there.

A foot is a ball of 2 cm that sinks in by as much when it lands, and a height field answers with
forces from the sides of its prisms: measured with MuJoCo 4.0, a robot that walks ten minutes on a
plane falls within 5 s on a height field that rises by 2 %.
"""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from navbench_gs.physics import layers
from navbench_gs.scenes.collision import CollisionMap

Floats = NDArray[np.float64]

HALF = 0.3
"""Half the edge of a board, metres: more than a foot moves in a step."""
THICK = 0.1
"""Half its thickness, metres."""
REACH = 0.02
"""Distance over which the slope is taken, metres."""
_FIRST_LAYER = 16


class Footing:
    """Keeps a board under every foot."""

    def __init__(
        self, model: mujoco.MjModel, data: mujoco.MjData, feet: list[int], ground: CollisionMap
    ) -> None:
        """Find the boards.

        Args:
            model: With boards of `add_boards` and the feet they are for.
            data: The state whose boards are moved.
            feet: Geom ids, in the boards' order.
            ground: The floor.
        """
        self._data, self._feet, self._ground = data, feet, ground
        boards = [int(model.body(name(foot)).mocapid[0]) for foot in range(len(feet))]
        self._boards = np.array(boards)
        self._around = REACH * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])

    def lay(self) -> None:
        """Lay each board on the floor below its foot, as steep as the floor is there."""
        places = self._data.geom_xpos[self._feet, :2]
        heights = self._ground.floor(places[:, None, :] + self._around)
        slope = (heights[:, 1:] - heights[:, :1]) / REACH
        normal = np.column_stack([-slope, np.ones(len(places))])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        # The shortest turn from z to the normal.
        turn = np.column_stack([1.0 + normal[:, 2], -normal[:, 1], normal[:, 0],
                                np.zeros(len(places))])
        self._data.mocap_pos[self._boards] = np.column_stack([places, heights[:, 0]])
        self._data.mocap_quat[self._boards] = turn / np.linalg.norm(turn, axis=1, keepdims=True)


    def lowest(self) -> float:
        """Return the height of the lowest board, metres."""
        return float(self._data.mocap_pos[self._boards, 2].min())


def name(foot: int) -> str:
    """Return the name of a foot's board."""
    return f'footing_{foot}'


def add_boards(spec: mujoco.MjSpec, robot: mujoco.MjSpec, feet: tuple[str, ...]) -> None:
    """Add a board for each foot, which meets it and nothing else, and take the floor from it.

    Args:
        spec: Gets the boards.
        robot: Has the feet.
        feet: Names of their geoms.
    """
    for number, foot in enumerate(feet):
        layer = _FIRST_LAYER << number
        robot.geom(foot).conaffinity = layers.EVERYTHING & ~layers.GROUND | layer
        board = spec.worldbody.add_body(name=name(number), mocap=True)
        board.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX, size=[HALF, HALF, THICK], pos=[0.0, 0.0, -THICK],
            contype=layer, conaffinity=0,
        )
