"""What a picture says about itself: blurred, frozen."""

from __future__ import annotations

import cv2
import numpy as np

FROZEN = 0.15
"""Mean grey difference under which two pictures are the same one.

Far below a sensor's noise, yet above what a codec adds to a repeated frame.
"""
BLURRED = 0.35
"""Sharpness relative to the sharper neighbours under which a picture is blurred."""
NEIGHBOURS = 60
"""Pictures on each side that are compared: 4 s at 15 Hz, longer than a blur lasts."""
SHARPER = 75.0
"""Percentile of the neighbours that counts as sharp: half of them may be blurred too."""


def sharpness(grey: np.ndarray) -> float:
    """Return the product of the second derivatives' spreads along x and y. grey [H, W] uint8

    Motion blurs along one axis only: a sum would still see the edges along the motion.
    """
    along = [float(cv2.Sobel(grey, cv2.CV_32F, *order).std()) for order in ((2, 0), (0, 2))]
    return along[0] * along[1]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean absolute difference of two grey pictures, grey levels."""
    return float(cv2.norm(a, b, cv2.NORM_L1)) / a.size


def blurred(values: np.ndarray) -> np.ndarray:
    """Tell the blurred pictures among sharpness values. [N] -> [N] bool"""
    found = np.zeros(len(values), bool)
    for index, value in enumerate(values):
        low = max(0, index - NEIGHBOURS)
        found[index] = value < BLURRED * np.percentile(
            values[low:index + NEIGHBOURS + 1], SHARPER
        )
    return found
