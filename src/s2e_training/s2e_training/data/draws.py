"""How often each training sample is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2e_core.contract import WAYPOINT_DT, WAYPOINTS

TURN = 0.5
"""Bearing of the label's end that counts as a full turn, radians."""
BRISK = 1.0
"""Labels with this mean speed or more do not brake, m/s: two thirds of the teacher's top speed."""


@dataclass(frozen=True)
class DrawWeights:
    """Weights of the draws; the default draws all samples alike."""

    turn: float = 0.0
    """Draws of a sample whose label turns fully, on top of once."""
    brake: float = 0.0
    """Draws of a sample whose label stands, on top of once."""
    folders: tuple[int, ...] = ()
    """Folder of each clip, as an index into `shares`."""
    shares: tuple[float, ...] = ()
    """Share of the draws that each folder gets, whatever it holds; by size when empty."""

    def of(self, plans: np.ndarray, owner: np.ndarray) -> np.ndarray:
        """Weigh samples.

        Args:
            plans: Waypoints, base_link, metres. [S, T, 2]
            owner: Clip of each sample. [S]

        Returns:
            Positive weights, up to a common factor. [S]
        """
        bearing = np.abs(np.arctan2(plans[:, -1, 1], plans[:, -1, 0]))
        steps = np.diff(plans, axis=1, prepend=0.0)
        speed = np.hypot(steps[..., 0], steps[..., 1]).sum(axis=1) / (WAYPOINTS * WAYPOINT_DT)
        weight: np.ndarray = (
            1.0 + self.turn * np.minimum(bearing / TURN, 1.0)
            + self.brake * np.maximum(1.0 - speed / BRISK, 0.0)
        )
        if self.shares:
            folder = np.asarray(self.folders)[owner]
            held = np.bincount(folder, weight, minlength=len(self.shares))
            weight = weight * np.asarray(self.shares)[folder] / held[folder]
        return weight
