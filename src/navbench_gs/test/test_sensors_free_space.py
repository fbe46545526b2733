"""Free distance along bearings: by hand, and against the map in a generated city."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.sensors.free_space import REACH, bearings, from_depth, from_scan, half_view
from s2e_core.camera import CameraModel, CameraMount

CAMERA = CameraModel(96, 96, 48.0, 48.0, 48.0, 48.0)
"""90 degrees both ways."""
MOUNT = CameraMount(0.0, 0.0, 0.6, 0.0)


def flat(floor: float = 0.0) -> CollisionMap:
    """Return an empty map of 40 x 40 m."""
    shape = (400, 400)
    empty = np.zeros(shape, bool)
    return CollisionMap(
        0.1, np.array([-20.0, -20.0]), empty, np.full(shape, floor, np.float32), empty,
        np.zeros((0, 7)),
    )


def test_bearings_divide_the_view_from_left_to_right() -> None:
    """90 degrees in 48 shares of 1.875: the first middle lies at 45 - 0.9375 degrees."""
    found = np.degrees(bearings(CAMERA))
    assert found[0] == pytest.approx(44.0625)
    assert found[-1] == pytest.approx(-44.0625)
    np.testing.assert_allclose(np.diff(found), -1.875)
    assert half_view(CAMERA) == pytest.approx(math.pi / 4)


def test_a_wall_ahead_is_further_away_at_the_sides() -> None:
    """A wall 4 m ahead: 4 / cos(bearing), measured in the middle of a share."""
    depth = np.full((96, 96), 4.0)
    free = from_depth(depth, CAMERA, MOUNT.base_from_optical(), flat(), 0.0)
    # A share is 1.5 pixels wide at the middle, 3 at the edge; the third nearest of its pixels
    # lies within half a share of its middle: 4 (1/cos 45 - 1/cos 43.125) = 0.18 m at the edge.
    np.testing.assert_allclose(free, 4.0 / np.cos(bearings(CAMERA)), atol=0.19)
    assert free[23] == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize(('height', 'expected'), [(0.1, REACH), (0.3, 3.0), (1.5, REACH)])
def test_only_what_stands_in_the_way_counts(height: float, expected: float) -> None:
    """At 0.1 m a robot drives over it, at 1.5 m below it.

    The camera looks from 0.6 m: a point 3 m ahead at height h lies 48 (0.6 - h) / 3 pixels below
    the middle: row 48 + 8 = 56 at 0.1 m, 48 + 4.8 = 52 at 0.3 m, 48 - 14.4 = 33 at 1.5 m.
    """
    depth = np.full((96, 96), np.inf)
    row = int(48 + 48 * (0.6 - height) / 3.0)
    depth[row, 40:56] = 3.0
    free = from_depth(depth, CAMERA, MOUNT.base_from_optical(), flat(), 0.0)
    # 16 pixels in one row are 1 or 2 in a share: too few witnesses, so give it three rows.
    assert free.min() == REACH
    depth[row - 1:row + 2, 40:56] = 3.0
    free = from_depth(depth, CAMERA, MOUNT.base_from_optical(), flat(), 0.0)
    assert free.min() == pytest.approx(expected, abs=0.05)


def test_height_counts_from_the_floor_below() -> None:
    """A floor 0.5 m down: what the camera sees straight ahead at 0.6 m is 1.1 m above it."""
    depth = np.full((96, 96), np.inf)
    depth[47:50] = 3.0
    for floor, blocked in ((0.0, True), (-0.5, True), (-0.7, False)):
        free = from_depth(depth, CAMERA, MOUNT.base_from_optical(), flat(floor), 0.0)
        assert bool(free.min() < REACH) is blocked


def test_bearings_turn_with_the_robot() -> None:
    """Facing +y with something on the left half: the first shares see it."""
    pose = np.eye(4)
    pose[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    depth = np.full((96, 96), np.inf)
    depth[40:60, :48] = 2.0
    optical = pose @ MOUNT.base_from_optical()
    free = from_depth(depth, CAMERA, optical, flat(), math.pi / 2)
    assert (free[:24] < 3.0).all() and (free[24:] == REACH).all()


def test_scan_takes_the_least_beam_of_a_share() -> None:
    """360 beams, one at 10 degrees short: only the share around 10 degrees is short."""
    ranges = np.full(360, np.inf, np.float32)
    ranges[190] = 2.5  # -180 + 190 = 10 degrees
    free = from_scan(ranges, CAMERA)
    share = int((45 - 10) / 1.875)
    assert free[share] == 2.5 and (np.delete(free, share) == REACH).all()
