"""Which scenes may be trained in, and which may choose checkpoints."""

from __future__ import annotations

import re
from collections.abc import Sequence

from navbench_gs.runner.plan import parse_scenes
from navbench_gs.scenes.part import split_part
from s2e_core.errors import ConfigError
from s2e_training.data.record import TEST_SEEDS

FIRST_TRAINING_SEED = 1000
"""City seeds from here on are for training; 100-125 are for validation."""


def check_training_scenes(words: Sequence[str]) -> None:
    """Refuse generated cities that are not for training; captures are the user's own choice.

    Raises:
        ConfigError: Naming the scene.
    """
    for scene, seed in _cities(words):
        if seed < FIRST_TRAINING_SEED:
            raise ConfigError(
                f'environment.scenes: training cities have seeds from {FIRST_TRAINING_SEED} on, '
                f'got {scene}'
            )


def check_validation_scenes(words: Sequence[str]) -> None:
    """Refuse cities of the test ranges.

    Raises:
        ConfigError: Naming the scene.
    """
    for scene, seed in _cities(words):
        if any(seed in seeds for seeds in TEST_SEEDS):
            raise ConfigError(f'evaluation.scenes: {scene} is for tests only')


def _cities(words: Sequence[str]) -> list[tuple[str, int]]:
    # A part of a scene's routes is that scene still.
    whole = ((scene, split_part(scene)[0]) for scene in parse_scenes(words))
    found = ((scene, re.fullmatch(r'city:(\d+)', name)) for scene, name in whole)
    return [(scene, int(match[1])) for scene, match in found if match is not None]
