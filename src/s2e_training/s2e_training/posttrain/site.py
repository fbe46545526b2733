"""Post-training for one place: its routes divided, a budget of time that survives a kill."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from navbench_gs.runner.plan import write_atomically
from navbench_gs.scenes.part import split_part
from s2e_core.errors import ConfigError
from s2e_training.posttrain.config import PosttrainConfig

CLOCK = 'clock.json'


def site_config(config: PosttrainConfig, scene: str) -> PosttrainConfig:
    """Return settings that train on a scene's training routes beside those of the file.

    What the file names under `environment.scenes` stays: driving there as well is what keeps a
    policy from forgetting. Evaluation, which chooses the checkpoint, sees training routes only.

    Args:
        config: Settings of a run.
        scene: The place.

    Raises:
        ConfigError: The scene names a part already.
    """
    if split_part(scene)[1] is not None:
        raise ConfigError(f'the scene is divided here: give {split_part(scene)[0]!r} alone')
    training = f'{scene}@training'
    environment = replace(
        config.environment, scenes=(training, *config.environment.scenes)
    )
    return replace(
        config, environment=environment, evaluation=replace(config.evaluation, scenes=(training,))
    )


class Budget:
    """Seconds of training so far, kept on disk."""

    def __init__(self, folder: Path, seconds: float, clock: Callable[[], float]) -> None:
        """Begin to count, or go on.

        Args:
            folder: Keeps the count.
            seconds: The budget.
            clock: Seconds, monotonic.

        Raises:
            ConfigError: The count cannot be read.
        """
        self._path, self._seconds, self._clock = folder / CLOCK, seconds, clock
        self._before = 0.0
        if self._path.is_file():
            try:
                self._before = float(json.loads(self._path.read_text())['seconds'])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise ConfigError(f'{self._path}: cannot be read: {error}') from error
        self._started = clock()

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._before + self._clock() - self._started

    def save(self) -> None:
        """Write the count."""
        write_atomically(self._path, json.dumps({'seconds': round(self.spent, 1)}) + '\n')

    def used_up(self) -> bool:
        """Whether nothing is left."""
        return self.spent >= self._seconds


def spent_hours(folder: Path) -> float:
    """Return the hours a folder's training has taken so far; NaN where nobody counted."""
    path = folder / CLOCK
    if not path.is_file():
        return math.nan
    return Budget(folder, 0.0, lambda: 0.0).spent / 3600.0
