"""Clouds: shapes, rigid motion, joining, and spherical harmonics that turn along."""

import numpy as np
import pytest
from transforms3d.euler import euler2mat
from transforms3d.quaternions import qmult, quat2mat

from navbench_gs.splats import GaussianCloud, harmonics
from navbench_gs.splats.rotation import (
    matrix_to_quaternion,
    normalised,
    quaternion_multiply,
    quaternions_to_matrices,
)


def _similarity(scale, rotation, translation):
    matrix = np.eye(4)
    matrix[:3, :3] = scale * rotation
    matrix[:3, 3] = translation
    return matrix


def test_quaternion_formulas_match_transforms3d():
    rng = np.random.default_rng(3)
    left, right = normalised(rng.normal(size=(2, 50, 4)))
    product = quaternion_multiply(left, right)
    matrices = quaternions_to_matrices(left)
    for n in range(50):
        np.testing.assert_allclose(product[n], qmult(left[n], right[n]), atol=1e-12)
        np.testing.assert_allclose(matrices[n], quat2mat(left[n]), atol=1e-12)


def test_a_zero_quaternion_becomes_the_identity():
    np.testing.assert_array_equal(normalised(np.zeros((1, 4))), [[1.0, 0.0, 0.0, 0.0]])


def test_quarter_turn_and_doubling_by_hand():
    # A gaussian at x = 1, long along x. Rz(90 deg) and scale 2, then +3 along z:
    # centre 2 * (0, 1, 0) + (0, 0, 3), long axis (local x) now along world y.
    cloud = GaussianCloud.from_rgb(
        [[1, 0, 0]], [[1, 0, 0, 0]], [[0.5, 0.1, 0.1]], [1], [[1, 0, 0]]
    )
    turn = euler2mat(0.0, 0.0, np.pi / 2)
    moved = cloud.transformed(_similarity(2.0, turn, [0.0, 0.0, 3.0]))
    np.testing.assert_allclose(moved.means, [[0.0, 2.0, 3.0]], atol=1e-6)
    np.testing.assert_allclose(moved.scales, [[1.0, 0.2, 0.2]], rtol=1e-6)
    axis = quaternions_to_matrices(moved.quats)[0][:, 0]
    np.testing.assert_allclose(axis, [0.0, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize('degree', [1, 2, 3])
def test_rotated_harmonics_show_the_same_colour_from_the_rotated_side(random_cloud, degree):
    cloud = random_cloud(20, degree)
    turn = euler2mat(0.3, -1.1, 2.0)
    moved = cloud.transformed(_similarity(1.0, turn, [1.0, 2.0, 3.0]))
    directions = np.random.default_rng(1).normal(size=(20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    before = np.einsum('nk,nkc->nc', harmonics.basis(directions, degree), cloud.sh)
    after = np.einsum('nk,nkc->nc', harmonics.basis(directions @ turn.T, degree), moved.sh)
    np.testing.assert_allclose(after, before, atol=2e-5)


def test_harmonics_are_orthonormal_on_the_sphere():
    # Gauss-Legendre in z and equal steps in azimuth integrate products of degree 6 exactly.
    z, weights = np.polynomial.legendre.leggauss(8)
    azimuth = 2.0 * np.pi * np.arange(16) / 16.0
    z, azimuth = (grid.ravel() for grid in np.meshgrid(z, azimuth, indexing='ij'))
    radius = np.sqrt(1.0 - z**2)
    directions = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)
    values = harmonics.basis(directions, 3)
    weight = np.repeat(weights, 16) * 2.0 * np.pi / 16.0
    np.testing.assert_allclose(values.T @ (values * weight[:, None]), np.eye(16), atol=1e-12)


def test_concatenate_pads_to_the_highest_degree(random_cloud):
    joined = GaussianCloud.concatenate([random_cloud(3, 0), random_cloud(2, 2)])
    assert len(joined) == 5
    assert joined.sh_degree == 2
    assert not joined.sh[:3, 1:].any()


def test_concatenate_of_nothing_is_an_empty_cloud():
    empty = GaussianCloud.concatenate([])
    assert len(empty) == 0
    assert empty.sh_degree == 0


def test_from_rgb_keeps_the_colour():
    cloud = GaussianCloud.from_rgb(
        np.zeros((2, 3)),
        [[1, 0, 0, 0]] * 2,
        np.ones((2, 3)),
        [1, 1],
        [[0, 0.5, 1], [0.2, 0.3, 0.4]],
    )
    colour = 0.5 + harmonics.C0 * cloud.sh[:, 0]
    np.testing.assert_allclose(colour, [[0, 0.5, 1], [0.2, 0.3, 0.4]], atol=1e-6)


def test_select_takes_masks_and_indices(random_cloud):
    cloud = random_cloud(5, 1)
    mask = np.array([True, False, False, True, False])
    np.testing.assert_array_equal(cloud.select(mask).means, cloud.select(np.array([0, 3])).means)


@pytest.mark.parametrize(
    ('matrix', 'words'),
    [
        (np.diag([1.0, 1.0, -1.0, 1.0]), 'mirror'),
        (np.diag([1.0, 2.0, 1.0, 1.0]), 'similarity'),
        (np.eye(3), r'\[4, 4\]'),
    ],
)
def test_transforms_that_would_shear_or_mirror_are_refused(random_cloud, matrix, words):
    with pytest.raises(ValueError, match=words):
        random_cloud(2).transformed(matrix)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match=r'quats must have shape \(2, 4\), got \(2, 3\)'):
        GaussianCloud(
            np.zeros((2, 3)), np.zeros((2, 3)), np.ones((2, 3)), np.ones(2), np.zeros((2, 1, 3))
        )
    with pytest.raises(ValueError, match='1, 4, 9 or 16'):
        GaussianCloud(
            np.zeros((2, 3)), np.zeros((2, 4)), np.ones((2, 3)), np.ones(2), np.zeros((2, 2, 3))
        )


def test_matrix_to_quaternion_is_wxyz():
    # Half a turn about z: w = cos(90 deg) = 0, z = sin(90 deg) = 1.
    np.testing.assert_allclose(
        np.abs(matrix_to_quaternion(np.diag([-1.0, -1.0, 1.0]))), [0, 0, 0, 1], atol=1e-9
    )
