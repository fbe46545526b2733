"""The CPU renderer in mode `fast`: it draws only what can be seen from around the camera."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.cells.grid import Node, ViewGrid
from navbench_gs.render.cells.store import NodeStore, fingerprint
from navbench_gs.render.cells.survey import visible_from
from navbench_gs.render.constants import DEFAULT_BACKGROUND
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import PreparedCloud, take
from navbench_gs.render.cpu.renderer import CpuRenderer
from navbench_gs.splats.cloud import GaussianCloud

WEIGHTS = {192: 0.002, 384: 0.005, 768: 0.007}
"""Pixels along an edge of a survey's faces, and the least weight, in some pixel, of a gaussian
that is kept. A camera takes the least edge that is as sharp as itself. The sharper, the more
gaussians share the work and the more the faintest can be spared: at these weights each size
stays above 38 dB along the path of a real garden."""
NEAR = 0.05
CELL_BYTES = 320 << 20
"""Memory for the clouds of cells, or the world's size where that is more: a million gaussians
leave cells of 35 MB each, five million of 100 MB. The least recently used go first. With it 50 m
of the garden at 640x480 take 887 MiB in all (bench_start.py --metres 50)."""

Cell = tuple[int, tuple[Node, ...]]


class CellRenderer(CpuRenderer):
    """Leaves out what is hidden, or too faint to matter, around the camera's cell.

    Which gaussians show is surveyed when a camera first comes near a point (0.2 to 1 s of CPU
    time a point) and kept in memory and, given a folder, on disk. The survey depends on the
    cloud and the grid alone, so pictures do not depend on the order of the views. Moving groups
    are always drawn whole.
    """

    def __init__(
        self,
        cloud: GaussianCloud,
        *,
        background: tuple[float, float, float] = DEFAULT_BACKGROUND,
        threads: int | None = None,
        cache: Path | None = None,
        grid: ViewGrid | None = None,
    ) -> None:
        """Prepare the static cloud.

        Args:
            cloud: the world.
            background: RGB in [0, 1] behind everything.
            threads: worker threads; None takes the number of usable CPU cores.
            cache: folder that keeps surveys between runs; None keeps them in memory only.
            grid: where visibility is surveyed.

        Raises:
            RenderError: threads or background are out of range.
        """
        super().__init__(cloud, background=background, threads=threads)
        self._grid = grid or ViewGrid()
        # They hold no memory until used.
        colour = np.zeros(3, dtype=np.float32)
        self._surveyors = [Pipeline(1, colour) for _ in range(self._threads)]
        settings = (sorted(WEIGHTS.items()), NEAR, self._grid.spacing, self._grid.layer)
        name = fingerprint(self._world, settings)
        self._store = NodeStore(cache, name, self._world.means.shape[1])
        self._nodes: dict[tuple[int, Node], NDArray[np.int32]] = {}
        self._cells: OrderedDict[Cell, PreparedCloud] = OrderedDict()
        self._bytes, self._limit = 0, max(CELL_BYTES, _size(self._world))

    def survey(
        self,
        cameras: Iterable[RenderCamera],
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Survey every point that these cameras need; return how many were new.

        Args:
            cameras: where pictures will be taken from; the directions do not matter.
            progress: called with the number done and the number in all.
        """
        wanted: dict[tuple[int, Node], None] = {}
        for camera in cameras:
            resolution, nodes = self._cell(camera)
            wanted.update({(resolution, node): None for node in nodes})
        missing = [key for key in wanted if not self._known(*key)]
        for done in range(0, len(missing), self._threads):
            self._survey(missing[done : done + self._threads])
            if progress is not None:
                progress(min(done + self._threads, len(missing)), len(missing))
        return len(missing)

    def _cell(self, camera: RenderCamera) -> Cell:
        """Return the sharpness and the points that a camera's cell is made of."""
        focal = max(camera.fx, camera.fy)
        # A face of 90 degrees has a focal length of half its edge.
        sharp = [edge for edge in WEIGHTS if 0.5 * edge >= focal]
        resolution = min(sharp, default=max(WEIGHTS))
        return resolution, self._grid.corners(camera.pose[:3, 3])

    def _static(self, camera: RenderCamera) -> PreparedCloud:
        cell = self._cell(camera)
        if cell in self._cells:
            self._cells.move_to_end(cell)
            return self._cells[cell]
        resolution, nodes = cell
        missing = [(resolution, node) for node in nodes if not self._known(resolution, node)]
        for first in range(0, len(missing), self._threads):
            self._survey(missing[first : first + self._threads])
        seen = np.zeros(self._world.means.shape[1], dtype=bool)
        for node in nodes:
            seen[self._nodes[resolution, node]] = True
        cloud = take(self._world, np.flatnonzero(seen))
        self._cells[cell] = cloud
        self._bytes += _size(cloud)
        while self._bytes > self._limit and len(self._cells) > 1:
            _, oldest = self._cells.popitem(last=False)
            self._bytes -= _size(oldest)
        return cloud

    def _known(self, resolution: int, node: Node) -> bool:
        """Say whether a point was surveyed, reading it from disk where it lies there."""
        if (resolution, node) not in self._nodes:
            stored = self._store.load(resolution, node)
            if stored is None:
                return False
            self._nodes[resolution, node] = stored
        return True

    def _survey(self, keys: list[tuple[int, Node]]) -> None:
        """Survey points side by side, one thread each."""

        def work(thread: int) -> None:
            resolution, node = keys[thread]
            pipeline = self._surveyors[thread]
            position = self._grid.position(node)
            weight = WEIGHTS[resolution]
            seen = visible_from(pipeline, self._world, position, resolution, weight, NEAR)
            self._nodes[resolution, node] = seen
            self._store.save(resolution, node, seen)

        self._crew.run(work, len(keys))


def _size(cloud: PreparedCloud) -> int:
    """Return the bytes of a cell's own arrays."""
    arrays = (cloud.means, cloud.covariances, cloud.reach, cloud.looks, cloud.radius)
    return sum(array.nbytes for array in arrays) + (cloud.sh.nbytes if cloud.degree else 0)
