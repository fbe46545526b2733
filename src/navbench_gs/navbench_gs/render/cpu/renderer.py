"""The CPU renderer: prepares clouds once, then draws frames with plain Python threads."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import RenderError
from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import CLAMP_MARGIN, DEFAULT_BACKGROUND
from navbench_gs.render.cpu import binning, blend, project
from navbench_gs.render.cpu.prepare import BLOCK, PreparedCloud, guard_pixels, prepare
from navbench_gs.render.frame import Frame
from navbench_gs.render.renderer import DynamicGroup
from navbench_gs.splats.cloud import GaussianCloud


@dataclass(frozen=True)
class _Job:
    """Blocks of one prepared cloud for one thread."""

    cloud: PreparedCloud
    camera: NDArray[np.float32]
    blocks: NDArray[np.int32]


class CpuRenderer:
    """Draws views of one cloud on the CPU; same input, same bytes, at any thread count.

    An instance keeps its scratch memory between frames and must not be used by two threads at
    once; make one renderer per thread or process.
    """

    def __init__(
        self,
        cloud: GaussianCloud,
        *,
        background: tuple[float, float, float] = DEFAULT_BACKGROUND,
        threads: int | None = None,
    ) -> None:
        """Prepare the static cloud.

        Args:
            cloud: the world.
            background: RGB in [0, 1] behind everything.
            threads: worker threads; None takes the number of usable CPU cores.

        Raises:
            RenderError: threads or background are out of range.
        """
        available = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else None
        self._threads = threads if threads is not None else (available or os.cpu_count() or 1)
        if not 1 <= self._threads <= 256:
            raise RenderError(f'threads must lie in 1..256, got {threads}')
        if len(background) != 3 or not all(0.0 <= value <= 1.0 for value in background):
            raise RenderError(f'background must be three values in [0, 1], got {background}')
        self._background = np.array(background, dtype=np.float32)
        self._world = prepare(cloud)
        self._groups: weakref.WeakValueDictionary[int, GaussianCloud]
        self._groups = weakref.WeakValueDictionary()
        self._prepared: dict[int, PreparedCloud] = {}
        self._items = _aligned(0, project.ITEM_SIZE)
        self._heads = _aligned(0, project.HEAD_SIZE)
        self._pairs = np.zeros((0, 2), dtype=np.uint64)
        self._pool: ThreadPoolExecutor | None = None
        self._pool_process = 0

    def render(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()) -> Frame:
        """Draw one view; see `Renderer.render`."""
        shares = self._share_out(self._visible(camera, dynamic))
        ends = self._project(shares)
        return self._draw(camera, ends)

    def _run(self, task: Callable[[int], None], count: int) -> None:
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

    def _prepare_group(self, cloud: GaussianCloud) -> PreparedCloud:
        """Return the group's prepared cloud, kept while the caller keeps the cloud object."""
        key = id(cloud)
        if self._groups.get(key) is not cloud:
            self._groups[key] = cloud
            self._prepared[key] = prepare(cloud)
            for stale in [k for k in self._prepared if k not in self._groups]:
                del self._prepared[stale]
        return self._prepared[key]

    def _visible(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup]) -> list[_Job]:
        """Cull the blocks of the world and of every group."""
        clouds = [(self._world, np.eye(4))]
        clouds += [
            (self._prepare_group(group.cloud), np.asarray(group.pose, dtype=np.float64))
            for group in dynamic
        ]
        jobs = []
        optical = camera.scene_to_optical
        for cloud, pose in clouds:
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

        self._run(work, min(self._threads, tiles))
        return Frame(rgb, depth, alpha)


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
