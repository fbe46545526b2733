"""The CPU renderer: prepares clouds once, then draws frames with plain Python threads."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence

import numpy as np

from navbench_gs.errors import RenderError
from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.constants import DEFAULT_BACKGROUND
from navbench_gs.render.cpu.crew import Crew
from navbench_gs.render.cpu.culling import Job, Layer, visible
from navbench_gs.render.cpu.painter import Painter, areas, blank
from navbench_gs.render.cpu.prepare import PreparedCloud, prepare
from navbench_gs.render.frame import Frame
from navbench_gs.render.renderer import DynamicGroup, View
from navbench_gs.splats.cloud import GaussianCloud

_STILL = np.eye(4)


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
        colour = np.array(background, dtype=np.float32)
        self._world = self._prepare_world(cloud)
        self._crew = Crew(self._threads)
        self._painters = [Painter(colour) for _ in range(self._threads)]
        self._groups: weakref.WeakValueDictionary[int, GaussianCloud]
        self._groups = weakref.WeakValueDictionary()
        self._prepared: dict[int, PreparedCloud] = {}

    def render(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup] = ()) -> Frame:
        """Draw one view; see `Renderer.render`."""
        jobs = self._jobs(camera, dynamic)
        if self._threads == 1:
            return self._painters[0].draw(camera, jobs)
        frame, left = blank(camera), iter(areas(camera, self._threads))
        lock = threading.Lock()

        def work(thread: int) -> None:
            while True:
                with lock:
                    area = next(left, None)
                if area is None:
                    return
                self._painters[thread].paint(camera, jobs, area, frame)

        self._crew.run(work, self._threads)
        return frame

    def render_many(self, views: Sequence[View]) -> list[Frame]:
        """Draw several views, each on one thread; see `Renderer.render_many`."""
        if len(views) < 2 or self._threads == 1:
            return [self.render(view.camera, view.dynamic) for view in views]
        jobs = [self._jobs(view.camera, view.dynamic) for view in views]
        frames: dict[int, Frame] = {}

        def work(thread: int) -> None:
            for index in range(thread, len(views), self._threads):
                frames[index] = self._painters[thread].draw(views[index].camera, jobs[index])

        self._crew.run(work, min(self._threads, len(views)))
        return [frames[index] for index in range(len(views))]

    def _prepare_world(self, cloud: GaussianCloud) -> PreparedCloud:
        """Return the world as it is drawn."""
        return prepare(cloud)

    def _jobs(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup]) -> list[Job]:
        """Return what of the world and the groups is in view; the world's job comes first."""
        return visible(camera, self._layers(camera, dynamic))

    def _static(self, camera: RenderCamera) -> PreparedCloud:
        """Return the world as far as this camera can see it."""
        return self._world

    def _layers(self, camera: RenderCamera, dynamic: Sequence[DynamicGroup]) -> list[Layer]:
        """Return the static cloud and the groups, prepared."""
        layers: list[Layer] = [(self._static(camera), _STILL)]
        layers += [(self._prepare_group(group.cloud), group.pose) for group in dynamic]
        return layers

    def _prepare_group(self, cloud: GaussianCloud) -> PreparedCloud:
        """Return the group's prepared cloud, kept while the caller keeps the cloud object."""
        key = id(cloud)
        if self._groups.get(key) is not cloud:
            self._groups[key] = cloud
            self._prepared[key] = prepare(cloud)
            for stale in [k for k in self._prepared if k not in self._groups]:
                del self._prepared[stale]
        return self._prepared[key]
