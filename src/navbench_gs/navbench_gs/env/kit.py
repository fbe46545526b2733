"""What every world of one scene and robot shares: built once, used by many at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from navbench_gs.crowd import CrowdGround
from navbench_gs.env.footprint import OccupancyProbe
from navbench_gs.env.props import Props
from navbench_gs.physics import WorldTemplate
from navbench_gs.render import Renderer, make_renderer
from navbench_gs.render.factory import Backend, Mode
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.sensors import VirtualScan
from navbench_gs.splats.cloud import GaussianCloud
from s2e_core.robot import RobotProfile


class SceneKit:
    """Physics template, ground of the people, looks and renderer of a scene.

    Worlds only read it, so any number of them may share one, one after the other in one thread.
    """

    def __init__(
        self,
        bundle: SceneBundle,
        robot: RobotProfile,
        *,
        backend: Backend = 'cpu',
        mode: Mode = 'exact',
        threads: int | None = None,
        cache: Path | None = None,
        paint: Callable[[GaussianCloud], GaussianCloud] | None = None,
    ) -> None:
        """Build all but the renderer, whose splats are read when someone first looks.

        Args:
            bundle: The scene.
            robot: What drives in it.
            backend: Renderer back end.
            mode: `exact`, `fast` or `coarse`.
            threads: Threads of the renderer; all when left out.
            cache: Folder in which `fast` keeps its surveys.
            paint: Changes what is drawn of the scene, such as its colours.
        """
        self.bundle, self.robot = bundle, robot
        self.props = Props()
        self.template = WorldTemplate(robot, bundle.collision)
        self.ground = CrowdGround(bundle.collision)
        self.probe = OccupancyProbe(bundle.collision, robot)
        self.scanner = VirtualScan(bundle.collision)
        self._backend, self._mode = backend, mode
        self._threads, self._cache, self._paint = threads, cache, paint

    @cached_property
    def renderer(self) -> Renderer:
        """The scene's renderer; its scratch memory is shared, so one view at a time."""
        cloud = self.bundle.cloud()
        if self._paint is not None:
            cloud = self._paint(cloud)
        return make_renderer(
            cloud, backend=self._backend, mode=self._mode, threads=self._threads,
            cache=self._cache,
        )
