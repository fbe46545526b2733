"""Narrower views of recorded clips, as cameras with other lenses would have seen the drive.

A camera with another field of view is re-projected on the robot: every ray keeps its pixel, and
rays that it does not see are black (`s2e_core.camera.Reprojector`). A view is made the same way,
through the intrinsics: a rectangle is cut out, resampled to the size of a cheaper sensor, and
re-projected. So waypoints, goals and free distances stay exactly right.
"""

from __future__ import annotations

import zlib

import numpy as np

from s2e_core.camera import CameraModel
from s2e_core.reprojection import Reprojector
from s2e_training.data.clip import Clip, ClipInfo

NARROWEST = 0.55, 0.35
"""Smallest width and height of a view, shares of the recorded one: 58 of 90 and 29 of 74 degrees.
Common colour cameras of robots see 69 by 42 to 55."""
COARSEST = 0.6
"""Fewest pixels across the cut rectangle, share of those it had."""
ASIDE = 0.25
"""How far the rectangle may lie off the middle, share of what was cut away."""


def clip_camera(info: ClipInfo) -> CameraModel:
    """Return the camera that a clip was recorded with."""
    return CameraModel(info.width, info.height, info.fx, info.fy, info.cx, info.cy)


def crop_camera(
    camera: CameraModel, left: int, top: int, width: int, height: int
) -> CameraModel:
    """Return the intrinsics of a rectangle cut out of an image, all in pixels."""
    return CameraModel(
        width, height, camera.fx, camera.fy, camera.cx - left, camera.cy - top
    )


def view_of(clip: Clip, view: int) -> np.ndarray:
    """Return one of a clip's views; the same number gives the same view each time.

    Args:
        clip: The clip.
        view: 0 is the clip as it was recorded.

    Returns:
        [N, H, W, 3] uint8
    """
    if view == 0:
        return clip.rgb
    # One lens for the whole clip: within a window the camera does not change.
    name = f'{clip.info.source} {clip.info.provenance.get("episode", "")}'
    rng = np.random.default_rng([view, zlib.crc32(name.encode())])
    full = clip_camera(clip.info)
    width, height = (
        round(side * rng.uniform(least, 1.0))
        for side, least in zip((full.width, full.height), NARROWEST, strict=True)
    )
    left, top = (
        round((whole - part) * (0.5 + rng.uniform(-ASIDE, ASIDE)))
        for whole, part in ((full.width, width), (full.height, height))
    )
    cut = crop_camera(full, left, top, width, height)
    share = rng.uniform(COARSEST, 1.0)
    sensor = cut.scaled(max(round(width * share), 1), max(round(height * share), 1))
    shrink, back = Reprojector(cut, sensor), Reprojector(sensor, full)
    result = np.empty_like(clip.rgb)
    for i, image in enumerate(clip.rgb):
        result[i] = back(shrink(np.ascontiguousarray(image[top:top + height, left:left + width])))
    return result
