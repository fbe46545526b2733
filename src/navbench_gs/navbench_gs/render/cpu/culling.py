"""Which blocks of which clouds may touch the image, front to back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import CLAMP_MARGIN
from navbench_gs.render.cpu.prepare import PreparedCloud, guard_pixels
from navbench_gs.render.cpu.project import visible_blocks

Layer = tuple[PreparedCloud, NDArray[np.floating]]
"""A prepared cloud and its `[4, 4]` scene <- cloud pose."""


@dataclass(frozen=True)
class Job:
    """Blocks of one prepared cloud."""

    cloud: PreparedCloud
    camera: NDArray[np.float32]
    """As the kernels read it; see `camera_vector`."""
    blocks: NDArray[np.int32]
    """The nearest first."""
    nearest: NDArray[np.float32]
    """Least z of the centres of each, metres."""


def visible(camera: RenderCamera, layers: Sequence[Layer]) -> list[Job]:
    """Cull the blocks of every layer; layers of which none is left give no job."""
    jobs = []
    optical = camera.scene_to_optical
    for cloud, pose in layers:
        if cloud.blocks == 0:
            continue
        vector = camera_vector(camera, optical @ pose)
        found = np.empty(cloud.blocks, dtype=np.int32)
        nearest = np.empty(cloud.blocks, dtype=np.float32)
        number = visible_blocks(vector, cloud.bounds, found, nearest)
        if number:
            # Front to back, so that items that are blended together lie together in memory:
            # halves the time to blend a 300 k street.
            order = np.argsort(nearest[:number], kind='stable')
            jobs.append(Job(cloud, vector, found[:number][order], nearest[:number][order]))
    return jobs


def camera_vector(
    camera: RenderCamera, optical_from_cloud: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Pack a camera as the kernels read it, for a cloud at a rigid `[4, 4]` optical <- cloud."""
    rotation = optical_from_cloud[:3, :3]
    eye = -rotation.T @ optical_from_cloud[:3, 3]
    margin_x = CLAMP_MARGIN * 0.5 * camera.width / camera.fx
    margin_y = CLAMP_MARGIN * 0.5 * camera.height / camera.fy
    tangents = [
        -camera.cx / camera.fx - margin_x,
        (camera.width - camera.cx) / camera.fx + margin_x,
        -camera.cy / camera.fy - margin_y,
        (camera.height - camera.cy) / camera.fy + margin_y,
    ]
    lens = [camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height, camera.near]
    values = [*rotation.ravel(), *eye, *lens, *tangents, guard_pixels()]
    return np.array(values, dtype=np.float32)
