"""NoMaD: three graphs, eight diffused trajectories, to a picture or wherever it is free."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.contract import Observation
from s2e_policy.adapters.base import Adapter, Contract
from s2e_policy.adapters.diffusion import sample
from s2e_policy.adapters.graph import Graph
from s2e_policy.adapters.image_goal import GoalImage
from s2e_policy.adapters.images import normalised, stacked
from s2e_policy.adapters.options import AdapterOptions
from s2e_policy.adapters.ports import BATCH, Port
from s2e_policy.errors import PolicyError

CONTRACT = Contract('nomad', 4, 96, 96, 4 / 3, 0.25, 0.25, 0.25, 'ignored')
SAMPLES = 8
STEPS = 10
WIDTH = 256
"""Of the condition that the encoder hands to the other two."""
STEP_LOW = np.array([-2.5, -4.0])
"""Least step of a waypoint in units, forward and left; the graph's -1."""
STEP_HIGH = np.array([5.0, 4.0])
"""Largest step; the graph's 1."""
FILES = {
    'encoder': 'nomad_vision_encoder.onnx', 'denoiser': 'nomad_noise_pred.onnx',
    'distance': 'nomad_dist_pred.onnx',
}
_WHOLE = ('int64', 'int32')
_PORTS = {
    'encoder': (
        (Port('images', (BATCH, 12, 96, 96), 'obs_img'),
         Port('goal_image', (BATCH, 3, 96, 96), 'goal_img'),
         Port('mask', (BATCH,), 'goal_mask', (*_WHOLE, 'bool', 'float'))),
        (Port('condition', (BATCH, WIDTH)),),
    ),
    'denoiser': (
        (Port('sample', (SAMPLES, 8, 2), 'sample'), Port('step', None, 'timestep', _WHOLE),
         Port('condition', (SAMPLES, WIDTH), 'global_cond')),
        (Port('noise', (SAMPLES, 8, 2)),),
    ),
    'distance': ((Port('condition', (BATCH, WIDTH)),), (Port('distance', (BATCH, 1)),)),
}


class NomadAdapter(Adapter):
    """Eight samples with equal scores; without a goal image it explores, as it was trained to."""

    def __init__(
        self, path: Path, options: AdapterOptions, provider: str = 'cpu', threads: int = 1
    ) -> None:
        """Open the three files.

        Args:
            path: Their folder.
            options: A goal image makes it drive there.
            provider: Our name of the execution provider.
            threads: Threads within an operator.

        Raises:
            PolicyError: A file is missing or refused.
        """
        super().__init__(CONTRACT, options, provider)
        if not path.is_dir():
            raise PolicyError(f'{path}: NoMaD is a folder with {", ".join(FILES.values())}')
        self._goal, self._seed = GoalImage(CONTRACT, options.goal_image), options.seed
        self._graphs = {
            part: Graph(path / name, f'NoMaD {part}', *_PORTS[part], provider=provider,
                        threads=threads)
            for part, name in FILES.items()
        }

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of the three files."""
        return {graph.path.name: graph.digest for graph in self._graphs.values()}

    def set_goal_image(self, rgb: np.ndarray) -> None:
        """Drive to a picture. [H, W, 3] uint8 RGB"""
        self._goal.set(rgb)

    def _answer(self, observation: Observation) -> tuple[np.ndarray, np.ndarray]:
        goal, c = self._goal.tensor, self.contract
        # Mask 1 hides the goal image; zeros stand where nothing is looked at.
        picture = np.zeros((3, c.height, c.width), np.float32) if goal is None else goal
        condition = self._graphs['encoder'].run(
            images=stacked(normalised(observation.images))[None], goal_image=picture[None],
            mask=np.array([goal is None]),
        )['condition']
        self.notes = {}
        if goal is not None:
            steps = self._graphs['distance'].run(condition=condition)['distance']
            self.notes = {'steps to goal image': float(steps[0, 0])}
        # The same image draws the same noise, so that a run repeats to the byte.
        rng = np.random.default_rng([self._seed, observation.stamp_ns & (2**63 - 1)])
        deltas = sample(self._denoise(np.repeat(condition, SAMPLES, axis=0)), (SAMPLES, 8, 2),
                        STEPS, rng)
        steps_taken = (deltas + 1.0) / 2.0 * (STEP_HIGH - STEP_LOW) + STEP_LOW
        scores = np.full(SAMPLES, 1.0 / SAMPLES, np.float32)
        return np.cumsum(steps_taken, axis=1) * self.scale, scores

    def _denoise(self, condition: np.ndarray) -> _Denoiser:
        return _Denoiser(self._graphs['denoiser'], condition)


class _Denoiser:
    """Predicts the noise of a step under one condition."""

    def __init__(self, graph: Graph, condition: np.ndarray) -> None:
        self._graph, self._condition = graph, condition

    def __call__(self, noisy: np.ndarray, step: int) -> np.ndarray:
        # Published exports take the step as a scalar or as one number for each sample.
        number = np.array(step) if self._graph.rank('step') == 0 else np.full(
            self._graph.width('step') or SAMPLES, step
        )
        return self._graph.run(sample=noisy, step=number, condition=self._condition)['noise']
