"""How much of a policy's view a camera must see, and what the rest shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from s2e_core.camera import Unseen
from s2e_policy.manifest import ImageInput
from s2e_training.data.views import NARROWEST
from s2e_training.pretrain.config import PretrainConfig


@dataclass(frozen=True)
class Margins:
    """What a bundle says about views that its camera fills in part."""

    coverage: float
    """Least share of the image that a camera must see."""
    unseen: Unseen
    """What the rest of it shows."""


WHOLE_VIEWS = Margins(ImageInput.coverage, 'edge')
"""Of a policy that was trained through whole views only."""


def margins_of(config: PretrainConfig) -> Margins:
    """Return what suits a training: its narrowest view, and margins as it had them.

    A policy without margins in training takes black for something to keep away from: with the
    3 % of a go2's camera s2e-small arrived in 0.33 of 24 episodes, with the nearest pixel there
    in 0.92.
    """
    if config.views == 1:
        return WHOLE_VIEWS
    return Margins(round(math.prod(NARROWEST), 2), 'black')
