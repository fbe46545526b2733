"""Corners followed from picture to picture (pyramidal Lucas-Kanade, checked backwards)."""

from __future__ import annotations

import cv2
import numpy as np

PER_CELL = 2
CELLS = 20
"""Cells across the picture: corners everywhere, so that the ground has its share."""
BACKWARD = 0.7
"""Largest distance between a corner and its image tracked forth and back, pixels."""
WEAKEST = 2e-5
"""Smallest eigenvalue of a corner in a contrast-equalised picture; lower is noise."""
_STOP = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 30, 0.01)


class Tracker:
    """Follows corners; where a cell has too few, new ones are found."""

    def __init__(self) -> None:
        """Start without a picture."""
        self.ids = np.zeros(0, np.int64)
        self.points = np.zeros((0, 2), np.float32)
        self._next = 0
        self._last: np.ndarray | None = None
        # Dusk and glare: without equalisation half of the cells of a dark street stay empty.
        self._equalise = cv2.createCLAHE(3.0, (8, 8))

    def step(self, grey: np.ndarray) -> float:
        """Take the next picture.

        Args:
            grey: [H, W] uint8

        Returns:
            Share of the corners that were found again, 1 for the first picture.
        """
        image = self._equalise.apply(grey)
        share = 1.0
        if self._last is not None and len(self.points):
            before = len(self.points)
            self._follow(self._last, image)
            share = len(self.points) / before
        self._refill(image)
        self._last = image
        return share

    def forget(self) -> None:
        """Drop all corners: what comes next is another scene."""
        self.ids, self.points = self.ids[:0], self.points[:0]
        self._last = None

    def _follow(self, last: np.ndarray, image: np.ndarray) -> None:
        ahead, seen = _flow(last, image, self.points[:, None])
        back, again = _flow(image, last, ahead)
        ahead, height, width = ahead[:, 0], *image.shape
        kept = (seen[:, 0] > 0) & (again[:, 0] > 0)
        kept &= np.abs(back[:, 0] - self.points).max(axis=1) < BACKWARD
        kept &= (ahead > 2).all(axis=1) & (ahead[:, 0] < width - 3) & (ahead[:, 1] < height - 3)
        self.ids, self.points = self.ids[kept], ahead[kept]

    def _refill(self, image: np.ndarray) -> None:
        height, width = image.shape
        cell = max(16, width // CELLS)
        strength = cv2.cornerMinEigenVal(image, 3)
        strength[:6], strength[-6:], strength[:, :6], strength[:, -6:] = 0, 0, 0, 0
        apart = cell // 3
        for x, y in self.points.astype(int):
            cv2.circle(strength, (int(x), int(y)), apart, 0, -1)
        count = np.zeros((height // cell + 1, width // cell + 1), int)
        np.add.at(count, tuple((self.points[:, ::-1] // cell).astype(int).T), 1)
        found = []
        for row, column in zip(*np.nonzero(count < PER_CELL), strict=True):
            patch = strength[row * cell:(row + 1) * cell, column * cell:(column + 1) * cell]
            for _ in range(PER_CELL - count[row, column] if patch.size else 0):
                y, x = np.unravel_index(int(patch.argmax()), patch.shape)
                if patch[y, x] < WEAKEST:
                    break
                found.append((x + column * cell, y + row * cell))
                cv2.circle(strength, (int(found[-1][0]), int(found[-1][1])), apart, 0, -1)
        if not found:
            return
        new = np.array(found, np.float32)
        self.ids = np.concatenate([self.ids, self._next + np.arange(len(new))])
        self.points = np.concatenate([self.points, new])
        self._next += len(new)


def _flow(a: np.ndarray, b: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Follow points [P, 1, 2] from a to b: where they are [P, 1, 2], whether found [P, 1]."""
    ahead, found, _ = cv2.calcOpticalFlowPyrLK(
        a, b, points, np.zeros_like(points), winSize=(15, 15), maxLevel=4, criteria=_STOP,
        minEigThreshold=1e-4,
    )
    return np.asarray(ahead), np.asarray(found)
