"""Variation of camera and light, so that a policy does not lean on either."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from s2e_core.camera import CameraMount
from s2e_core.config import check, option


@dataclass(frozen=True)
class JitterConfig:
    """How far cameras and light vary between drives."""

    height: float = option(0.08, unit='m', low=0, high=1, help='Camera height, uniform +-.')
    pitch: float = option(0.04, unit='rad', low=0, high=0.5, help='Camera pitch, uniform +-.')
    exposure: float = option(0.25, low=0, high=1, help='Brightness factor e^N(0, this).')
    colour: float = option(0.06, low=0, high=0.5, help='Per-channel factor e^N(0, this).')
    gamma: float = option(0.15, low=0, high=1, help='Gamma e^N(0, this).')
    noise: float = option(0.012, low=0, high=0.2, help='Standard deviation of pixel noise.')
    blur: float = option(0.6, unit='px', low=0, high=5, help='Largest blur.')
    haze: float = option(
        0.0, low=0, high=0.9, help='Largest share of a grey veil, as floaters of captures lay '
        'before a camera; most drives have little.'
    )

    def __post_init__(self) -> None:
        check(self, source='jitter')


def jitter_mount(
    mount: CameraMount, config: JitterConfig, rng: np.random.Generator
) -> CameraMount:
    """Move a camera a little."""
    return CameraMount(
        mount.x, mount.y, mount.z + rng.uniform(-1, 1) * config.height,
        mount.pitch + rng.uniform(-1, 1) * config.pitch,
    )


@dataclass(frozen=True)
class Light:
    """One exposure, tint, gamma and blur, as one drive sees them."""

    table: np.ndarray
    """Brightness of each level and channel, 0 to 255. [256, 3] float32"""
    blur: float
    """Standard deviation of the blur, pixels; under 0.2 there is none."""
    noise: float
    """Standard deviation of pixel noise, share of full brightness."""

    @classmethod
    def draw(cls, config: JitterConfig, rng: np.random.Generator) -> Light:
        """Draw the light of a drive."""
        gain = np.exp(rng.normal(0, config.exposure) + rng.normal(0, config.colour, 3))
        gamma = float(np.exp(rng.normal(0, config.gamma)))
        levels = np.arange(256)[:, None] / 255.0
        table = np.clip(255.0 * gain * levels**gamma, 0, 255)
        blur = rng.uniform(0, config.blur)
        if config.haze > 0.0:
            veil = config.haze * rng.uniform() ** 2
            table = (1.0 - veil) * table + veil * 255.0 * rng.uniform(0.4, 0.9)
        return cls(table.astype(np.float32), blur, config.noise)

    def __call__(self, rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Change one image; the noise is drawn afresh.

        Args:
            rgb: [H, W, 3] uint8
            rng: Source of the noise.

        Returns:
            [H, W, 3] uint8
        """
        lit = np.stack([self.table[rgb[..., c], c] for c in range(3)], axis=-1)
        if self.blur > 0.2:
            lit = cv2.GaussianBlur(lit, (0, 0), self.blur)
        if self.noise > 0.0:
            lit += rng.standard_normal(rgb.shape, np.float32) * (255.0 * self.noise)
        return np.clip(lit + 0.5, 0, 255).astype(np.uint8)


def jitter_light(rgb: np.ndarray, config: JitterConfig, rng: np.random.Generator) -> np.ndarray:
    """Vary the light of a clip: one `Light` for all frames, fresh noise.

    Args:
        rgb: [N, H, W, 3] uint8
        config: Strengths.
        rng: Source of randomness.

    Returns:
        [N, H, W, 3] uint8
    """
    light = Light.draw(config, rng)
    return np.stack([light(image, rng) for image in rgb]) if len(rgb) else rgb.copy()
