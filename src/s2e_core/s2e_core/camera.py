"""Camera models and the camera's place on the robot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from s2e_core.errors import ContractError

DistortionModel = Literal['pinhole', 'plumb_bob', 'rational_polynomial', 'equidistant']
Unseen = Literal['black', 'edge']
"""What a view shows where the camera that it is made from does not see."""
UNSEEN_WORDS: dict[Unseen, str] = {
    'black': 'is black', 'edge': 'takes the nearest pixel that is seen',
}
"""The same for people, behind 'the rest'."""
COEFFICIENTS: dict[str, tuple[int, ...]] = {
    'pinhole': (0,), 'plumb_bob': (0, 4, 5), 'rational_polynomial': (0, 8), 'equidistant': (0, 4),
}
"""How many coefficients each model takes."""


@dataclass(frozen=True)
class CameraModel:
    """Intrinsics; pixel centres lie at integer + 0.5, so a centred camera has cx = width / 2."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    fx: float
    """Focal length along x, pixels."""
    fy: float
    """Focal length along y, pixels."""
    cx: float
    """Principal point, pixels from the image's left edge."""
    cy: float
    """Principal point, pixels from the image's upper edge."""
    model: DistortionModel = 'pinhole'
    """Distortion model, named as in sensor_msgs/CameraInfo."""
    distortion: tuple[float, ...] = ()
    """k1 k2 p1 p2 [k3] for plumb_bob, and k3 k4 k5 k6 for rational_polynomial; k1..k4 for
    equidistant."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or self.width * self.height > 64_000_000:
            raise ContractError(f'camera: image size {self.width}x{self.height} is out of range')
        values = (self.fx, self.fy, self.cx, self.cy, *self.distortion)
        if not all(math.isfinite(value) for value in values) or min(self.fx, self.fy) <= 0:
            raise ContractError(
                f'camera: intrinsics must be finite with positive focal lengths, got {values}'
            )
        known = COEFFICIENTS.get(self.model)
        if known is None or len(self.distortion) not in known:
            raise ContractError(
                f'camera: {self.model} takes {" or ".join(map(str, known or ()))} coefficients, '
                f'got {len(self.distortion)}'
            )

    @classmethod
    def from_fov(
        cls, width: int, height: int, hfov: float, vfov: float | None = None
    ) -> CameraModel:
        """Make a centred pinhole camera.

        Args:
            width: Pixels.
            height: Pixels.
            hfov: Horizontal field of view, radians.
            vfov: Vertical field of view, radians; square pixels when left out.
        """
        fx = width / 2 / math.tan(hfov / 2)
        fy = fx if vfov is None else height / 2 / math.tan(vfov / 2)
        return cls(width, height, fx, fy, width / 2, height / 2)

    @classmethod
    def from_calibration(
        cls, width: int, height: int, k: Sequence[float], model: str, d: Sequence[float]
    ) -> CameraModel:
        """Read intrinsics as ROS and OpenCV have them (pixel centres at integers).

        Args:
            width: Pixels.
            height: Pixels.
            k: Camera matrix by rows. [9]
            model: Distortion model; empty means plumb_bob.
            d: Its coefficients.

        Raises:
            ContractError: Uncalibrated, or a distortion model that is not known.
        """
        fx, fy, cx, cy = (float(k[i]) for i in (0, 4, 2, 5))
        if fx <= 0 or fy <= 0:
            raise ContractError(f'camera is not calibrated, k holds fx {fx}, fy {fy}')
        kind, coefficients = model or 'plumb_bob', tuple(float(value) for value in d)
        if not any(coefficients):
            kind, coefficients = 'pinhole', ()
        elif kind == 'plumb_bob':
            coefficients = coefficients[:5]
        elif kind == 'rational_polynomial':
            # OpenCV's thin-prism and tilt terms follow; depth cameras send them as zeros.
            if any(coefficients[8:]):
                raise ContractError(
                    f'rational_polynomial: only 8 coefficients are known, got {coefficients}'
                )
            coefficients = coefficients[:8]
        elif kind != 'equidistant':
            raise ContractError(
                'distortion_model must be plumb_bob, rational_polynomial or equidistant, got '
                f'{kind!r}'
            )
        known = cast(DistortionModel, kind)
        return cls(width, height, fx, fy, cx + 0.5, cy + 0.5, known, coefficients)

    @property
    def hfov(self) -> float:
        """Horizontal field of view of the undistorted model, radians."""
        return math.atan(self.cx / self.fx) + math.atan((self.width - self.cx) / self.fx)

    @property
    def vfov(self) -> float:
        """Vertical field of view of the undistorted model, radians."""
        return math.atan(self.cy / self.fy) + math.atan((self.height - self.cy) / self.fy)

    def scaled(self, width: int, height: int) -> CameraModel:
        """Return the same view in another image size."""
        sx, sy = width / self.width, height / self.height
        return CameraModel(
            width,
            height,
            self.fx * sx,
            self.fy * sy,
            self.cx * sx,
            self.cy * sy,
            self.model,
            self.distortion,
        )

    def matrix(self) -> np.ndarray:
        """Return the intrinsics as OpenCV has them (pixel centres at integers). [3, 3]"""
        return np.array(
            [[self.fx, 0.0, self.cx - 0.5], [0.0, self.fy, self.cy - 0.5], [0.0, 0.0, 1.0]]
        )

    def same_view(self, other: CameraModel) -> bool:
        """Whether both see the same rays up to image size (1e-6 relative)."""
        if (self.model if self.distortion else 'pinhole') != (
            other.model if other.distortion else 'pinhole'
        ) or self.distortion != other.distortion:
            return False
        scaled = self.scaled(other.width, other.height)
        mine = (scaled.fx, scaled.fy, scaled.cx, scaled.cy)
        return np.allclose(mine, (other.fx, other.fy, other.cx, other.cy), rtol=1e-6, atol=1e-6)


@dataclass(frozen=True)
class CameraMount:
    """Where the camera sits on the robot, base_link."""

    x: float
    """Metres ahead of base_link."""
    y: float
    """Metres to the left."""
    z: float
    """Metres above the floor."""
    pitch: float
    """Radians; positive looks down."""

    def base_from_optical(self) -> np.ndarray:
        """Return base_link <- optical (x right, y down, z forward; REP-103). [4, 4]"""
        c, s = math.cos(self.pitch), math.sin(self.pitch)
        pose = np.eye(4)
        pose[:3, 0] = (0.0, -1.0, 0.0)
        pose[:3, 1] = (-s, 0.0, -c)
        pose[:3, 2] = (c, 0.0, -s)
        pose[:3, 3] = (self.x, self.y, self.z)
        return pose


SMALL_CAMERA = CameraModel(128, 128, 64.0, 256.0 / 3.0, 64.0, 64.0)
"""Camera of the `small` policy: a full 4:3 view, 90 by 73.7 degrees, squeezed to a square."""
SMALL_MOUNT = CameraMount(0.3, 0.0, 0.6, 0.10)
"""Where the `small` policy's camera sat in training."""


def project(
    camera: CameraModel, mount: CameraMount, points: np.ndarray, near: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Project base_link points into the undistorted image.

    Args:
        camera: Intrinsics; distortion is not applied.
        mount: Place of the camera.
        points: base_link points, metres. [N, 3]
        near: Points nearer than this along the optical axis are invisible, metres.

    Returns:
        **uv**: Pixels (x right, y down). [N, 2] float64, NaN behind the camera.
        **visible**: In front of the camera and inside the image. [N] bool
    """
    optical_from_base = np.linalg.inv(mount.base_from_optical())
    p = np.asarray(points, np.float64) @ optical_from_base[:3, :3].T + optical_from_base[:3, 3]
    front = p[:, 2] > near
    z = np.where(front, p[:, 2], np.nan)
    uv = np.stack([camera.fx * p[:, 0] / z + camera.cx, camera.fy * p[:, 1] / z + camera.cy], 1)
    inside = (uv[:, 0] >= 0) & (uv[:, 0] < camera.width)
    inside &= (uv[:, 1] >= 0) & (uv[:, 1] < camera.height)
    return uv, front & inside
