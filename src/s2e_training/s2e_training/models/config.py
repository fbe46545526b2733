"""What can be chosen about the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_policy.goal import GOAL_ENCODINGS, GoalEncoding

EncoderKind = Literal['lite0', 'dino']


@dataclass(frozen=True)
class ModelConfig:
    """Size and form of the network; `small` and `paper` are two sets of these values."""

    frames: int = option(11, low=1, high=64, help='Images in one observation.')
    image_size: int = option(128, unit='px', low=32, high=512, help='Height and width.')
    encoder: EncoderKind = option(
        'lite0', choices=('lite0', 'dino'),
        help='lite0: EfficientNet-Lite0 cut at stride 16; dino: DINOv3 ViT-S/16; frozen.',
    )
    token_channels: int = option(
        16, low=1, high=1024,
        help='Channels kept per cell before the map is flattened into the frame token; cells keep '
        'their places, since left or right of an obstacle is what steering depends on.',
    )
    token_mix: int = option(
        0, low=0, high=1024,
        help='Channels of a trainable 3x3 layer over the frozen map before it is squeezed; 0 has '
        'none. It lets neighbouring cells agree on where an edge lies between them.',
    )
    dim: int = option(128, low=16, high=2048, help='Width of every token.')
    heads: int = option(8, low=1, high=64, help='Attention heads.')
    feed_forward: int = option(256, low=16, high=8192, help='Width of the hidden layers.')
    fusion_layers: int = option(4, low=1, high=24, help='Self-attention over frames and goal.')
    decoder_layers: int = option(2, low=1, high=24, help='Cross-attention of the anchors.')
    anchors: int = option(
        33, low=1, high=512,
        help='Modes; the first is the stop anchor. With one the network is unimodal: a single '
        'Gaussian trajectory, for the ablation.',
    )
    goal_encoding: GoalEncoding = option(
        'log', choices=GOAL_ENCODINGS,
        help="Range code of the goal; the paper's is `linear`, see s2e_policy.goal.",
    )
    log_sigma_low: float = option(
        -3.0, unit='ln m', low=-6.0, high=0.0,
        help='0.05 m, half a cell of the maps the labels are planned on; below it the likelihood '
        "would reward fitting the labels' own rounding. (MTR: -1.609, 0.2 m, for cars.)",
    )
    log_sigma_high: float = option(
        1.1, unit='ln m', low=0.0, high=6.0,
        help='3 m, the reach of a 2 s plan at 1.5 m/s; nothing is less certain. (MTR: 5.)',
    )
    rho_limit: float = option(
        0.5, low=0.0, high=0.99, help="Correlation stays within this, MTR's choice.",
    )
    free_space: bool = option(
        True, help='Also answer free distances along 48 bearings; where clips have none, unused.',
    )
    dropout: float = option(0.1, low=0.0, high=0.9, help='Dropout in every layer.')

    def __post_init__(self) -> None:
        check(self)
        if self.dim % self.heads or self.dim % 4:
            raise ConfigError(
                f'dim must be a multiple of heads ({self.heads}) and of 4, got {self.dim}'
            )
        if self.image_size % 16:
            raise ConfigError(f'image_size must be a multiple of 16, got {self.image_size}')


PAPER = ModelConfig(
    image_size=256, encoder='dino', token_channels=8, token_mix=0, dim=768, heads=8,
    feed_forward=3072, fusion_layers=6, decoder_layers=3, anchors=64, goal_encoding='linear',
)
"""The size of the camera-ready paper, about 95 M parameters; token_channels is our choice."""
