"""From prepared clouds and a camera to a frame: cull, project, bin, blend."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import CLAMP_MARGIN
from navbench_gs.render.cpu import binning, blend, project
from navbench_gs.render.cpu.prepare import BLOCK, PreparedCloud, guard_pixels
from navbench_gs.render.frame import Frame

Layer = tuple[PreparedCloud, NDArray[np.floating]]
"""A prepared cloud and its `[4, 4]` scene <- cloud pose."""


@dataclass(frozen=True)
class _Job:
    """Blocks of one prepared cloud for one thread."""

    cloud: PreparedCloud
    camera: NDArray[np.float32]
    blocks: NDArray[np.int32]


class Pipeline:
    """Draws one frame at a time with its own threads and scratch memory.

    Same input, same bytes, at any thread count. Not to be used by two threads at once.
    """

    def __init__(self, threads: int, background: NDArray[np.float32]) -> None:
        """Take `threads` worker threads; `background` is `[3]` RGB in [0, 1]."""
        self._threads = threads
        self._background = background
        self._items = _aligned(0, project.ITEM_SIZE)
        self._heads = _aligned(0, project.HEAD_SIZE)
        self._pairs = np.zeros((0, 2), dtype=np.uint64)
        self._pool: ThreadPoolExecutor | None = None
        self._pool_process = 0

    def draw(self, camera: RenderCamera, layers: Sequence[Layer]) -> Frame:
        """Draw the layers, merged in depth order."""
        return self._draw(camera, self._project(self._share_out(_visible(camera, layers))))

    def project(
        self, camera: RenderCamera, layer: Layer
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return the items `[N, ITEM_SIZE]` and heads `[N, HEAD_SIZE]` of one layer.

        Both are views of scratch memory and valid until the next call.
        """
        jobs = _visible(camera, [layer])
        _, end = self._project([jobs])[0]
        return self._items[:end], self._heads[:end].view(np.int32)

    def run(self, task: Callable[[int], None], count: int) -> None:
        """Call task(0..count - 1), on the worker threads when there are several."""
        if self._threads == 1 or count == 1:
            for index in range(count):
                task(index)
            return
        if self._pool is None or self._pool_process != os.getpid():
            # After a fork the pool's threads exist in the parent only.
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix='splat')
            self._pool_process = os.getpid()
        list(self._pool.map(task, range(count)))

    def _share_out(self, jobs: list[_Job]) -> list[list[_Job]]:
        """Cut the jobs, in order, into one equal share of blocks per thread."""
        total = sum(len(job.blocks) for job in jobs)
        bounds = [total * thread // self._threads for thread in range(self._threads + 1)]
        shares: list[list[_Job]] = []
        for low, high in pairwise(bounds):
            share, position = [], 0
            for job in jobs:
                cut = job.blocks[max(low - position, 0) : max(high - position, 0)]
                if len(cut):
                    share.append(_Job(job.cloud, job.camera, cut))
                position += len(job.blocks)
            shares.append(share)
        return shares

    def _project(self, shares: list[list[_Job]]) -> list[tuple[int, int]]:
        """Project each share into its own run of the item array; return the runs."""
        sizes = [BLOCK * sum(len(job.blocks) for job in share) for share in shares]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        if starts[-1] > len(self._items):
            self._items = _aligned(int(starts[-1] * 1.25), project.ITEM_SIZE)
            self._heads = _aligned(len(self._items), project.HEAD_SIZE)
        ends = [int(start) for start in starts[:-1]]

        def work(thread: int) -> None:
            scratch = np.empty((project.SCRATCH_ROWS, BLOCK), dtype=np.float32)
            for job in shares[thread]:
                ends[thread] = project.project(
                    job.camera,
                    job.cloud.means,
                    job.cloud.covariances,
                    job.cloud.reach,
                    job.cloud.looks,
                    job.cloud.sh,
                    job.cloud.degree,
                    job.blocks,
                    scratch,
                    self._items,
                    self._heads,
                    self._heads.view(np.int32),
                    ends[thread],
                )

        self.run(work, len(shares))
        return [(int(start), end) for start, end in zip(starts[:-1], ends, strict=True)]

    def _draw(self, camera: RenderCamera, runs: list[tuple[int, int]]) -> Frame:
        """Bin the items and blend every tile."""
        columns = -(-camera.width // binning.TILE)
        tiles = columns * -(-camera.height // binning.TILE)
        shift = binning.bucket_shift(tiles)
        buckets = binning.bucket_count(shift)
        heads = self._heads.view(np.int32)
        counts = np.zeros((len(runs), tiles, buckets), dtype=np.int32)
        starts = np.empty(tiles * buckets + 1, dtype=np.int32)

        def count(thread: int) -> None:
            first, last = runs[thread]
            binning.count_items(heads, first, last, shift, columns, counts[thread])

        def fill(thread: int) -> None:
            first, last = runs[thread]
            binning.fill_lists(heads, first, last, shift, columns, counts[thread], self._pairs)

        self.run(count, len(runs))
        total = binning.offsets_from_counts(counts, starts)
        if total > len(self._pairs):
            self._pairs = np.zeros((int(total * 1.25), 2), dtype=np.uint64)
        self.run(fill, len(runs))
        return self._blend(camera, columns, starts.reshape(-1), buckets)

    def _blend(
        self, camera: RenderCamera, columns: int, starts: NDArray[np.int32], buckets: int
    ) -> Frame:
        """Blend all tiles, the heaviest first, each by whichever thread is free."""
        width, height = camera.width, camera.height
        rgb = np.empty((height, width, 3), dtype=np.uint8)
        depth = np.empty((height, width), dtype=np.float32)
        alpha = np.empty((height, width), dtype=np.float32)
        tiles = (len(starts) - 1) // buckets
        weights = np.diff(starts[::buckets])
        longest = int(np.diff(starts).max(initial=0))
        order = np.argsort(-weights, kind='stable')
        lots = [order[thread :: self._threads] for thread in range(self._threads)]

        def work(thread: int) -> None:
            buffer = np.empty(blend.BUFFER_SIZE, dtype=np.float32)
            scratch = np.empty((2, longest + blend.AHEAD), dtype=np.uint64)
            blend.blend_tiles(
                self._items,
                self._pairs,
                starts,
                buckets,
                lots[thread],
                columns,
                buffer,
                scratch,
                self._background,
                rgb,
                depth,
                alpha,
            )

        self.run(work, min(self._threads, tiles))
        return Frame(rgb, depth, alpha)


def _visible(camera: RenderCamera, layers: Sequence[Layer]) -> list[_Job]:
    """Cull the blocks of every layer."""
    jobs = []
    optical = camera.scene_to_optical
    for cloud, pose in layers:
        if cloud.blocks == 0:
            continue
        vector = camera_vector(camera, optical @ pose)
        found = np.empty(cloud.blocks, dtype=np.int32)
        nearest = np.empty(cloud.blocks, dtype=np.float32)
        number = project.visible_blocks(vector, cloud.bounds, found, nearest)
        if number:
            # Front to back, so that items that are blended together lie together in memory:
            # halves the time to blend a 300 k street.
            order = np.argsort(nearest[:number], kind='stable')
            jobs.append(_Job(cloud, vector, found[:number][order]))
    return jobs


def _aligned(rows: int, columns: int) -> NDArray[np.float32]:
    """Return a zeroed float32 array whose memory starts on a 64-byte cache line."""
    raw = np.zeros(rows * columns + 16, dtype=np.float32)
    shift = -raw.ctypes.data % 64 // raw.itemsize
    return raw[shift : shift + rows * columns].reshape(rows, columns)


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
