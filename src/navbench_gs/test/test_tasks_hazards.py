"""Distances to patches, and the clearance they leave."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navbench_gs.tasks.hazards import Patch, clearance_with, person_patch


def test_distance_to_a_turned_rectangle():
    # Half length 2 along y (turned by 90 deg), half width 1 along x.
    patch = Patch(0.0, 0.0, math.pi / 2, 2.0, 1.0)
    points = np.array([[0.0, 3.0], [4.0, 0.0], [4.0, 6.0], [0.5, 0.0]])
    # 3 - 2; 4 - 1; hypot(4 - 1, 6 - 2) = 5; 0.5 inside the nearest side.
    assert patch.distance(points) == pytest.approx([1.0, 3.0, 5.0, -0.5])


def test_distance_to_a_disc():
    distance = person_patch(1.0, 1.0, 0.25).distance(np.array([1.0, 3.0]))
    assert float(distance) == pytest.approx(1.75)


def test_clearance_is_lowered_around_patches_only():
    grid = np.full((100, 100), 9.0, np.float32)
    result = clearance_with(grid, (Patch(5.0, 5.0, 0.0, 0.5, 0.0),), np.zeros(2), 0.1, 1.0)
    # The cell centre (5.05, 6.25) lies hypot(0.05, 1.25) - 0.5 = 0.751 m from the disc.
    assert result[62, 50] == pytest.approx(0.7510, abs=1e-3)
    assert result[50, 50] == 0.0
    assert result[90, 90] == 9.0
    assert (grid == 9.0).all()


def test_patch_outside_the_grid_changes_nothing():
    grid = np.full((10, 10), 9.0, np.float32)
    assert (clearance_with(grid, (Patch(50.0, 5.0, 0.0, 1, 1),), np.zeros(2), 0.1, 1.0) == 9).all()
