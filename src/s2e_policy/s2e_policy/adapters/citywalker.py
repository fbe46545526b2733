"""CityWalker: a point goal and the way of the last seconds, in its own axes and unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.contract import Observation
from s2e_core.errors import ContractError
from s2e_core.se2 import Pose2
from s2e_policy.adapters.base import Adapter, Contract
from s2e_policy.adapters.graph import Graph
from s2e_policy.adapters.options import AdapterOptions
from s2e_policy.adapters.ports import BATCH, Port
from s2e_policy.tensors import image_tensor

# One image and one waypoint a second. Its unit is the mean step of a drive, about 1.2 m on foot;
# taken from the robot's own last steps, a robot at rest would see every goal 100 times too far
# and plan to stay at rest. So the unit is constant: 1 m.
CONTRACT = Contract('citywalker', 5, 350, 630, 9 / 5, 1.0, 1.0, 1.0, 'required')
INPUTS = (
    Port('images', (BATCH, 5, 3, 350, 630)), Port('coordinates', (BATCH, 6, 2)),
)
OUTPUTS = (
    Port('waypoints', (BATCH, 5, 2), 'wp_pred'), Port('arrived', (BATCH, 1), 'arrive_pred'),
)


class CityWalkerAdapter(Adapter):
    """One trajectory; five past places and the goal are the six rows it reads."""

    def __init__(
        self, path: Path, options: AdapterOptions, provider: str = 'cpu', threads: int = 1
    ) -> None:
        """Open the file.

        Raises:
            PolicyError: It is refused.
        """
        super().__init__(CONTRACT, options, provider)
        self._graph = Graph(
            path, 'CityWalker', INPUTS, OUTPUTS, provider=provider, threads=threads
        )

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of the file."""
        return {self._graph.path.name: self._graph.digest}

    def _answer(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        if observation.goal is None or observation.poses is None:
            raise ContractError(f'{self.spec.name}: needs a goal and the pose of every image')
        here = Pose2(*observation.poses[-1]).inverse()
        rows = np.vstack([here.transform(observation.poses[:, :2]), observation.goal])
        answer = self._graph.run(
            images=image_tensor(observation.images)[None],
            coordinates=to_right_forward(rows / self.scale)[None],
        )
        self.notes = {'arrived': float(1.0 / (1.0 + np.exp(-answer['arrived'][0, 0])))}
        return from_right_forward(answer['waypoints']) * self.scale, np.ones(1, np.float32)


def to_right_forward(points: np.ndarray) -> np.ndarray:
    """Forward, left -> right, forward: the camera axes it was trained in. [..., 2]"""
    return np.stack([-points[..., 1], points[..., 0]], axis=-1)


def from_right_forward(points: np.ndarray) -> np.ndarray:
    """Right, forward -> forward, left. [..., 2]"""
    return np.stack([points[..., 1], -points[..., 0]], axis=-1)
