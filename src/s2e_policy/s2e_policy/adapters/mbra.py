"""MBRA: short trajectories to a point goal up to 30 m away."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.contract import Observation
from s2e_policy.adapters.base import Adapter, Contract
from s2e_policy.adapters.graph import Graph
from s2e_policy.adapters.options import AdapterOptions
from s2e_policy.adapters.ports import BATCH, Port
from s2e_policy.errors import PolicyError
from s2e_policy.tensors import image_tensor

# 3 Hz and 0.25 m are the rate and the waypoint spacing of the authors' deployment.
CONTRACT = Contract('mbra', 6, 96, 96, 4 / 3, 1 / 3, 1 / 3, 0.25, 'required')
FARTHEST = 30.0
"""The authors pull goals that are farther in to this distance, metres."""
INPUTS = (Port('images', (BATCH, 6, 3, 96, 96)), Port('goal', (BATCH, 'goal')))
OUTPUTS = (Port('waypoints', (BATCH, 8, 'columns')),)


class MbraAdapter(Adapter):
    """One trajectory for a point goal."""

    def __init__(
        self, path: Path, options: AdapterOptions, provider: str = 'cpu', threads: int = 1
    ) -> None:
        """Open the file.

        Raises:
            PolicyError: It is refused.
        """
        super().__init__(CONTRACT, options, provider)
        self._graph = Graph(
            path, 'MBRA', INPUTS, OUTPUTS, provider=provider, threads=threads, others=True
        )
        self._columns = self._graph.width('goal')
        if self._columns not in (2, 4):
            raise PolicyError(
                f'{path}: the MBRA goal must be [batch, 2] (forward, left) or [batch, 4] (with '
                f'cosine and sine of the heading there), got [batch, {self._columns}]'
            )

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of the file."""
        return {self._graph.path.name: self._graph.digest}

    def _answer(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        assert observation.goal is not None  # the contract requires one
        answer = self._graph.run(
            images=image_tensor(observation.images)[None], goal=self._code(observation.goal)[None]
        )
        return answer['waypoints'][..., :2] * self.scale, np.ones(1, np.float32)

    def _code(self, goal: np.ndarray) -> np.ndarray:
        """Goal in metres, or in units of the scale with the bearing as heading. [2] or [4]"""
        distance = float(np.hypot(*goal))
        near = goal * min(1.0, FARTHEST / max(distance, 1e-9))
        if self._columns == 2:
            return near
        bearing = np.arctan2(goal[1], goal[0])
        return np.array([*(near / self.scale), np.cos(bearing), np.sin(bearing)])
