"""Draws areas of a frame front to back; each thread has a painter of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.cpu.binning import TILE
from navbench_gs.render.cpu.blend import AHEAD, BUFFER_SIZE
from navbench_gs.render.cpu.culling import Job
from navbench_gs.render.cpu.listing import BUCKETS, enlist
from navbench_gs.render.cpu.memory import aligned
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.cpu.project import ITEM_SIZE, SCRATCH_ROWS, SPAN_ROWS
from navbench_gs.render.cpu.sweep import SLAB, finish, reached, start, sweep
from navbench_gs.render.cpu.visibility import LEVELS
from navbench_gs.render.frame import Frame

MOST_TILES = 512
"""Tiles of an area: their planes take 11 MB."""

Area = NDArray[np.int64]
"""First and last tile column, first and last tile row. `[4]`"""


def areas(camera: RenderCamera, parts: int) -> list[Area]:
    """Cut an image into rectangles of at most `MOST_TILES` tiles.

    Args:
        camera: Gives the size.
        parts: How many there should be at least; fewer where there are fewer columns of tiles.
    """
    columns, rows = -(-camera.width // TILE), -(-camera.height // TILE)
    across = min(columns, max(parts, -(-columns // MOST_TILES)))
    most = max(1, MOST_TILES // -(-columns // across))
    down = -(-rows // most)
    return [
        np.array([left, right - 1, top, bottom - 1])
        for top, bottom in pairwise(rows * k // down for k in range(down + 1))
        for left, right in pairwise(columns * k // across for k in range(across + 1))
    ]


def blank(camera: RenderCamera) -> Frame:
    """Return a frame to be painted."""
    shape = (camera.height, camera.width)
    return Frame(
        np.empty((*shape, 3), dtype=np.uint8), np.empty(shape, dtype=np.float32),
        np.empty(shape, dtype=np.float32),
    )


class Painter:
    """Paints one area at a time; keeps its memory between frames."""

    def __init__(self, background: NDArray[np.float32]) -> None:
        """Take `[3]` RGB in [0, 1]; memory comes with the first frame."""
        self._background = background
        self._scratch = np.empty((SCRATCH_ROWS, BLOCK), dtype=np.float32)
        self._spans = np.empty((SPAN_ROWS, BLOCK), dtype=np.int32)
        self._lanes = np.empty(BLOCK, dtype=np.int32)
        self._items = aligned(0, ITEM_SIZE)
        self._planes = np.empty((0, BUFFER_SIZE), dtype=np.float32)
        self._lists = np.empty((0, BUCKETS), dtype=np.int32)
        self._pairs = np.empty((0, 2), dtype=np.uint64)
        self._after = np.empty(0, dtype=np.int32)
        self._keys = np.empty((2, 0), dtype=np.uint64)
        self._chosen = np.empty(SLAB, dtype=np.int32)
        self._histogram = np.empty(257, dtype=np.int64)

    def draw(self, camera: RenderCamera, jobs: Sequence[Job]) -> Frame:
        """Draw a whole frame; see `paint`."""
        frame = blank(camera)
        for area in areas(camera, 1):
            self.paint(camera, jobs, area, frame)
        return frame

    def paint(
        self, camera: RenderCamera, jobs: Sequence[Job], area: Area, frame: Frame
    ) -> None:
        """Paint an area of a frame.

        Args:
            camera: Gives the image's size.
            jobs: What is in view. The first, the static world, is swept front to back; the
                others are listed whole before. Where depths are equal the earlier job lies in
                front.
            area: The part to paint.
            frame: Takes the pixels.
        """
        shape = (int(area[3] - area[2]) + 1, int(area[1] - area[0]) + 1)
        tiles = shape[0] * shape[1]
        if tiles > len(self._planes):
            self._planes = np.empty((tiles, BUFFER_SIZE), dtype=np.float32)
            self._lists = np.empty((tiles, BUCKETS), dtype=np.int32)
        planes = self._planes[:tiles].reshape(*shape, BUFFER_SIZE)
        light = np.empty((*shape, LEVELS, TILE), dtype=np.uint32)
        squares = np.empty(shape, dtype=np.uint64)
        start(camera.width, camera.height, area, planes, light, squares)
        if jobs:
            self._blend(camera, jobs, area, planes, light, squares)
        finish(
            camera.width, camera.height, area, planes, self._background, frame.rgb, frame.depth,
            frame.alpha,
        )

    def _blend(
        self, camera: RenderCamera, jobs: Sequence[Job], area: Area, planes: NDArray[np.float32],
        light: NDArray[np.uint32], squares: NDArray[np.uint64],
    ) -> None:
        """Blend all jobs into the planes."""
        capacity = BLOCK * sum(len(job.blocks) for job in jobs)
        if capacity > len(self._items):
            self._items = aligned(capacity + capacity // 4, ITEM_SIZE)
        items, patterns = self._items, self._items.view(np.int32)
        lists = self._lists[: squares.size].reshape(*squares.shape, BUCKETS)
        lists.fill(-1)
        # Records of the world come first, so that it lies in front where depths are equal.
        count, used = BLOCK * len(jobs[0].blocks), 0
        for job in jobs[1:]:
            cloud = job.cloud
            # By parts: room is made for the worst case, which for a large group is gigabytes.
            for first in range(0, len(job.blocks), SLAB):
                self._make_room(used, SLAB, squares.size)
                count, used = enlist(
                    job.camera, cloud.means, cloud.covariances, cloud.reach, cloud.looks,
                    cloud.sh, cloud.degree, job.blocks[first : first + SLAB], self._scratch,
                    self._spans, self._lanes, area, light, squares, lists, items, patterns, count,
                    self._pairs, self._after, used,
                )
        world, cloud = jobs[0], jobs[0].cloud
        order, state = reached(world.nearest), np.array([0, 0, used, 0])
        whole = False
        while not whole:
            self._make_room(int(state[2]), SLAB, squares.size)
            whole = sweep(
                world.camera, cloud.bounds, cloud.means, cloud.covariances, cloud.reach,
                cloud.looks, cloud.sh, cloud.degree, world.blocks, order, self._scratch,
                self._spans, self._lanes, area, camera.width, camera.height, planes, light,
                squares, lists, items, patterns,
                self._pairs, self._after, self._keys, self._chosen, self._histogram, state,
            )

    def _make_room(self, used: int, blocks: int, tiles: int) -> None:
        """Make room for the pairs of some blocks with all tiles; keep those in use."""
        needed = used + blocks * BLOCK * tiles
        if needed <= len(self._after):
            return
        pairs, after = self._pairs, self._after
        # What is not touched takes no memory.
        self._pairs = np.empty((2 * needed, 2), dtype=np.uint64)
        self._after = np.empty(2 * needed, dtype=np.int32)
        self._keys = np.empty((2, 2 * needed + AHEAD), dtype=np.uint64)
        self._pairs[:used], self._after[:used] = pairs[:used], after[:used]
