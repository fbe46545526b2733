"""Re-projection: images of one camera as another, in the same place or another, would see them."""

from __future__ import annotations

import math

import cv2
import numpy as np

from s2e_core.camera import CameraModel, CameraMount, Unseen
from s2e_core.errors import ContractError

UNSEEN = -1e6
"""Pixel of a ray that the source does not see."""


class Reprojector:
    """Turns images of one camera into the view of another.

    The same view is resized by area; anything else goes through a fixed look-up table. Rays that
    the source does not see are black, or take the colour of its nearest pixel: a network that
    never saw black margins takes them for obstacles, even wedges of 3 % of the view.

    Given both mounts, another pitch is undone exactly. Another height cannot be, since what is
    seen over what depends on depth: rays below the horizon are taken to end on a level floor and
    all others infinitely far away. The floor, and where things stand on it, come out right for
    base_link; what stands up is stretched by the ratio of the heights.

    One thread at a time: the memory for shrinking is used again.
    """

    def __init__(
        self, source: CameraModel, target: CameraModel,
        mounts: tuple[CameraMount, CameraMount] | None = None, unseen: Unseen = 'black',
    ) -> None:
        """Prepare the tables.

        Args:
            source: Camera the images come from.
            target: Camera they shall look like; must be a pinhole.
            mounts: Places of source and target on the robot; left out, both are in one place.
            unseen: What is shown where the source does not see: black, or its nearest pixel.
                Rays of which it has no nearest pixel, behind it or past its lens, are black.

        Raises:
            ContractError: The target is distorted, or a camera lies on the floor.
        """
        if target.distortion:
            raise ContractError(f'reprojection: the target must be a pinhole, got {target.model}')
        if mounts is not None and min(mounts[0].z, mounts[1].z) <= 0:
            raise ContractError(
                f'reprojection: cameras must be above the floor, got {mounts[0].z} and '
                f'{mounts[1].z} m'
            )
        self.source = source
        self.target = target
        self._mounts = None if mounts is None or mounts[0] == mounts[1] else mounts
        same = self._mounts is None and source.same_view(target)
        self._maps = None if same else self._tables()
        self._border = cv2.BORDER_REPLICATE if unseen == 'edge' else cv2.BORDER_CONSTANT
        blind = None if self._maps is None else self._maps[0] <= 0.5 * UNSEEN
        self._blind = blind if unseen == 'edge' and blind is not None and blind.any() else None
        # Shrinking by a table alone aliases: below 0.5 the source is first reduced by area.
        self._shrink = min(target.fx / source.fx, target.fy / source.fy)
        self._blurred: np.ndarray | None = None

    @property
    def coverage(self) -> float:
        """Share of target pixels that the source sees, 0 to 1."""
        if self._maps is None:
            return 1.0
        u, v = self._maps
        seen = (u >= -0.5) & (u <= self.source.width - 0.5)
        seen &= (v >= -0.5) & (v <= self.source.height - 0.5)
        return float(seen.mean())

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Re-project one image.

        Args:
            rgb: Source image. [H, W, 3] uint8

        Returns:
            Target image. [h, w, 3] uint8

        Raises:
            ContractError: The image does not have the source camera's size.
        """
        if rgb.shape[:2] != (self.source.height, self.source.width):
            raise ContractError(
                f'reprojection: expected {self.source.height}x{self.source.width} (H x W), '
                f'got {rgb.shape[0]}x{rgb.shape[1]}'
            )
        size = (self.target.width, self.target.height)
        if self._maps is None:
            if (rgb.shape[1], rgb.shape[0]) == size:
                return rgb
            shrinks = size[0] <= rgb.shape[1] and size[1] <= rgb.shape[0]
            return cv2.resize(
                rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            )
        if self._shrink < 0.5:
            kernel = max(1, round(1.0 / self._shrink))
            rgb = self._blurred = cv2.blur(rgb, (kernel, kernel), dst=self._blurred)
        view = cv2.remap(rgb, *self._maps, cv2.INTER_LINEAR, borderMode=self._border)
        if self._blind is not None:
            view[self._blind] = 0
        return view

    def _tables(self) -> tuple[np.ndarray, np.ndarray]:
        t = self.target
        u, v = np.meshgrid(np.arange(t.width) + 0.5, np.arange(t.height) + 0.5)
        rays = np.stack([(u - t.cx) / t.fx, (v - t.cy) / t.fy, np.ones_like(u)], -1).reshape(-1, 3)
        if self._mounts is not None:
            rays = moved_rays(rays, *self._mounts)
        ahead = rays[:, 2] > 1e-6
        pixels = np.full((len(rays), 2), UNSEEN)
        pixels[ahead] = distort(self.source, rays[ahead] / rays[ahead, 2:])
        maps = pixels.reshape(t.height, t.width, 2).astype(np.float32)
        return np.ascontiguousarray(maps[..., 0]), np.ascontiguousarray(maps[..., 1])


def moved_rays(rays: np.ndarray, source: CameraMount, target: CameraMount) -> np.ndarray:
    """Return where a camera elsewhere on the robot sees what rays end at.

    Args:
        rays: Directions, optical frame of the target. [N, 3]
        source: Place of the camera that sees.
        target: Place of the camera whose rays they are.

    Returns:
        Directions, optical frame of the source, of any length. [N, 3]
    """
    from_target, from_source = target.base_from_optical(), source.base_from_optical()
    level = rays @ from_target[:3, :3].T
    down = level[:, 2] < 0.0
    # p = c_t + s r meets the floor where s = z_t / -r_z; scaled by 1 / s the ray to it from the
    # source is r + (c_t - c_s) / s, which goes to r at the horizon.
    offset = from_target[:3, 3] - from_source[:3, 3]
    share = np.where(down, -level[:, 2] / target.z, 0.0)
    return (level + share[:, None] * offset) @ from_source[:3, :3]


def distort(camera: CameraModel, rays: np.ndarray) -> np.ndarray:
    """Project rays with distortion to OpenCV pixels (centres at integers).

    Args:
        camera: Intrinsics.
        rays: Directions with z = 1, optical frame. [N, 3]

    Returns:
        Pixels; far outside the image where the lens does not see. [N, 2]
    """
    if not len(rays):
        return np.zeros((0, 2))
    matrix, zero = camera.matrix(), np.zeros(3)
    coefficients = np.array(camera.distortion or (0.0, 0.0, 0.0, 0.0), np.float64)
    if camera.model == 'equidistant' and camera.distortion:
        pixels, _ = cv2.fisheye.projectPoints(rays[:, None], zero, zero, matrix, coefficients)
        return pixels.reshape(-1, 2)
    pixels, _ = cv2.projectPoints(rays[:, None], zero, zero, matrix, coefficients)
    pixels = pixels.reshape(-1, 2)
    # Past its turning point the polynomial folds back into the image: those rays are not seen.
    # With k1 = -0.4 alone that happens 42.4 deg off axis.
    radius = np.hypot(rays[:, 0], rays[:, 1])
    pixels[radius >= _turning_radius(coefficients)] = UNSEEN
    return pixels


def _turning_radius(coefficients: np.ndarray) -> float:
    """Return the tangent of the angle at which the radius stops growing, or infinity.

    The radius is r N(s) / D(s) with s = r^2, N = 1 + k1 s + k2 s^2 + k3 s^3 and D alike of k4 to
    k6; its derivative is zero where N D + 2 s (N' D - N D') is. Past a zero of D nothing is seen.
    """
    k1, k2, _, _, k3, k4, k5, k6 = np.pad(coefficients, (0, 8 - len(coefficients)))
    up, low = np.poly1d([k3, k2, k1, 1.0]), np.poly1d([k6, k5, k4, 1.0])
    change = up * low + np.poly1d([2.0, 0.0]) * (up.deriv() * low - up * low.deriv())
    roots = np.concatenate([change.roots, low.roots])
    real = roots[np.abs(roots.imag) < 1e-9].real
    positive = real[real > 0]
    return float(np.sqrt(positive.min())) if len(positive) else math.inf
