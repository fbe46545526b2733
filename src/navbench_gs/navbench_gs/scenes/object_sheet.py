"""How well an object's body agrees with its look: numbers, and a sheet of pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.scenes.hull import inside, matter_points
from navbench_gs.scenes.preview import look
from navbench_gs.scenes.solids import box
from navbench_gs.scenes.thing import SceneObject, Slab
from navbench_gs.splats.cloud import GaussianCloud

Image = NDArray[np.uint8]

MARGIN = 0.02
"""A point this far outside of a body still counts as inside, metres."""
VIEWS = 4
"""Directions from which an object is drawn."""
EDGE = 320
"""Of a picture, pixels."""


@dataclass(frozen=True)
class Agreement:
    """Body and look of one object, each a share in [0, 1]."""

    inside: float
    """Of the surface above the floor that lies in the body."""
    overlap: float
    """Intersection over union of the silhouettes, mean over the views."""


def agreement(made: SceneObject) -> Agreement:
    """Compare an object's layers with its splats."""
    points, weights = matter_points(made.cloud)
    above = points[:, 2] > 0.0
    held = inside(made.slabs, points, MARGIN) & above
    renderer = make_renderer(made.cloud)
    shares = []
    for camera in _cameras(made.cloud):
        seen = renderer.render(camera).alpha > 0.5
        body = _silhouette(made.slabs, camera)
        shares.append(float((seen & body).sum() / max(int((seen | body).sum()), 1)))
    return Agreement(float(weights[held].sum() / weights[above].sum()), float(np.mean(shares)))


def write_sheet(path: Path, cloud: GaussianCloud, made: SceneObject | None) -> Path:
    """Draw an object on a floor from four sides; below, with the outlines of its body.

    Raises:
        SceneError: the file cannot be written.
    """
    half = 0.75 * float(np.abs(cloud.means).max())
    floor = box((0.0, 0.0, -0.02), (2.0 * half, 2.0 * half, 0.01), (0.6, 0.6, 0.58), half / 20)
    tiles = np.floor(floor.points[:, :2] / 0.25).sum(axis=1) % 2.0
    tiled = floor.with_colours(floor.colours * (0.8 + 0.2 * tiles[:, None]))
    renderer = make_renderer(GaussianCloud.concatenate([cloud, tiled.cloud()]),
                             background=(0.93, 0.95, 0.98))
    cameras = _cameras(cloud)
    rows = [np.concatenate([renderer.render(camera).rgb for camera in cameras], axis=1)]
    if made is not None:
        drawn = [_outlined(renderer.render(camera).rgb, made.slabs, camera) for camera in cameras]
        rows.append(np.concatenate(drawn, axis=1))
    data = cv2.imencode('.png', cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SceneError(f'{path}: cannot write the picture: {error}') from error
    return path


def _cameras(cloud: GaussianCloud) -> list[RenderCamera]:
    """Return cameras around an object, a little above its middle."""
    high = float(cloud.means[:, 2].max())
    size = max(high, 2.0 * float(np.hypot(*cloud.means[:, :2].T).max()))
    away = 2.2 * size
    cameras = []
    for number in range(VIEWS):
        yaw = 2.0 * math.pi * number / VIEWS + 0.4
        pose = look(-away * math.cos(yaw), -away * math.sin(yaw), 0.5 * high + 0.2 * size, yaw,
                    0.2 / 2.2)
        cameras.append(RenderCamera.from_fov(EDGE, EDGE, 0.6, pose))
    return cameras


def _corners(slab: Slab, camera: RenderCamera) -> NDArray[np.int32]:
    """Return the corners of a slab in a picture, lower outline first. `[2K, 2]` pixels"""
    points = np.array([(x, y, z) for z in (slab.bottom, slab.top) for x, y in slab.outline])
    seen = (points - camera.pose[:3, 3]) @ camera.pose[:3, :3]
    pixels = seen[:, :2] / seen[:, 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    return np.round(pixels).astype(np.int32)


def _silhouette(slabs: tuple[Slab, ...], camera: RenderCamera) -> NDArray[np.bool_]:
    """Return the pixels that a body covers."""
    mask = np.zeros((camera.height, camera.width), dtype=np.uint8)
    for slab in slabs:
        cv2.fillConvexPoly(mask, cv2.convexHull(_corners(slab, camera)), 1)
    return np.asarray(mask > 0)


def _outlined(picture: Image, slabs: tuple[Slab, ...], camera: RenderCamera) -> Image:
    """Draw the outlines of a body over a picture."""
    out = picture.copy()
    for slab in slabs:
        corners = _corners(slab, camera)
        half = len(corners) // 2
        for ring in (corners[:half], corners[half:]):
            cv2.polylines(out, [ring[:, None]], True, (230, 60, 30), 1, cv2.LINE_AA)
    return np.asarray(out, dtype=np.uint8)
