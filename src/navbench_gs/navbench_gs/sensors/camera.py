"""The robot's camera: the scene's splats with everything that moves in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import RenderError
from navbench_gs.render import DynamicGroup, Frame, RenderCamera, make_renderer
from navbench_gs.render.factory import Backend
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
    ) -> None:
        """Prepare the scene for drawing.

        Args:
            cloud: The scene's splats, scene frame (= map).
            camera: Intrinsics; a pinhole.
            mount: The camera's place on the robot.
            backend: Renderer back end.
            threads: Threads of the renderer; all when left out.

        Raises:
            RenderError: the camera is distorted.
        """
        if camera.distortion:
            raise RenderError(
                f'the simulated camera must be a pinhole, got {camera.model} with '
                f'{camera.distortion}'
            )
        self.camera = camera
        self._base_from_optical = mount.base_from_optical()
        self._renderer = make_renderer(cloud, backend=backend, threads=threads)

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
        view = lens or self.camera
        pose = map_from_base @ self._base_from_optical
        return self._renderer.render(
            RenderCamera(view.width, view.height, view.fx, view.fy, view.cx, view.cy, pose),
            dynamic,
        )
