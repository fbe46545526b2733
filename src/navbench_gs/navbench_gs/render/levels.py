"""Mode `coarse`: the farther a part of the world, the fewer gaussians it is drawn of.

The world is cut into cubes. Each is kept at several levels: as it is, and with neighbours merged
(`splats.reduce`). A cube is drawn at the level that its distance from the camera asks for, whole,
so nothing is drawn twice or left out. For learners: at 128x128 a wall 20 m away has more
gaussians than pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.cpu.culling import Job, visible
from navbench_gs.render.cpu.prepare import PreparedCloud, grouped, prepare
from navbench_gs.render.cpu.renderer import CpuRenderer
from navbench_gs.render.renderer import DynamicGroup
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.reduce import cells, merged_by
from navbench_gs.splats.rotation import quaternions_to_matrices

CUBE = 6.0
"""Edge of a cube, metres. Blocks hold 128 gaussians and never mix cubes: smaller cubes leave the
coarser levels' blocks nearly empty."""
EDGES = (0.3, 0.6, 1.2)
"""Edges of the cells whose gaussians are merged, metres, level by level: twice the spacing of a
generated house front's ground floor (0.15 m), and on."""
STARTS = (8.0, 16.0, 32.0)
"""Distances of a cube's middle from which these levels are drawn, metres. At 128 pixels on 90
degrees a merged cell is 2.4 pixels wide where it is nearest."""
SKY = 150.0
"""Gaussians farther than this from the middle of the world stay as they are, metres."""


@dataclass(frozen=True)
class Levels:
    """A world at all levels, in one cloud."""

    cloud: PreparedCloud
    """Every level of every cube; its blocks never mix either."""
    level: NDArray[np.int64]
    """`[B]` of each block."""
    cube: NDArray[np.int64]
    """`[B]` of each block; the sky is one past the last."""
    middles: NDArray[np.float64]
    """`[C, 3]` of the cubes, metres."""

    @classmethod
    def build(cls, cloud: GaussianCloud) -> Levels:
        """Merge a world level by level: 5 us a gaussian."""
        centre = np.median(cloud.means, axis=0) if len(cloud) else np.zeros(3)
        sky = np.linalg.norm(cloud.means - centre, axis=1) > SKY
        near = cloud.select(~sky)
        low = np.zeros(3)
        if len(near):
            low = CUBE * np.floor(near.means.min(axis=0).astype(np.float64) / CUBE)
        place = np.floor((near.means - low) / CUBE).astype(np.int64)
        names, cube = np.unique(place, axis=0, return_inverse=True)
        cube = cube.reshape(-1)
        parts, cubes = [cloud.select(sky), near], [np.full(int(sky.sum()), len(names)), cube]
        levels = [np.zeros(len(cloud), np.int64)]
        for number, edge in enumerate(EDGES if len(near) else (), 1):
            label, first = _labels(near, low, edge, cube)
            parts.append(merged_by(near, label))
            cubes.append(cube[first])
            levels.append(np.full(len(first), number))
        whole = prepare(GaussianCloud.concatenate(parts))
        group = np.concatenate(levels) * (len(names) + 1) + np.concatenate(cubes)
        arranged, block = grouped(whole, group[np.maximum(whole.source_index, 0)])
        level, at = np.divmod(block, len(names) + 1)
        return cls(arranged, level, at, (names + 0.5) * CUBE + low)

    def drawn(self, eye: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which blocks `[B]` a camera at `eye` `[3]` draws."""
        away = np.linalg.norm(self.middles - eye, axis=1)
        wanted = np.searchsorted(STARTS, away, side='right')
        return np.asarray(np.append(wanted, 0)[self.cube] == self.level)


def _labels(
    cloud: GaussianCloud, low: NDArray[np.float64], edge: float, cube: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which gaussians become one, `[N]`, and one of the parts of each, `[G]`.

    They share a cube, a cell, and the axis that their shortest side is nearest to: a floor does
    not merge with the wall that rises from it.
    """
    frames = quaternions_to_matrices(cloud.quats)
    shortest = np.take_along_axis(frames, cloud.scales.argmin(axis=1)[:, None, None], axis=2)
    facing = np.abs(shortest[:, :, 0]).argmax(axis=1)
    _, cell = np.unique(cells(cloud, low, edge), return_inverse=True)
    # Rounding may put a gaussian into a cell that begins in the next cube.
    key = (cell.reshape(-1) * 3 + facing) * (int(cube.max(initial=0)) + 1) + cube
    _, first, label = np.unique(key, return_index=True, return_inverse=True)
    return label.reshape(-1), first


class LevelRenderer(CpuRenderer):
    """Draws far cubes of the world from merged gaussians; moving groups are drawn as they are."""

    def _prepare_world(self, cloud: GaussianCloud) -> PreparedCloud:
        self._levels = Levels.build(cloud)
        return self._levels.cloud

    def _jobs(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup]) -> list[Job]:
        jobs = visible(camera, self._layers(camera, dynamic))
        if not jobs or jobs[0].cloud is not self._world:
            return jobs
        world = jobs[0]
        kept = self._levels.drawn(camera.pose[:3, 3])[world.blocks]
        if not kept.any():
            return jobs[1:]
        return [replace(world, blocks=world.blocks[kept], nearest=world.nearest[kept]), *jobs[1:]]
