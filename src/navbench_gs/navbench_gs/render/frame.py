"""What a renderer returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """One drawn view; all arrays share height and width."""

    rgb: NDArray[np.uint8]
    """`[H, W, 3]` colour over the background."""
    depth: NDArray[np.float32]
    """`[H, W]` metres along the optical z axis: the depth of the gaussian at which the light
    that is let through falls below one half (median depth); inf where alpha < 0.5."""
    alpha: NDArray[np.float32]
    """`[H, W]` in [0, 1]: one minus the light that reaches the background."""
