"""The in-memory form of a set of 3D gaussians, shared by every reader and renderer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.splats import harmonics
from navbench_gs.splats.rotation import matrix_to_quaternion, quaternion_multiply

Float32 = NDArray[np.float32]

_WIDTHS = {'means': 3, 'quats': 4, 'scales': 3}


@dataclass(frozen=True)
class GaussianCloud:
    """A set of N gaussians in one metric frame.

    Arrays are stored as contiguous float32; other inputs are converted. Shapes are checked,
    values are not: `splats.load` already guarantees finite, normalised values.

    Raises:
        ValueError: an array has the wrong shape.
    """

    means: Float32
    """Centres, `[N, 3]` metres, scene frame."""
    quats: Float32
    """Orientations, `[N, 4]`, wxyz, unit: columns of the rotation are the gaussian's axes."""
    scales: Float32
    """Standard deviations along the gaussian's axes, `[N, 3]` metres, > 0."""
    opacities: Float32
    """Peak opacity, `[N]` in [0, 1] (after the sigmoid)."""
    sh: Float32
    """Spherical harmonics `[N, K, 3]`, K in {1, 4, 9, 16}, INRIA convention:
    colour = 0.5 + sum of coefficient times basis, seen along the ray from camera to gaussian."""

    def __post_init__(self) -> None:
        for name in ('means', 'quats', 'scales', 'opacities', 'sh'):
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float32)
            object.__setattr__(self, name, array)
        count = len(self.means)
        for name, width in _WIDTHS.items():
            shape = getattr(self, name).shape
            if shape != (count, width):
                raise ValueError(f'{name} must have shape ({count}, {width}), got {shape}')
        if self.opacities.shape != (count,):
            raise ValueError(f'opacities must have shape ({count},), got {self.opacities.shape}')
        shape = self.sh.shape
        if len(shape) != 3 or shape[0] != count or shape[2] != 3:
            raise ValueError(f'sh must have shape ({count}, K, 3), got {shape}')
        if shape[1] not in harmonics.COEFFICIENTS:
            raise ValueError(f'sh must hold 1, 4, 9 or 16 coefficients, got {shape[1]}')

    def __len__(self) -> int:
        return len(self.means)

    @property
    def sh_degree(self) -> int:
        """Degree of the spherical harmonics, 0 to 3."""
        return harmonics.COEFFICIENTS.index(self.sh.shape[1])

    def select(self, index: NDArray[np.bool_] | NDArray[np.integer] | slice) -> GaussianCloud:
        """Return the gaussians named by a mask, an index array or a slice."""
        return GaussianCloud(
            self.means[index],
            self.quats[index],
            self.scales[index],
            self.opacities[index],
            self.sh[index],
        )

    def transformed(self, transform: NDArray[np.floating]) -> GaussianCloud:
        """Move the cloud by a similarity (rotation, uniform scale, translation).

        Args:
            transform: `[4, 4]` new frame <- current frame.

        Raises:
            ValueError: the upper 3x3 is not a rotation times a positive scale.
        """
        scale, rotation, translation = _split_similarity(transform)
        means = scale * (self.means.astype(np.float64) @ rotation.T) + translation
        quats = quaternion_multiply(matrix_to_quaternion(rotation), self.quats)
        sh = self.sh
        if self.sh_degree > 0:
            mixing = harmonics.rotation_matrix(rotation, self.sh_degree)
            sh = np.einsum('ij,njc->nic', mixing, self.sh.astype(np.float64)).astype(np.float32)
        return GaussianCloud(
            means.astype(np.float32),
            quats.astype(np.float32),
            self.scales * np.float32(scale),
            self.opacities,
            sh,
        )

    @staticmethod
    def concatenate(clouds: Sequence[GaussianCloud]) -> GaussianCloud:
        """Join clouds in order; lower SH degrees are padded with zeros to the highest."""
        if not clouds:
            three, four = np.zeros((0, 3)), np.zeros((0, 4))
            return GaussianCloud.from_rgb(three, four, three, np.zeros(0), three)
        width = max(cloud.sh.shape[1] for cloud in clouds)
        padded = [
            np.pad(cloud.sh, ((0, 0), (0, width - cloud.sh.shape[1]), (0, 0))) for cloud in clouds
        ]
        return GaussianCloud(
            np.concatenate([cloud.means for cloud in clouds]),
            np.concatenate([cloud.quats for cloud in clouds]),
            np.concatenate([cloud.scales for cloud in clouds]),
            np.concatenate([cloud.opacities for cloud in clouds]),
            np.concatenate(padded),
        )

    @staticmethod
    def from_rgb(
        means: NDArray[np.floating],
        quats: NDArray[np.floating],
        scales: NDArray[np.floating],
        opacities: NDArray[np.floating],
        rgb: NDArray[np.floating],
    ) -> GaussianCloud:
        """Build a cloud of view-independent colour; `rgb` is `[N, 3]` in [0, 1]."""
        dc = (np.asarray(rgb, dtype=np.float64) - 0.5) / harmonics.C0
        return GaussianCloud(
            np.asarray(means, dtype=np.float32),
            np.asarray(quats, dtype=np.float32),
            np.asarray(scales, dtype=np.float32),
            np.asarray(opacities, dtype=np.float32),
            dc[:, None, :].astype(np.float32),
        )


def _split_similarity(
    transform: NDArray[np.floating],
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Split a `[4, 4]` similarity into scale, rotation `[3, 3]` and translation `[3]`."""
    matrix = np.asarray(transform, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.allclose(matrix[3], (0.0, 0.0, 0.0, 1.0)):
        raise ValueError(f'transform must be [4, 4] with last row 0 0 0 1, got {matrix}')
    determinant = float(np.linalg.det(matrix[:3, :3]))
    if not np.isfinite(determinant) or determinant <= 0.0:
        raise ValueError(f'transform must not mirror or collapse, got determinant {determinant}')
    scale = determinant ** (1.0 / 3.0)
    rotation = matrix[:3, :3] / scale
    # 1e-4: float32 poses composed a few times stay below 1e-5; a shear of 0.1 % does not.
    error = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if error > 1e-4:
        raise ValueError(f'transform must be a similarity, off by {error:.3g} > 1e-4')
    return scale, rotation, matrix[:3, 3]
