"""The authors' S2E file: behaviour cloning on web video, without the reinforcement stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.contract import Observation
from s2e_policy.adapters.base import Adapter, Contract
from s2e_policy.adapters.graph import Graph
from s2e_policy.adapters.options import AdapterOptions
from s2e_policy.adapters.ports import BATCH, Port
from s2e_policy.goal import encode_goal
from s2e_policy.tensors import image_tensor

# Our choices: 5 Hz, as its sister models, and a full 4:3 view squeezed to a square; neither is
# published. The scale of 0.25 is what the code that runs the file applies.
CONTRACT = Contract('s2e', 11, 256, 256, 4 / 3, 0.2, 0.2, 0.25, 'required')
INPUTS = (
    Port('images', (BATCH, 11, 3, 256, 256), 'obs_images'), Port('goal', (BATCH, 3), 'goal'),
)
OUTPUTS = (
    Port('waypoints', (BATCH, 10, 3), 'wp_pred'), Port('score', None, 'wp_pred_score'),
)


class S2EAdapter(Adapter):
    """One trajectory for a point goal; the file has no input that says: no goal."""

    def __init__(
        self, path: Path, options: AdapterOptions, provider: str = 'cpu', threads: int = 1
    ) -> None:
        """Open the file.

        Raises:
            PolicyError: It is refused.
        """
        super().__init__(CONTRACT, options, provider)
        self._graph = Graph(path, 'S2E', INPUTS, OUTPUTS, provider=provider, threads=threads)

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of the file."""
        return {self._graph.path.name: self._graph.digest}

    def _answer(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        goal, _ = encode_goal(observation.goal, 'linear')
        answer = self._graph.run(images=image_tensor(observation.images)[None], goal=goal[None])
        return answer['waypoints'][..., :2] * self.scale, np.ones(1, np.float32)
