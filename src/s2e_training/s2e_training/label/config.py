"""Settings of labelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from s2e_core.config import check, option

Kind = Literal['walk', 'drive']
Features = Literal['klt', 'sift']

PLAUSIBLE: dict[Kind, tuple[float, float]] = {'walk': (0.2, 3.0), 'drive': (0.5, 40.0)}
"""Median speed of a carrier, m/s; a camera height that is wrong twofold falls out of it."""


@dataclass(frozen=True)
class LabelConfig:
    """How a video is labelled."""

    height: float = option(unit='m', low=0.1, high=5.0, help='Camera above the ground.')
    kind: Kind = option('walk', choices=('walk', 'drive'), help='Who carries the camera.')
    features: Features = option(
        'klt', choices=('klt', 'sift'), help='klt follows corners; sift is for sparse photos.'
    )
    rate: float = option(5.0, unit='Hz', low=0.2, high=30, help='Poses and clip frames.')
    refine_focal: bool = option(False, help='Let bundle adjustment move the focal length.')
    chunk: int = option(150, low=20, high=1000, help='Frames mapped together.')
    overlap: int = option(10, low=0, high=100, help='Frames that two chunks share: one label.')
    shortest: int = option(15, low=5, high=1000, help='Shorter pieces are dropped: 3 s.')
    width: int = option(640, unit='px', low=160, high=4096, help='Wider video is shrunk.')
    top_speed: float = option(
        1.5, unit='m/s', low=0.1, high=50, help='Time is stretched for faster pieces.'
    )
    confidence: float = option(
        0.2, low=0, high=1, help='Pieces below it are rejected.'
    )

    def __post_init__(self) -> None:
        check(self, source='label')
