"""Lenses that bend straight lines: drawn as a pinhole that sees as much, then warped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import RenderError
from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.frame import Frame
from navbench_gs.render.renderer import DynamicGroup, Renderer

LensModel = Literal['plumb_bob', 'equidistant']
MAX_TANGENT = 4.0
"""Widest half angle, as tangent (76 degrees): beyond, a pinhole's corners take all the pixels."""
_TOLERANCE = 0.05
"""A pixel whose ray does not project back to it, pixels, is not seen by the lens."""
_STEPS = 100
_FAR = 1.0e3
"""Tangents beyond this have run away from any solution."""


class Lens:
    """A distorted camera, as in sensor_msgs/CameraInfo, over any renderer.

    The pinhole is as sharp as the lens at its centre; colour and coverage are interpolated,
    depths are taken from the nearest pixel. Pixels that no light reaches through the lens (the
    polynomial folds back) are black, with no coverage and infinite depth.
    """

    def __init__(
        self,
        width: int,
        height: int,
        focal: tuple[float, float],
        centre: tuple[float, float],
        model: LensModel,
        coefficients: Sequence[float],
    ) -> None:
        """Prepare the look-up tables.

        Args:
            width: pixels.
            height: pixels.
            focal: fx, fy, pixels.
            centre: cx, cy, pixels from the image's corner: pixel centres lie at +0.5, so add 0.5
                to the values of a CameraInfo.
            model: `plumb_bob` (k1 k2 p1 p2 [k3]) or `equidistant` (k1 k2 k3 k4).
            coefficients: of the model.

        Raises:
            RenderError: the model or its coefficients are not known, or the lens sees too much.
        """
        wanted = {'plumb_bob': (4, 5), 'equidistant': (4,)}.get(model)
        if wanted is None or len(coefficients) not in wanted:
            raise RenderError(
                f'a lens must be plumb_bob with 4 or 5 coefficients or equidistant with 4, got '
                f'{model} with {len(coefficients)}'
            )
        if not np.isfinite([*focal, *centre, *coefficients]).all() or min(focal) <= 0.0:
            raise RenderError(
                f'a lens must have finite numbers and positive focal lengths, got focal {focal}, '
                f'centre {centre}, coefficients {tuple(coefficients)}'
            )
        self._size = (width, height)
        self._matrix = np.array(
            [
                [focal[0], 0.0, centre[0] - 0.5],
                [0.0, focal[1], centre[1] - 0.5],
                [0.0, 0.0, 1.0],
            ]
        )
        self._model = model
        self._coefficients = np.array(coefficients, dtype=np.float64)
        rays, self._seen = self._rays()
        self._fit(rays, focal)

    def render(
        self, renderer: Renderer, pose: NDArray[np.floating], dynamic: Sequence[DynamicGroup] = ()
    ) -> Frame:
        """Draw one view.

        Args:
            renderer: draws the pinhole view.
            pose: `[4, 4]` scene <- optical, rigid, metres.
            dynamic: rigidly moving groups.

        Raises:
            RenderError: the renderer cannot draw the view.
        """
        width, height = self._pinhole_size
        (fx, fy), (cx, cy) = self._pinhole_focal, self._pinhole_centre
        frame = renderer.render(RenderCamera(width, height, fx, fy, cx, cy, pose), dynamic)
        edge = cv2.BORDER_REPLICATE
        across, down = self._maps
        rgb = cv2.remap(frame.rgb, across, down, cv2.INTER_LINEAR, borderMode=edge)
        alpha = cv2.remap(frame.alpha, across, down, cv2.INTER_LINEAR, borderMode=edge)
        depth = cv2.remap(frame.depth, across, down, cv2.INTER_NEAREST, borderMode=edge)
        rgb[~self._seen], alpha[~self._seen], depth[~self._seen] = 0, 0.0, np.inf
        return Frame(
            rgb.astype(np.uint8, copy=False),
            depth.astype(np.float32, copy=False),
            alpha.astype(np.float32, copy=False),
        )

    def _rays(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return each pixel's tangents `[H, W, 2]`, and which of them come back to the pixel."""
        width, height = self._size
        u, v = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
        focal, centre = self._matrix[[0, 1], [0, 1]], self._matrix[:2, 2]
        wanted = (np.stack([u, v], axis=-1).reshape(-1, 2) - centre) / focal
        rays = wanted.copy()
        # OpenCV's own inverse stops after five such steps: 3 pixels off at a barrel's corner.
        for _ in range(_STEPS):
            rays += wanted - self._bend(rays)
            rays[~(np.abs(rays) < _FAR).all(axis=1)] = np.nan
        error = np.abs((self._bend(rays) - wanted) * focal).max(axis=1)
        seen = np.isfinite(error) & (error < _TOLERANCE)
        return rays.reshape(height, width, 2), seen.reshape(height, width)

    def _bend(self, rays: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distorted tangents of rays, both `[N, 2]`, as OpenCV defines the models."""
        points = np.concatenate([rays, np.ones((len(rays), 1))], axis=1)[:, None]
        view = np.zeros(3), np.zeros(3), np.eye(3), self._coefficients
        if self._model == 'equidistant':
            bent, _ = cv2.fisheye.projectPoints(points, *view)
        else:
            bent, _ = cv2.projectPoints(points, *view)
        return np.asarray(bent, dtype=np.float64).reshape(-1, 2)

    def _fit(self, rays: NDArray[np.float64], focal: tuple[float, float]) -> None:
        """Choose the pinhole that sees every ray, and where each pixel lies in it."""
        seen = rays[self._seen]
        if len(seen) == 0 or np.abs(seen).max() > MAX_TANGENT:
            widest = np.degrees(np.arctan(np.abs(seen).max())) if len(seen) else float('nan')
            raise RenderError(
                f'a lens must see at most {np.degrees(np.arctan(MAX_TANGENT)):.0f} degrees off '
                f'its axis, got {widest:.0f}'
            )
        low, high = seen.min(axis=0), seen.max(axis=0)
        # One more pixel on each side, for interpolation.
        corner = [float(np.floor(low[axis] * focal[axis])) - 1.0 for axis in range(2)]
        far = [float(np.ceil(high[axis] * focal[axis])) + 2.0 for axis in range(2)]
        self._pinhole_focal = focal
        self._pinhole_centre = (-corner[0], -corner[1])
        self._pinhole_size = (int(far[0] - corner[0]), int(far[1] - corner[1]))
        # remap takes pixel centres at integers.
        across, down = (
            np.ascontiguousarray(rays[..., axis] * focal[axis] - corner[axis] - 0.5, np.float32)
            for axis in range(2)
        )
        self._maps = across, down
