"""How bodies turn and legs swing while people move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRIDE = 1.4
"""Length of a walking cycle (two steps) at walking pace, metres."""
TURN_RATE = 3.0
"""Fastest turn of a body, rad/s."""
STANDING = 0.15
"""Slower than this the legs stand, m/s."""

Floats = NDArray[np.float64]


def walk_on(phases: Floats, yaw: Floats, velocities: Floats, dt: float) -> tuple[Floats, Floats]:
    """Advance gait phases and turn bodies towards where they go.

    Args:
        phases: In [0, 1). [P]
        yaw: Map, radians. [P]
        velocities: Map, m/s. [P, 2]
        dt: Seconds.

    Returns:
        The new phases and headings.
    """
    speed = np.hypot(velocities[:, 0], velocities[:, 1])
    phases = (phases + speed * dt / STRIDE) % 1.0
    heading = np.arctan2(velocities[:, 1], velocities[:, 0])
    turn = np.remainder(heading - yaw + np.pi, 2.0 * np.pi) - np.pi
    turn = np.clip(turn, -TURN_RATE * dt, TURN_RATE * dt)
    return phases, np.where(speed > STANDING, yaw + turn, yaw)


def shown_phases(phases: Floats, velocities: Floats) -> list[float | None]:
    """Return the gait phase of each person in [0, 1), None for one who stands."""
    speed = np.hypot(*velocities.T)
    return [
        float(phase) if pace > STANDING else None
        for phase, pace in zip(phases, speed, strict=True)
    ]
