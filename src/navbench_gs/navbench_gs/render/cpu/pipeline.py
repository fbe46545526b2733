"""From prepared clouds and a camera to a frame, the plain way: everything in view is listed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.cpu import binning, blend, project
from navbench_gs.render.cpu.crew import Crew
from navbench_gs.render.cpu.culling import Job, Layer, visible
from navbench_gs.render.cpu.memory import aligned
from navbench_gs.render.cpu.prepare import BLOCK
from navbench_gs.render.frame import Frame


class Pipeline:
    """Draws one frame at a time with its own threads and scratch memory.

    Same input, same bytes, at any thread count. Not to be used by two threads at once. The
    renderer itself leaves out what is hidden (`painter.Painter`); this is what it is held to, and
    what projects for surveys.
    """

    def __init__(self, threads: int, background: NDArray[np.float32]) -> None:
        """Take `threads` worker threads; `background` is `[3]` RGB in [0, 1]."""
        self._threads = threads
        self._background = background
        self._items = aligned(0, project.ITEM_SIZE)
        self._heads = aligned(0, project.HEAD_SIZE)
        self._pairs = np.zeros((0, 2), dtype=np.uint64)
        self._run = Crew(threads).run

    def draw(self, camera: RenderCamera, layers: Sequence[Layer]) -> Frame:
        """Draw the layers, merged in depth order."""
        return self._draw(camera, self._project(self._share_out(visible(camera, layers))))

    def project(
        self, camera: RenderCamera, layer: Layer
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return the items `[N, ITEM_SIZE]` and heads `[N, HEAD_SIZE]` of one layer.

        Both are views of scratch memory and valid until the next call.
        """
        jobs = visible(camera, [layer])
        _, end = self._project([jobs])[0]
        return self._items[:end], self._heads[:end].view(np.int32)

    def _share_out(self, jobs: list[Job]) -> list[list[Job]]:
        """Cut the jobs, in order, into one equal share of blocks per thread."""
        total = sum(len(job.blocks) for job in jobs)
        bounds = [total * thread // self._threads for thread in range(self._threads + 1)]
        shares: list[list[Job]] = []
        for low, high in pairwise(bounds):
            share, position = [], 0
            for job in jobs:
                part = slice(max(low - position, 0), max(high - position, 0))
                cut = Job(job.cloud, job.camera, job.blocks[part], job.nearest[part])
                if len(cut.blocks):
                    share.append(cut)
                position += len(job.blocks)
            shares.append(share)
        return shares

    def _project(self, shares: list[list[Job]]) -> list[tuple[int, int]]:
        """Project each share into its own run of the item array; return the runs."""
        sizes = [BLOCK * sum(len(job.blocks) for job in share) for share in shares]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        if starts[-1] > len(self._items):
            self._items = aligned(int(starts[-1] * 1.25), project.ITEM_SIZE)
            self._heads = aligned(len(self._items), project.HEAD_SIZE)
        ends = [int(start) for start in starts[:-1]]

        def work(thread: int) -> None:
            scratch = np.empty((project.SCRATCH_ROWS, BLOCK), dtype=np.float32)
            spans = np.empty((project.SPAN_ROWS, BLOCK), dtype=np.int32)
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
                    spans,
                    self._items,
                    self._heads,
                    self._heads.view(np.int32),
                    ends[thread],
                )

        self._run(work, len(shares))
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

        self._run(count, len(runs))
        total = binning.offsets_from_counts(counts, starts)
        if total > len(self._pairs):
            self._pairs = np.zeros((int(total * 1.25), 2), dtype=np.uint64)
        self._run(fill, len(runs))
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
            peak, histogram = np.empty(binning.TILE, np.float32), np.empty(257, np.int64)
            blend.blend_tiles(
                self._items,
                self._pairs,
                starts,
                buckets,
                lots[thread],
                columns,
                buffer,
                scratch,
                peak,
                histogram,
                self._background,
                rgb,
                depth,
                alpha,
            )

        self._run(work, min(self._threads, tiles))
        return Frame(rgb, depth, alpha)
