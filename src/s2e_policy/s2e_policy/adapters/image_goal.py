"""GNM and ViNT: they drive to a picture, never to a point, and never to a made-up picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.contract import Observation
from s2e_core.errors import ContractError
from s2e_policy.adapters.base import Adapter, Contract
from s2e_policy.adapters.graph import Graph
from s2e_policy.adapters.images import fitted, normalised, read_picture, stacked
from s2e_policy.adapters.options import AdapterOptions
from s2e_policy.adapters.ports import BATCH, Port
from s2e_policy.errors import PolicyError

# 4 Hz is the rate of the authors' deployment. A unit is the mean step of the robot a model was
# trained for: 0.25 m, a walk of 1 m/s, is that of RECON, their largest set; other robots differ.
GNM = Contract('gnm', 6, 64, 85, 4 / 3, 0.25, 0.25, 0.25, 'ignored')
VINT = Contract('vint', 6, 64, 85, 4 / 3, 0.25, 0.25, 0.25, 'ignored')
INPUTS = (
    Port('images', (BATCH, 18, 64, 85)), Port('goal_image', (BATCH, 3, 64, 85)),
)
OUTPUTS = (
    Port('distance', (BATCH, 1), 'dist_pred'), Port('waypoints', (BATCH, 5, 4), 'action_pred'),
)


class GoalImage:
    """The picture a policy drives to, in the form its graph wants."""

    def __init__(self, contract: Contract, path: str) -> None:
        """Read the picture if one is named.

        Raises:
            PolicyError: It cannot be read.
        """
        self._contract = contract
        self.tensor: np.ndarray | None = None
        """[3, H, W] float32, or None."""
        if path:
            self.set(read_picture(path))

    def set(self, rgb: np.ndarray) -> None:
        """Take a picture. [H, W, 3] uint8 RGB"""
        c = self._contract
        self.tensor = normalised(fitted(rgb, c.width, c.height, c.aspect))


class ImageGoalAdapter(Adapter):
    """One trajectory towards a goal image."""

    def __init__(
        self, path: Path, options: AdapterOptions, provider: str = 'cpu', threads: int = 1, *,
        contract: Contract = GNM, goal_comes_later: bool = False,
    ) -> None:
        """Open the file.

        Args:
            path: The file.
            options: Must name a goal image, unless it comes later.
            provider: Our name of the execution provider.
            threads: Threads within an operator.
            contract: `GNM` or `VINT`.
            goal_comes_later: `set_goal_image` will be called before `infer`.

        Raises:
            PolicyError: The file or the goal image is refused, or there is no goal image.
        """
        super().__init__(contract, options, provider)
        self._goal = GoalImage(contract, options.goal_image)
        if self._goal.tensor is None and not goal_comes_later:
            raise PolicyError(
                f'{path}: {contract.kind} drives to a picture; name one with '
                ',goal_image=FILE (a made-up one would only make noise)'
            )
        self._graph = Graph(
            path, contract.kind.upper(), INPUTS, OUTPUTS, provider=provider, threads=threads
        )

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of the file."""
        return {self._graph.path.name: self._graph.digest}

    def set_goal_image(self, rgb: np.ndarray) -> None:
        """Drive to another picture. [H, W, 3] uint8 RGB"""
        self._goal.set(rgb)

    def _answer(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        if self._goal.tensor is None:
            raise ContractError(f'{self.spec.name}: no goal image was given')
        images = stacked(normalised(observation.images))
        answer = self._graph.run(images=images[None], goal_image=self._goal.tensor[None])
        self.notes = {'steps to goal image': float(answer['distance'][0, 0])}
        # The graph has summed its steps up already; columns 2 and 3 are heading.
        return answer['waypoints'][..., :2] * self.scale, np.ones(1, np.float32)
