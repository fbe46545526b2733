"""Periodic evaluation: the exported policy in the benchmark, on validation scenes."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from navbench_gs.runner.plan import Finished, RunConfig, parse_scenes, parse_tasks
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.contract import Policy
from s2e_policy.bundle import load_bundle
from s2e_policy.runtime import OnnxPolicy
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.export.margins import Margins
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.config import EvaluationConfig

METRICS = ('success', 'collision_free_success', 'route_completion', 'collisions')
"""Logged with their 95 % intervals."""


@dataclass(frozen=True)
class BundleFactory:
    """Opens the exported policy in each worker, on one thread."""

    folder: str
    name: str

    def __call__(self) -> Policy:
        """Open it."""
        return OnnxPolicy(load_bundle(self.folder, replay_reference=False), threads=1)


class Evaluator:
    """Measures a network the way users will run it: ONNX graphs, follower, gate, physics."""

    def __init__(
        self, config: EvaluationConfig, robot: str, folder: Path, margins: Margins,
        watch: Callable[[int, int], None] | None = None,
    ) -> None:
        """Take the settings.

        Args:
            config: Scenes, tasks and episodes.
            robot: Robot profile by name.
            folder: Keeps the newest exported bundle and the episode logs.
            margins: The parent's, where a camera fills its view in part.
            watch: Called with the episodes done and in all.
        """
        self._watch, self._margins = watch, margins
        self._config, self._robot, self._folder = config, robot, folder

    def __call__(self, model: S2EModel, rollout: int) -> dict[str, float]:
        """Evaluate a network.

        Args:
            model: The network.
            rollout: Rollouts behind it, for the name of the logs.

        Returns:
            Mean, lower and upper bound of each metric by task, and `score`, which chooses the
            best: the mean of success and collision-free success over all episodes.

        Raises:
            RunError: A scene cannot be had.
            TrainingError: The exported graphs disagree with the network.
        """
        c, name = self._config, f'rollout-{rollout:06d}'
        bundle = self._folder / 'bundle'
        export_bundle(model, bundle, ExportInfo(name, 'In training.', self._margins))
        run = RunConfig(
            parse_scenes(c.scenes), parse_tasks(c.tasks), load_protocol(c.protocol), self._robot,
            episodes=c.episodes, seed=c.seed, workers=c.workers,
        )
        out = self._folder / name
        # A half-finished evaluation of other weights must not be gone on with.
        shutil.rmtree(out, ignore_errors=True)
        row: dict[str, float] = {}
        done = itertools.count(1)

        def show(_: Finished) -> None:
            if self._watch is not None:
                self._watch(next(done), len(run.items()))

        for summary in run_benchmark(run, BundleFactory(str(bundle), name), out, progress=show):
            for metric in METRICS:
                value = summary.metrics[metric]
                key = f'{summary.name}_{metric}'
                row |= {key: value.mean, f'{key}_low': value.low, f'{key}_high': value.high}
            success = summary.metrics['success'].mean
            row['score'] = (success + summary.metrics['collision_free_success'].mean) / 2
        return row
