"""The virtual scan measures rooms, discs and boxes to known distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.sensors.scan import VirtualScan
from s2e_core.se2 import Pose2

NO_DISCS = np.zeros((0, 3))
NO_BOXES = np.zeros((0, 5))


def room(half: float = 4.0) -> VirtualScan:
    """A square room, inner walls at +-half, on a grid of 0.1 m over 20 x 20 m."""
    axis = (np.arange(200) + 0.5) * 0.1 - 10.0
    inside = (np.abs(axis)[:, None] < half) & (np.abs(axis)[None, :] < half)
    return VirtualScan(
        CollisionMap(0.1, np.array([-10.0, -10.0]), ~inside, np.zeros((200, 200), np.float32),
                     inside, np.zeros((0, 7), np.float32))
    )


def test_square_room_from_its_middle() -> None:
    scan = room().cast(Pose2(), NO_DISCS, NO_BOXES, 360, 10.0)
    assert scan.dtype == np.float32
    # Beam k points at -180 + k degrees: back, right, ahead, left.
    for beam in (0, 90, 180, 270):
        assert scan[beam] == pytest.approx(4.0, abs=1e-5)
    assert scan[225] == pytest.approx(4.0 * math.sqrt(2.0), abs=0.15)
    # 30 degrees off the wall's normal: 4 / cos(30).
    assert scan[210] == pytest.approx(4.0 / math.cos(math.radians(30.0)), abs=1e-4)


def test_heading_turns_the_scan() -> None:
    # At (1, 0) facing +y: ahead 4, left (towards -x) 5, right 3, back 4.
    scan = room().cast(Pose2(1.0, 0.0, math.pi / 2), NO_DISCS, NO_BOXES, 4, 10.0)
    assert scan.tolist() == pytest.approx([4.0, 3.0, 4.0, 5.0], abs=1e-5)


def test_nothing_within_range_is_inf() -> None:
    scan = room().cast(Pose2(), NO_DISCS, NO_BOXES, 4, 3.9)
    assert np.isinf(scan).all()


def test_disc_and_box() -> None:
    # Disc of 0.25 m at x = 2: 1.75 ahead. Box, half sizes 0.3 x 0.5, turned by 90 degrees at
    # y = 2: its near face is 0.3 m closer: 1.7 to the left.
    discs = np.array([[2.0, 0.0, 0.25]])
    boxes = np.array([[0.0, 2.0, 0.5, 0.3, math.pi]])
    turned = np.array([[0.0, 2.0, 0.3, 0.5, math.pi / 2]])
    scan = room().cast(Pose2(), discs, boxes, 4, 10.0)
    assert scan.tolist() == pytest.approx([4.0, 4.0, 1.75, 1.7], abs=1e-5)
    assert room().cast(Pose2(), NO_DISCS, turned, 4, 10.0)[3] == pytest.approx(1.7, abs=1e-5)


def test_outside_the_grid_counts_as_occupied() -> None:
    scan = room().cast(Pose2(-12.0, 0.0, 0.0), NO_DISCS, NO_BOXES, 4, 10.0)
    assert scan.tolist() == [0.0, 0.0, 0.0, 0.0]


@settings(max_examples=50, deadline=None)
@given(st.floats(-3.5, 3.5), st.floats(-3.5, 3.5), st.floats(-3.0, 3.0))
def test_every_beam_ends_on_the_wall(x: float, y: float, yaw: float) -> None:
    pose = Pose2(x, y, yaw)
    scan = room().cast(pose, NO_DISCS, NO_BOXES, 72, 20.0).astype(np.float64)
    bearing = -math.pi + np.arange(72) * 2.0 * math.pi / 72
    ends = pose.transform(np.stack([scan * np.cos(bearing), scan * np.sin(bearing)], axis=1))
    assert np.abs(ends).max(axis=1) == pytest.approx(np.full(72, 4.0), abs=1e-4)
