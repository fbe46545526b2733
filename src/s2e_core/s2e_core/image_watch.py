"""A camera that delivers, but shows nothing: frozen or blank pictures."""

from __future__ import annotations

import cv2
import numpy as np

from s2e_core.se2 import Pose2, wrap_angle

# At 0.3 m/s and 10 Hz the second equal picture comes after 6 cm, within 300 ms of the last good
# one; a robot that stands still may see the same picture for ever.
FROZEN_DISTANCE = 0.05
"""Metres by odometry under one picture that make it a frozen one."""
PIECE = 16_384
"""Bytes that are compared at once."""
FROZEN_TURN = 0.05
"""The same for turning, radians: 16 pixels of 320 over 90 degrees are 0.08 rad."""
BLANK_SPREAD = 2.0
"""Standard deviation of grey, of 255, below which nothing can be seen: a capped lens has the
sensor's noise of 1 to 2 grey levels, a plastered wall in the sun about 5."""


class FrozenWatch:
    """Finds pictures that stay the same to the byte while odometry says that the robot moves."""

    def __init__(self) -> None:
        """Start without a picture."""
        self._pixels: np.ndarray | None = None
        self._pose = Pose2()

    def clear(self) -> None:
        """Forget the last picture."""
        self._pixels = None

    def add(self, pixels: np.ndarray, pose: Pose2) -> str:
        """Take a picture; say how far the robot went under it, if that is too far.

        Args:
            pixels: Its bytes, raw or compressed. [N] uint8
            pose: odom <- base_link, as good as known.
        """
        last = self._pixels
        if last is None or not _same(last, pixels):
            self._pixels, self._pose = pixels, pose
            return ''
        moved = pose.distance_to((self._pose.x, self._pose.y))
        turned = abs(wrap_angle(pose.yaw - self._pose.yaw))
        if moved <= FROZEN_DISTANCE and turned <= FROZEN_TURN:
            return ''
        return f'the same picture while the robot went {moved:.2f} m and turned {turned:.2f} rad'


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare bytes in pieces: of two pictures the first piece differs, and no memory is taken."""
    if a.shape != b.shape:
        return False
    return all(np.array_equal(a[i : i + PIECE], b[i : i + PIECE]) for i in range(0, len(a), PIECE))


def blank(rgb: np.ndarray) -> str:
    """Say what a picture without content looks like, or nothing for one with content.

    Args:
        rgb: Image. [H, W, 3] uint8
    """
    pixels = np.ascontiguousarray(rgb).reshape(-1, 3)
    grey = cv2.reduce(pixels, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
    mean, deviation = cv2.meanStdDev(grey)
    spread = float(deviation[0, 0])
    if spread >= BLANK_SPREAD:
        return ''
    return f'blank picture: grey {mean[0, 0]:.0f} of 255, standard deviation {spread:.1f}'
