"""Planar transforms against hand-computed numbers and group laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.se2 import Pose2, wrap_angle

coordinates = st.floats(-1e3, 1e3)
poses = st.builds(Pose2, coordinates, coordinates, st.floats(-math.pi, math.pi))


def test_transform_by_hand() -> None:
    """A quarter turn at (1, 2): child (3, 0) lies 3 m along the parent's y."""
    pose = Pose2(1.0, 2.0, math.pi / 2)
    assert np.allclose(pose.transform(np.array([3.0, 0.0])), [1.0, 5.0])
    assert np.allclose(pose.inverse().transform(np.array([1.0, 5.0])), [3.0, 0.0])


def test_distance_by_hand() -> None:
    """From (1, 1) to (4, 5): sqrt(3^2 + 4^2) = 5."""
    assert Pose2(1.0, 1.0, 0.3).distance_to((4.0, 5.0)) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ('angle', 'wrapped'),
    [(0.0, 0.0), (3 * math.pi, math.pi), (-math.pi, math.pi), (7.0, 7 - 2 * math.pi)],
)
def test_wrap(angle: float, wrapped: float) -> None:
    """Angles land in (-pi, pi]."""
    assert wrap_angle(angle) == pytest.approx(wrapped)


@given(poses, poses, coordinates, coordinates)
def test_compose_is_matrix_product(a: Pose2, b: Pose2, x: float, y: float) -> None:
    """Composition, matrices and point transforms tell the same."""
    assert np.allclose(a.compose(b).matrix(), a.matrix() @ b.matrix(), atol=1e-6)
    point = np.array([x, y])
    assert np.allclose(a.compose(b).transform(point), a.transform(b.transform(point)), atol=1e-6)


@given(poses)
def test_inverse(pose: Pose2) -> None:
    """A pose chained with its inverse is the identity."""
    identity = pose.compose(pose.inverse())
    assert np.allclose(identity.matrix(), np.eye(3), atol=1e-6)
