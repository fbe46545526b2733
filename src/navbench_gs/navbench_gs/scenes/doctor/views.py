"""Pictures that show a scene's faults: floor tinted where a robot may drive, heights in colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.renderer import Renderer
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.preview import EYE, PITCH, look

Image = NDArray[np.uint8]
_FREE = np.array([40, 210, 70], dtype=np.float32)
_TAKEN = np.array([230, 40, 40], dtype=np.float32)


def tinted_view(
    renderer: Renderer,
    grid: CollisionMap,
    xy: NDArray[np.floating],
    yaw: float,
    radius: float,
    size: tuple[int, int] = (480, 360),
) -> Image:
    """Draw what a robot sees, the floor green where it may be and red where it may not.

    What stands on the floor keeps its colours: a wall that is tinted, or grass that is green,
    shows at a glance that map and picture disagree.
    """
    z = float(grid.floor(np.asarray(xy)[None])[0]) + EYE
    pose = look(float(xy[0]), float(xy[1]), z, yaw, PITCH)
    camera = RenderCamera.from_fov(size[0], size[1], np.pi / 2.0, pose)
    frame = renderer.render(camera)
    u, v = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    depth = np.where(np.isfinite(frame.depth), frame.depth, 0.0)
    rays = np.stack(
        [(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1
    )
    points = (rays * depth[..., None]) @ pose[:3, :3].T + pose[:3, 3]
    ground = points[..., :2].reshape(-1, 2)
    inside = grid.inside(ground)
    cell = grid.cell(ground[inside])
    level = np.zeros(len(ground), dtype=bool)
    level[inside] = (
        np.abs(points[..., 2].reshape(-1)[inside] - grid.height[cell[:, 0], cell[:, 1]]) < 0.15
    )
    level &= depth.reshape(-1) > 0.0
    free = np.zeros(len(ground), dtype=bool)
    free[inside] = grid.free(radius)[cell[:, 0], cell[:, 1]]
    picture = frame.rgb.reshape(-1, 3).astype(np.float32)
    for mask, colour in ((level & free, _FREE), (level & ~free, _TAKEN)):
        picture[mask] = 0.7 * picture[mask] + 0.3 * colour
    return picture.astype(np.uint8).reshape(frame.rgb.shape)


def height_picture(grid: CollisionMap, free: NDArray[np.bool_], width: int = 900) -> Image:
    """Draw the floor's height where it is free, from blue (lowest) to yellow (highest)."""
    heights = grid.height.astype(np.float64)
    known = heights[free] if free.any() else heights.ravel()
    low, high = np.percentile(known, [1.0, 99.0])
    levels = np.clip((heights - low) / max(high - low, 0.05), 0.0, 1.0)
    coloured = cv2.applyColorMap((255 * levels).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    coloured = np.where(free[..., None], coloured, 235).astype(np.uint8)
    size = (width, max(1, round(width * heights.shape[0] / heights.shape[1])))
    picture = cv2.resize(
        np.ascontiguousarray(coloured[::-1]), size, interpolation=cv2.INTER_NEAREST
    )
    text = f'{low:+.2f} m (blue) to {high:+.2f} m (yellow)'
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, text, (12, size[1] - 14), font, 0.6, (255, 255, 255), 4, cv2.LINE_AA)
    cv2.putText(picture, text, (12, size[1] - 14), font, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
    return np.asarray(picture, dtype=np.uint8)


def draw_route(picture: Image, grid: CollisionMap, route: NDArray[np.floating]) -> Image:
    """Draw a route over a top view."""
    x0, _, x1, y1 = grid.bounds
    scale = picture.shape[1] / (x1 - x0)
    pixels = np.stack([(route[:, 0] - x0) * scale, (y1 - route[:, 1]) * scale], axis=-1)
    line = np.round(pixels).astype(np.int32)[:, None]
    out = picture.copy()
    cv2.polylines(out, [line], False, (255, 255, 255), 5, cv2.LINE_AA)
    cv2.polylines(out, [line], False, (30, 90, 235), 3, cv2.LINE_AA)
    return np.asarray(out, dtype=np.uint8)
