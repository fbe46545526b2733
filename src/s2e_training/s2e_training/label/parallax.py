"""Whether the camera moved at all: what a rotation alone cannot explain."""

from __future__ import annotations

import numpy as np

from s2e_core.camera import CameraModel
from s2e_training.label.views import Views

MOVED = 1.5
"""Median residual of the best rotation, pixels, beyond which the camera moved.

A step of 0.1 m past a wall 4 m to the side moves it by 0.1 / 4 x 200 px/rad = 5 px; errors of
the tracker stay well under a pixel.
"""
SHARE = 0.1
"""Share of the pairs that must show it."""


def has_parallax(views: Views, camera: CameraModel) -> bool:
    """Whether enough pairs of views differ by more than a rotation."""
    rays = [_rays(points, camera) for points in views.points]
    residuals = [
        rotation_residual(rays[i][match[:, 0]], rays[j][match[:, 1]]) * camera.fx
        for i, j, match in views.pairs()
    ]
    return bool(residuals) and float(np.mean(np.array(residuals) > MOVED)) > SHARE


def rotation_residual(a: np.ndarray, b: np.ndarray) -> float:
    """Return the median angle left between rays after the best rotation, radians.

    Args:
        a: Unit rays. [M, 3]
        b: The same points' rays in the other view. [M, 3]
    """
    kept, angles = np.ones(len(a), bool), np.zeros(len(a))
    # Kabsch's rotation, again over the better half: near points must not bend it.
    for _ in range(3):
        u, _, vt = np.linalg.svd(b[kept].T @ a[kept])
        turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
        angles = np.linalg.norm(a @ turn.T - b, axis=1)
        kept = angles <= np.median(angles)
    return float(np.median(angles))


def _rays(points: np.ndarray, camera: CameraModel) -> np.ndarray:
    x = (points[:, 0] + 0.5 - camera.cx) / camera.fx
    y = (points[:, 1] + 0.5 - camera.cy) / camera.fy
    rays = np.stack([x, y, np.ones_like(x)], axis=1).astype(np.float64)
    return np.asarray(rays / np.linalg.norm(rays, axis=1, keepdims=True))
