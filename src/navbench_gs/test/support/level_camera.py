"""A camera that looks along the floor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from navbench_gs.render import RenderCamera


def level_camera(
    position: Sequence[float], yaw: float = 0.0, size: int = 64, degrees: float = 90.0
) -> RenderCamera:
    """Return a square pinhole.

    Args:
        position: Where it stands. [3] metres
        yaw: Where it looks, radians from +x to +y.
        size: Pixels.
        degrees: Its width.
    """
    ahead = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
    pose[:3, 3] = position
    return RenderCamera.from_fov(size, size, np.radians(degrees), pose)
