"""Draws anchors over the end points they were made from."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = 900
"""Edge of the picture, pixels."""
SHOWN = 400
"""Trajectories drawn as lines."""


def draw_anchors(anchors: np.ndarray, trajectories: np.ndarray) -> np.ndarray:
    """Draw the robot's view from above: x up, y left.

    Args:
        anchors: Intent points, metres. [M, 2]
        trajectories: Waypoints, metres. [N, T, 2]

    Returns:
        RGB picture. [SIZE, SIZE, 3] uint8
    """
    ends = trajectories[:, -1]
    far = float(np.percentile(ends[:, 0], 99.9)) + 0.5
    scale = SIZE / max(far + 1.0, 2.0)
    image = np.full((SIZE, SIZE, 3), 255, np.uint8)
    _draw_grid(image, scale)
    picked = np.linspace(0, len(trajectories) - 1, min(SHOWN, len(trajectories))).astype(int)
    for path in trajectories[picked]:
        points = _pixels(np.concatenate([np.zeros((1, 2)), path]), scale)
        cv2.polylines(image, [points], False, (205, 220, 235), 1, cv2.LINE_AA)
    nearest = np.argmin(np.linalg.norm(ends[:, None] - anchors[None], axis=-1), axis=1)
    count = np.bincount(nearest, minlength=len(anchors))
    for index, (x, y) in enumerate(_pixels(anchors, scale)):
        radius = int(4 + 12 * np.sqrt(count[index] / count.max()))
        colour = (200, 40, 40) if index == 0 else (30, 90, 200)
        cv2.circle(image, (int(x), int(y)), radius, colour, -1, cv2.LINE_AA)
    text = f'{len(anchors)} anchors, {len(trajectories)} samples; area: share of samples'
    cv2.putText(image, text, (12, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (60, 60, 60), 1, cv2.LINE_AA)
    return image


def _draw_grid(image: np.ndarray, scale: float) -> None:
    for metre in range(int(SIZE / scale) + 1):
        _, row = _pixels(np.array([[float(metre), 0.0]]), scale)[0]
        cv2.line(image, (0, int(row)), (SIZE, int(row)), (238, 238, 238), 1)
        cv2.putText(image, f'{metre} m', (6, int(row) - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
                    (150, 150, 150), 1, cv2.LINE_AA)


def _pixels(points: np.ndarray, scale: float) -> np.ndarray:
    """Metres in base_link to whole pixels. [N, 2]"""
    column = SIZE / 2 - points[:, 1] * scale
    row = SIZE - 0.5 * scale - points[:, 0] * scale
    return np.stack([column, row], axis=1).round().astype(np.int32)
