"""The robot's camera: the scene's splats with everything that moves in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from navbench_gs.render import DynamicGroup, Frame, RenderCamera, make_renderer
from navbench_gs.render.factory import Backend, Mode
from navbench_gs.render.lens import Lens
from navbench_gs.splats.cloud import GaussianCloud
from s2e_core.camera import CameraModel, CameraMount


class SceneCamera:
    """Draws what the camera on the robot sees; one renderer lives as long as the scene."""

    def __init__(
        self,
        cloud: GaussianCloud,
        camera: CameraModel,
        mount: CameraMount,
        backend: Backend = 'cpu',
        threads: int | None = None,
        mode: Mode = 'exact',
        cache: Path | None = None,
    ) -> None:
        """Prepare the scene for drawing.

        Args:
            cloud: The scene's splats, scene frame (= map).
            camera: Intrinsics, with any distortion that `render.lens` knows.
            mount: The camera's place on the robot.
            backend: Renderer back end.
            threads: Threads of the renderer; all when left out.
            mode: `exact` or `fast`.
            cache: Folder in which `fast` keeps its surveys.

        Raises:
            RenderError: the camera's distortion cannot be drawn.
        """
        self.camera = camera
        self._base_from_optical = mount.base_from_optical()
        self._renderer = make_renderer(
            cloud, backend=backend, mode=mode, threads=threads, cache=cache
        )
        self._lens = _lens(camera)

    def pose(self, map_from_base: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return map <- optical, given map <- base_link. `[4, 4]`"""
        return map_from_base @ self._base_from_optical

    def render(
        self,
        map_from_base: NDArray[np.float64],
        dynamic: Sequence[DynamicGroup],
        lens: CameraModel | None = None,
    ) -> Frame:
        """Draw one view.

        Args:
            map_from_base: `[4, 4]` map <- base_link with roll and pitch.
            dynamic: People and obstacles; the robot itself is not drawn.
            lens: Other intrinsics for this view; a pinhole.
        """
        pose = self.pose(map_from_base)
        if lens is None and self._lens is not None:
            return self._lens.render(self._renderer, pose, dynamic)
        view = lens or self.camera
        return self._renderer.render(
            RenderCamera(view.width, view.height, view.fx, view.fy, view.cx, view.cy, pose),
            dynamic,
        )


def _lens(camera: CameraModel) -> Lens | None:
    """Return the lens of a distorted camera, None for a pinhole."""
    if camera.model == 'pinhole' or not camera.distortion:
        return None
    focal, centre = (camera.fx, camera.fy), (camera.cx, camera.cy)
    return Lens(camera.width, camera.height, focal, centre, camera.model, camera.distortion)
