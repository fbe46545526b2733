"""Which blocks of which clouds may touch the image, front to back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import CLAMP_MARGIN
from navbench_gs.render.cpu.prepare import PreparedCloud, guard_pixels
from navbench_gs.render.cpu.project import CAMERA_SIZE, sort_few, visible_blocks

FEW = 64
"""Up to so many blocks are sorted by insertion, which takes less time than a call of NumPy's."""

Layer = tuple[PreparedCloud, NDArray[np.floating]]
"""A prepared cloud and its `[4, 4]` scene <- cloud pose."""


@dataclass(frozen=True)
class Job:
    """Blocks of one prepared cloud."""

    cloud: PreparedCloud
    camera: NDArray[np.float32]
    """As the kernels read it; see `camera_vectors`."""
    blocks: NDArray[np.int32]
    """The nearest first."""
    nearest: NDArray[np.float32]
    """Least z of the centres of each, metres."""


def visible(camera: RenderCamera, layers: Sequence[Layer]) -> list[Job]:
    """Cull the blocks of every layer; layers of which none is left give no job."""
    jobs: list[Job] = []
    layers = [layer for layer in layers if layer[0].blocks]
    if not layers:
        return jobs
    poses = camera.scene_to_optical @ np.stack([pose for _, pose in layers])
    for (cloud, _), vector in zip(layers, camera_vectors(camera, poses), strict=True):
        found = np.empty(cloud.blocks, dtype=np.int32)
        nearest = np.empty(cloud.blocks, dtype=np.float32)
        number = visible_blocks(vector, cloud.bounds, found, nearest)
        if not number:
            continue
        # Front to back, so that items that are blended together lie together in memory:
        # halves the time to blend a 300 k street.
        found, nearest = found[:number], nearest[:number]
        if number > FEW:
            order = np.argsort(nearest, kind='stable')
            found, nearest = found[order], nearest[order]
        else:
            sort_few(found, nearest)
        jobs.append(Job(cloud, vector, found, nearest))
    return jobs


def camera_vectors(
    camera: RenderCamera, optical_from_cloud: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Pack a camera as the kernels read it, for clouds at rigid `[N, 4, 4]` optical <- cloud.

    Returns:
        `[N, CAMERA_SIZE]`
    """
    rotation = optical_from_cloud[:, :3, :3]
    margin_x = CLAMP_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = CLAMP_MARGIN * 0.5 * camera.height / camera.fy
    vectors = np.empty((len(rotation), CAMERA_SIZE), dtype=np.float32)
    vectors[:, :9] = rotation.reshape(-1, 9)
    vectors[:, 9:12] = (-rotation.transpose(0, 2, 1) @ optical_from_cloud[:, :3, 3:])[:, :, 0]
    vectors[:, 12:] = [
        camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height, camera.near,
        -camera.cx / camera.fx - margin_x,
        (camera.width - camera.cx) / camera.fx + margin_x,
        -camera.cy / camera.fy - margin_y,
        (camera.height - camera.cy) / camera.fy + margin_y,
        guard_pixels(),
    ]
    return vectors
