"""What the mapper sees of a chunk: image points and which of them are the same."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

REJECT_CUT, REJECT_BLUR, REJECT_FROZEN = 'cut', 'blur', 'frozen'
OFFSETS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Pairs that are matched; the far ones bring the parallax."""
SIFT_OFFSETS = (1, 2, 3, 4)
RATIO = 0.75
"""Lowe's ratio: the nearest descriptor must be this much nearer than the second."""


@dataclass
class Views:
    """The mapped frames of a chunk."""

    numbers: list[int] = field(default_factory=list)
    """Frame numbers in the video."""
    seconds: list[float] = field(default_factory=list)
    points: list[np.ndarray] = field(default_factory=list)
    """OpenCV pixels. [P, 2] each"""
    ids: list[np.ndarray] = field(default_factory=list)
    """Track of each point (klt)."""
    descriptors: list[np.ndarray] = field(default_factory=list)
    """Of each point (sift)."""
    scene: list[int] = field(default_factory=list)
    """Rises at each cut."""
    rejected: dict[int, str] = field(default_factory=dict)
    """Frame number -> reason, for every frame that is not used."""
    bounds: list[int] = field(default_factory=list)
    """Frame numbers at which a cut lies."""

    def pairs(self) -> list[tuple[int, int, np.ndarray]]:
        """Return (i, j, matches [M, 2] uint32) of pairs within a scene."""
        found = []
        offsets = SIFT_OFFSETS if self.descriptors else OFFSETS
        for i in range(len(self.points)):
            for j in (i + offset for offset in offsets):
                if j < len(self.points) and self.scene[i] == self.scene[j]:
                    match = self.match(i, j)
                    if len(match) >= 20:
                        found.append((i, j, match))
        return found

    def match(self, i: int, j: int) -> np.ndarray:
        """Return indices of equal points in views i and j. [M, 2] uint32"""
        if not self.descriptors:
            _, a, b = np.intersect1d(self.ids[i], self.ids[j], return_indices=True)
            return np.stack([a, b], axis=1).astype(np.uint32)
        one, two = self.descriptors[i], self.descriptors[j]
        if len(one) < 2 or len(two) < 2:
            return np.zeros((0, 2), np.uint32)
        best = cv2.BFMatcher(cv2.NORM_L2).knnMatch(one, two, k=2)
        good = [(a.queryIdx, a.trainIdx) for a, b in best if a.distance < RATIO * b.distance]
        _, first = np.unique([b for _, b in good], return_index=True)
        return np.array(good, np.uint32).reshape(-1, 2)[first]
