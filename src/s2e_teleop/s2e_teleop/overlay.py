"""What is drawn over the video, and what a click in it means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2e_core.camera import CameraModel, CameraMount, project
from s2e_core.contract import PolicyOutput

DRAWN = 12
"""Modes that are drawn; more hide each other, and the view."""
NEAR = 0.15
"""Points nearer to the camera than this are not drawn, metres."""
CLICK_REACH = 10.0
"""Farthest goal of a click, metres: a pixel is d^2 / (h f) = 10^2 / (0.6 x 160) = 1 m of
ground there with coco's camera."""


@dataclass(frozen=True)
class Line:
    """A line over the video."""

    points: list[list[float]]
    """Shares of the picture's width and height, rounded to a 10000th. [N][2]"""
    share: float
    """Score, as a share of the best one's."""
    chosen: bool
    """Whether the robot follows it."""


def lines_from_modes(
    output: PolicyOutput, chosen: int | None, camera: CameraModel, mount: CameraMount
) -> list[Line]:
    """Lay the best modes on the ground in front of the camera; the chosen one comes last.

    Args:
        output: What the policy answered, base_link.
        chosen: Index of the mode that is followed.
        camera: Intrinsics of the video.
        mount: Place of the camera.
    """
    order = np.argsort(-output.scores, kind='stable')[:DRAWN].tolist()
    if chosen is not None:
        order = [index for index in order if index != chosen]
        order.insert(0, chosen)
    top = float(output.scores.max()) or 1.0
    lines = []
    for index in reversed(order):
        points = np.vstack([np.zeros((1, 2)), output.modes[index]])
        pixels = _on_ground(points, camera, mount)
        if len(pixels) > 1:
            share = float(output.scores[index]) / top
            lines.append(Line(pixels, share, index == chosen))
    return lines


def lines_from_path(points: np.ndarray, camera: CameraModel, mount: CameraMount) -> list[Line]:
    """Lay the path that is followed on the ground; none if nothing of it is in view.

    Args:
        points: base_link, metres. [T, 2]
        camera: Intrinsics of the video.
        mount: Place of the camera.
    """
    pixels = _on_ground(np.asarray(points, np.float64).reshape(-1, 2), camera, mount)
    return [Line(pixels, 1.0, True)] if len(pixels) > 1 else []


def point_of_goal(
    point: np.ndarray, camera: CameraModel, mount: CameraMount
) -> list[float] | None:
    """Return where a goal lies in the picture, or None if it is out of view.

    Args:
        point: base_link, metres. [2]
        camera: Intrinsics of the video.
        mount: Place of the camera.
    """
    pixels = _on_ground(np.asarray(point, np.float64)[None], camera, mount)
    if not pixels or not (0 <= pixels[0][0] <= 1 and 0 <= pixels[0][1] <= 1):
        return None
    return pixels[0]


def ground_of_click(
    u: float, v: float, camera: CameraModel, mount: CameraMount
) -> np.ndarray | None:
    """Return the ground that is seen at a point of the picture, base_link, metres. [2]

    Args:
        u: Share of the width, from the left.
        v: Share of the height, from the top.
        camera: Intrinsics of the video.
        mount: Place of the camera.

    Returns:
        None above the horizon or past `CLICK_REACH`.
    """
    ray = np.array([
        (u * camera.width - camera.cx) / camera.fx, (v * camera.height - camera.cy) / camera.fy,
        1.0,
    ])
    pose = mount.base_from_optical()
    direction = pose[:3, :3] @ ray
    if direction[2] >= -1e-6:
        return None
    point = pose[:2, 3] + direction[:2] * (mount.z / -direction[2])
    return point if float(np.hypot(*point)) <= CLICK_REACH else None


def _on_ground(
    points: np.ndarray, camera: CameraModel, mount: CameraMount
) -> list[list[float]]:
    ground = np.column_stack([points, np.zeros(len(points))])
    pixels, _ = project(camera, mount, ground, near=NEAR)
    shares = pixels / (camera.width, camera.height)
    # Far outside the picture a line runs off it all the same.
    seen = np.isfinite(shares).all(axis=1) & (np.abs(shares) < 5).all(axis=1)
    return np.round(shares[seen], 4).tolist()
