"""The robot's camera: the scene's splats with everything that moves in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import RenderError
from navbench_gs.render import DynamicGroup, Frame, RenderCamera, Renderer, View
from navbench_gs.render.lens import Lens
from s2e_core.camera import CameraModel, CameraMount


class SceneCamera:
    """Draws what the camera on the robot sees; the renderer lives as long as the scene."""

    def __init__(self, renderer: Renderer, camera: CameraModel, mount: CameraMount) -> None:
        """Look at a scene.

        Args:
            renderer: The scene's; several cameras may share one.
            camera: Intrinsics, with any distortion that `render.lens` knows.
            mount: The camera's place on the robot.

        Raises:
            RenderError: the camera's distortion cannot be drawn.
        """
        self._renderer = renderer
        self.aim(camera, mount)

    def aim(self, camera: CameraModel, mount: CameraMount) -> None:
        """Change lens and place.

        Raises:
            RenderError: the camera's distortion cannot be drawn.
        """
        self.camera = camera
        self._base_from_optical = mount.base_from_optical()
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
        return self._renderer.render(_pinhole(lens or self.camera, pose), dynamic)

    def shot(
        self, map_from_base: NDArray[np.float64], dynamic: Sequence[DynamicGroup]
    ) -> tuple[Renderer, View]:
        """Return the renderer and what `render` would draw, for drawing many views in one call.

        Raises:
            RenderError: the camera is distorted, which takes more than one view.
        """
        if self._lens is not None:
            raise RenderError(
                f'a {self.camera.model} camera is drawn from several views, not in one shot'
            )
        return self._renderer, View(_pinhole(self.camera, self.pose(map_from_base)), dynamic)


def _pinhole(camera: CameraModel, pose: NDArray[np.float64]) -> RenderCamera:
    """Return the renderer's camera at map <- optical."""
    return RenderCamera(
        camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy, pose
    )


def _lens(camera: CameraModel) -> Lens | None:
    """Return the lens of a distorted camera, None for a pinhole."""
    if camera.model == 'pinhole' or not camera.distortion:
        return None
    focal, centre = (camera.fx, camera.fy), (camera.cx, camera.cy)
    if camera.model == 'rational_polynomial':
        raise RenderError(
            'a rational_polynomial lens cannot be drawn; give plumb_bob or equidistant'
        )
    return Lens(camera.width, camera.height, focal, centre, camera.model, camera.distortion)
