"""The sampler of denoising diffusion (Ho et al. 2020) with the cosine schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

BETA_MAX = 0.999
"""Cap of squaredcos_cap_v2 (Nichol and Dhariwal 2021)."""


def cosine_betas(steps: int) -> np.ndarray:
    """Variances of squaredcos_cap_v2: 1 - a(k + 1) / a(k), a(k) = cos^2((k/n + s)/(1 + s) pi/2).

    Args:
        steps: n; s is 0.008.

    Returns:
        [steps] float64
    """
    def remaining(k: int) -> float:
        return math.cos((k / steps + 0.008) / 1.008 * math.pi / 2) ** 2

    return np.array([min(1 - remaining(k + 1) / remaining(k), BETA_MAX) for k in range(steps)])


def sample(
    predict: Callable[[np.ndarray, int], np.ndarray], shape: tuple[int, ...], steps: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw samples from a network that predicts the noise (epsilon).

    Args:
        predict: Returns the noise in a noisy sample at a step.
        shape: Of the samples.
        steps: Denoising steps; as many as in training.
        rng: Source of the noise.

    Returns:
        Samples, clipped to [-1, 1] as in training. [*shape] float32
    """
    betas = cosine_betas(steps)
    kept = np.cumprod(1.0 - betas)
    noisy = rng.standard_normal(shape)
    for k in reversed(range(steps)):
        noise = predict(noisy.astype(np.float32), k)
        clean = np.clip((noisy - math.sqrt(1 - kept[k]) * noise) / math.sqrt(kept[k]), -1, 1)
        if k == 0:
            return clean.astype(np.float32)
        # Mean and variance of the posterior, equations 6 and 7.
        before = kept[k - 1]
        mean = math.sqrt(before) * betas[k] * clean
        mean = (mean + math.sqrt(1 - betas[k]) * (1 - before) * noisy) / (1 - kept[k])
        variance = betas[k] * (1 - before) / (1 - kept[k])
        noisy = mean + math.sqrt(variance) * rng.standard_normal(shape)
    return noisy.astype(np.float32)
