"""Other colours on the same scene, so that a policy learns shapes rather than paint.

Generated cities are smooth where real captures are full of leaves, gravel and stains. Colours are
changed on the gaussians, so patterns stay on their surfaces while the camera moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats import harmonics
from navbench_gs.splats.cloud import GaussianCloud
from s2e_core.config import check, option

Float = NDArray[np.float64]

PATCHES = (0.2, 0.7, 2.5)
"""Edges of the cells that share a stain, metres: gravel, bushes, house fronts."""
TABLE = 1 << 16
SKY = 120.0
"""Gaussians farther from the middle than this are sky, metres; they keep their colours."""


@dataclass(frozen=True)
class PaintConfig:
    """Greatest strengths; each scene draws its own between zero and these."""

    hue: float = option(0.0, unit='rad', low=0, high=3.15, help='Turn of all hues.')
    grain: float = option(
        0.0, low=0, high=2, help='Brightness of each gaussian by e^N(0, this), and a '
        'fifth of that by channel.'
    )
    patches: float = option(
        0.0, low=0, high=2, help='The same for cells of 0.2, 0.7 and 2.5 m, each on its own.'
    )

    def __post_init__(self) -> None:
        check(self, source='paint')

    @property
    def active(self) -> bool:
        """Whether anything changes."""
        return max(self.hue, self.grain, self.patches) > 0.0


def repaint(cloud: GaussianCloud, config: PaintConfig, rng: np.random.Generator) -> GaussianCloud:
    """Change the colours of a scene.

    Args:
        cloud: The scene.
        config: Greatest strengths.
        rng: Source of randomness.
    """
    far = np.linalg.norm(cloud.means - np.median(cloud.means, axis=0), axis=1) > SKY
    rgb = np.clip(0.5 + harmonics.C0 * cloud.sh[:, 0].astype(np.float64), 0.0, 1.0)
    painted = rgb @ _hue_turn(rng.uniform(-1.0, 1.0) * config.hue).T
    for edge in PATCHES:
        table = _factors(TABLE, rng.uniform(0.0, config.patches), rng)
        painted *= table[_cells(cloud.means, edge)]
    painted *= _factors(len(cloud), rng.uniform(0.0, config.grain), rng)
    painted[far] = rgb[far]
    sh = cloud.sh.copy()
    sh[:, 0] = (np.clip(painted, 0.0, 1.0) - 0.5) / harmonics.C0
    return GaussianCloud(cloud.means, cloud.quats, cloud.scales, cloud.opacities, sh)


def _factors(count: int, strength: float, rng: np.random.Generator) -> Float:
    """Draw factors of brightness and, a fifth as strong, of each channel. [count, 3]"""
    common, own = rng.standard_normal((count, 1)), rng.standard_normal((count, 3))
    return np.asarray(np.exp(strength * (common + 0.2 * own)))


def _cells(means: NDArray[np.float32], edge: float) -> NDArray[np.int64]:
    """Hash the cell of each point (Teschner et al., 2003). [N] below `TABLE`"""
    place = np.floor(means.astype(np.float64) / edge).astype(np.int64)
    mixed = place * np.array([73856093, 19349663, 83492791])
    return np.asarray((mixed[:, 0] ^ mixed[:, 1] ^ mixed[:, 2]) & (TABLE - 1))


def _hue_turn(angle: float) -> Float:
    """Return the rotation of colours about grey. [3, 3]"""
    from transforms3d.axangles import axangle2mat

    return np.asarray(axangle2mat([1.0, 1.0, 1.0], angle))
