"""Settings of learning a place from its planner: what is driven there, and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_training.data.record import RecordConfig
from s2e_training.posttrain.scenes import FIRST_TRAINING_SEED

Precision = Literal['float32', 'bfloat16']


@dataclass(frozen=True)
class RoundConfig:
    """How the network is trained in a round; all else is as in its pre-training."""

    steps: int = option(1500, low=1, high=10**8, help='Optimiser steps of a round.')
    batch: int = option(128, low=1, high=65536, help='Samples a step.')
    learning_rate: float = option(4e-4, low=0, high=1, help='Peak rate; warm-up, then cosine.')
    warmup: int = option(50, low=0, high=10**6, help='Steps of warm-up.')
    turn_weight: float = option(2.0, low=0, high=100, help='Extra draws of labels that turn.')
    brake_weight: float = option(1.0, low=0, high=100, help='Extra draws of labels that stand.')
    precision: Precision = option(
        'bfloat16', choices=('float32', 'bfloat16'), help='Of the network while training.'
    )
    threads: int = option(2, low=1, high=256, help='Threads of PyTorch.')
    validate_every: int = option(250, low=1, high=10**6, help='Steps between validations.')
    checkpoint_minutes: float = option(
        2.0, unit='min', low=0, high=600, help='Time between checkpoints.'
    )

    def __post_init__(self) -> None:
        check(self, source='training')


@dataclass(frozen=True)
class DaggerConfig:
    """One adaptation (Ross et al., 2011, DAgger): drive, label, train, and again."""

    name: str = option(help='Name of the runs.')
    initial: str = option(help='The parent: a bundle by folder or name, a run, or a checkpoint.')
    seed: int = option(0, low=0, high=10**6, help='Seed of routes, hazards and batches.')
    rounds: int = option(
        2, low=1, high=50, help='Trainings; before each the newest policy drives in the place.'
    )
    demonstrations: int = option(
        16, low=1, high=10**5, help='Passes over the tasks that the planner drives, once.'
    )
    drives: int = option(
        12, low=1, high=10**5, help='Passes over the tasks that the newest policy drives, a round.'
    )
    validation: int = option(
        2, low=1, high=10**5,
        help='Passes that the planner drives on other routes, to watch the training; its last '
        'step is taken whatever they say.',
    )
    rehearsal: int = option(
        16, low=1, high=10**5,
        help='Generated cities that the parent drives through, so that it keeps what it knows.',
    )
    first_city: int = option(
        1270, low=FIRST_TRAINING_SEED, high=10**9, help='First seed of those cities.'
    )
    share: float = option(
        0.6, low=0.01, high=0.99, help='Share of the samples that come from the place.'
    )
    record: RecordConfig = RecordConfig()
    training: RoundConfig = RoundConfig()

    def __post_init__(self) -> None:
        check(self, source='dagger')
        given, usual = self.record, RecordConfig()
        for name in ('scene', 'driver', 'first_seed', 'scenes', 'seed', 'image_size'):
            if getattr(given, name) != getattr(usual, name):
                raise ConfigError(
                    f'dagger: record.{name} follows from place, parent and round, do not set it'
                )
