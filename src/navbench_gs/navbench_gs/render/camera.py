"""The pinhole camera that a frame is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import RenderError


def rigid(pose: NDArray[np.floating], name: str) -> NDArray[np.float64]:
    """Return a `[4, 4]` pose as float64 after checking that it is a rotation and a shift.

    Raises:
        RenderError: it scales, shears, mirrors or is not finite; `name` says whose it is.
    """
    matrix = np.array(pose, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise RenderError(f'{name} must be a finite [4, 4] matrix, got {matrix}')
    # Plain numbers: NumPy takes five times as long over nine of them, for each thing in view.
    (a, b, c, _), (d, e, f, _), (g, h, i, _), _ = matrix.tolist()
    # 1e-3: a product of a few float32 rotations is off by 1e-6, a scale of 0.1 % by 2e-3.
    error = max(
        abs(a * a + b * b + c * c - 1.0), abs(a * d + b * e + c * f),
        abs(d * d + e * e + f * f - 1.0), abs(a * g + b * h + c * i),
        abs(g * g + h * h + i * i - 1.0), abs(d * g + e * h + f * i),
    )
    turns = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) > 0.0
    if error > 1.0e-3 or not turns:
        raise RenderError(f'{name} must only rotate and shift, got {matrix}')
    return matrix


@dataclass(frozen=True)
class RenderCamera:
    """A pinhole camera with square access to every intrinsic.

    Pixel (column u, row v) covers [u, u + 1) x [v, v + 1) and is sampled at its centre
    (u + 0.5, v + 0.5): a point X in the optical frame projects to fx X/Z + cx in these
    continuous coordinates. ROS and OpenCV put pixel centres at integers: add 0.5 to their
    cx and cy.

    Raises:
        RenderError: a size or focal length is not positive, or the pose is not finite.
    """

    width: int
    """Image width, pixels."""
    height: int
    """Image height, pixels."""
    fx: float
    """Focal length along x, pixels."""
    fy: float
    """Focal length along y, pixels."""
    cx: float
    """Principal point, pixels from the image's left edge."""
    cy: float
    """Principal point, pixels from the image's top edge."""
    pose: NDArray[np.floating]
    """`[4, 4]` scene <- optical (x right, y down, z forward), rigid, metres."""
    near: float = 0.05
    """Gaussians whose centre lies closer than this along z are not drawn, metres."""

    def __post_init__(self) -> None:
        # Values read from files come as float32 or numpy integers; all arithmetic is float64.
        for name in ('width', 'height'):
            object.__setattr__(self, name, int(getattr(self, name)))
        for name in ('fx', 'fy', 'cx', 'cy', 'near'):
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.width < 1 or self.height < 1 or self.width > 16384 or self.height > 16384:
            raise RenderError(f'image size must lie in 1..16384, got {self.width} x {self.height}')
        values = (self.fx, self.fy, self.near)
        if not all(np.isfinite(value) and value > 0.0 for value in values):
            raise RenderError(f'fx, fy and near must be positive and finite, got {values}')
        if not (np.isfinite(self.cx) and np.isfinite(self.cy)):
            raise RenderError(f'cx and cy must be finite, got {self.cx}, {self.cy}')
        object.__setattr__(self, 'pose', rigid(self.pose, 'the camera pose'))

    @staticmethod
    def from_fov(
        width: int,
        height: int,
        horizontal_fov: float,
        pose: NDArray[np.floating],
        near: float = 0.05,
    ) -> RenderCamera:
        """Build a camera of square pixels and centred principal point; `horizontal_fov` in rad."""
        focal = 0.5 * width / float(np.tan(0.5 * horizontal_fov))
        return RenderCamera(width, height, focal, focal, 0.5 * width, 0.5 * height, pose, near)

    @property
    def scene_to_optical(self) -> NDArray[np.float64]:
        """`[4, 4]` optical <- scene: the inverse of the rigid pose."""
        rotation = self.pose[:3, :3].T
        inverse = np.eye(4)
        inverse[:3, :3] = rotation
        inverse[:3, 3] = -rotation @ self.pose[:3, 3]
        return inverse
