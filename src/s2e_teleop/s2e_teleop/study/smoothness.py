"""How smooth and how decided a drive was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating]

CUTOFF = 10.0
"""Highest frequency that counts, Hz (Balasubramanian et al. 2015)."""
THRESHOLD = 0.05
"""Least share of the spectrum's peak that counts (the same)."""
PADDING = 4
"""Zeros are added up to this power of two above the length (the same)."""
DEAD_BAND = 0.05
"""Yaw rates below this are straight, rad/s: odometry and gait wobble by half of it."""
STANDING = 0.05
"""Speeds below this are standing, m/s."""


def spectral_arc_length(speed: Float, dt: float) -> float:
    """Return SPARC, a negative number: the nearer to 0 the smoother.

    The arc length of the speed's normalised Fourier magnitude, up to the last frequency that
    matters (Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet 2015, eq. 3-5). It does not
    depend on the size of the speed or on the drive's length, as jerk does.

    Args:
        speed: m/s. [N]
        dt: Seconds between two of them.

    Returns:
        NaN where nothing moved.
    """
    speed = np.asarray(speed, np.float64)
    if len(speed) < 2 or not np.abs(speed).max() > 0.0:
        return float('nan')
    count = int(2 ** (np.ceil(np.log2(len(speed))) + PADDING))
    frequency = np.arange(count) / (dt * count)
    magnitude = np.abs(np.fft.fft(speed, count))
    magnitude = magnitude / magnitude.max()
    frequency, magnitude = frequency[frequency <= CUTOFF], magnitude[frequency <= CUTOFF]
    counted = np.flatnonzero(magnitude >= THRESHOLD)
    last = counted[-1] + 1
    frequency, magnitude = frequency[counted[0]:last], magnitude[counted[0]:last]
    if len(frequency) < 2:
        return 0.0
    steps = np.diff(frequency) / (frequency[-1] - frequency[0])
    return -float(np.sqrt(steps**2 + np.diff(magnitude) ** 2).sum())


def reversals(yaw_rate: Float, dt: float) -> float:
    """Return how often the steering changed sides, per minute.

    Args:
        yaw_rate: rad/s. [N]
        dt: Seconds between two of them.
    """
    sides = np.sign(np.where(np.abs(yaw_rate) < DEAD_BAND, 0.0, yaw_rate))
    sides = sides[sides != 0.0]
    minutes = len(yaw_rate) * dt / 60.0
    return float((np.diff(sides) != 0.0).sum()) / minutes if minutes > 0.0 else 0.0


def idle_time(speed: Float, dt: float) -> float:
    """Return the seconds spent standing. [N] m/s"""
    return float((np.abs(speed) < STANDING).sum()) * dt
