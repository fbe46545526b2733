"""The image window: spacing, repetition at the start, and restarts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.camera import CameraModel
from s2e_core.contract import POLICY_PERIOD_NS, PolicySpec
from s2e_core.errors import ContractError
from s2e_core.history import ObservationHistory
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2

SPEC = PolicySpec('test', 4, CameraModel(8, 6, 4, 4, 4, 3), 1.5, 1.0)


def frame(stamp_ns: int, value: int = 0) -> CameraFrame:
    """Make an image of one grey."""
    return CameraFrame(stamp_ns, np.full((6, 8, 3), value, np.uint8))


def values(history: ObservationHistory) -> list[int]:
    """Return the grey of each image of the window, oldest first."""
    observation = history.observation(None, Odometry(0, Pose2()))
    return [int(image[0, 0, 0]) for image in observation.images]


def test_oldest_is_repeated_until_full() -> None:
    """Two images in a window of four: the first fills the older slots."""
    history = ObservationHistory(SPEC)
    assert history.add(frame(0, 1))
    assert not history.add(frame(POLICY_PERIOD_NS, 2))
    assert values(history) == [1, 1, 1, 2]


def test_fast_camera_is_thinned_to_the_period() -> None:
    """At 15 Hz, images 0..12 at 66.7 ms: due 0.8, 0.6, 0.4, 0.2 s are numbers 12, 9, 6, 3."""
    history = ObservationHistory(SPEC)
    for i in range(13):
        history.add(frame(round(i * 1e9 / 15), i))
    assert values(history) == [3, 6, 9, 12]


@pytest.mark.parametrize('stamp_ns', [1_200_000_001, -5])
def test_gap_or_step_back_begins_anew(stamp_ns: int) -> None:
    """After more than a second, or a stamp in the past, earlier images are of another drive."""
    history = ObservationHistory(SPEC)
    for i in range(2):
        history.add(frame(i * POLICY_PERIOD_NS, 1))
    assert history.add(frame(stamp_ns, 9))
    assert values(history) == [9, 9, 9, 9]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_any_rate_keeps_order_and_newest(steps_ms: list[int]) -> None:
    """Stamps never fall along the window, the newest is last, memory is bounded."""
    history = ObservationHistory(SPEC)
    now = 0
    for step in steps_ms:
        now += step * 1_000_000
        history.add(frame(now))
        stamps = history.observation(None, Odometry(now, Pose2())).stamps_ns
        assert stamps[-1] == now
        assert (np.diff(stamps) >= 0).all()
        assert len(history) <= 1000


def test_wrong_size_is_refused() -> None:
    """The message names both shapes."""
    with pytest.raises(ContractError, match=r'\(6, 8, 3\), got \(8, 6, 3\)'):
        ObservationHistory(SPEC).add(CameraFrame(0, np.zeros((8, 6, 3), np.uint8)))


def test_empty_window_is_refused() -> None:
    """There is nothing to repeat."""
    with pytest.raises(ContractError, match='no image'):
        ObservationHistory(SPEC).observation(None, Odometry(0, Pose2()))


def test_a_policy_may_look_less_often_and_sees_where_it_was() -> None:
    """Once a second: of images every 0.2 s the fifth, tenth ... with the poses they came from."""
    spec = PolicySpec('slow', 3, SPEC.camera, 1.5, 1.0, 1_000_000_000)
    history = ObservationHistory(spec)
    for i in range(13):
        stamp = i * POLICY_PERIOD_NS
        history.add(frame(stamp, i), Odometry(stamp, Pose2(0.1 * i, 0.0, 0.0)))
    seen = history.observation(None, Odometry(stamp, Pose2()))
    assert [int(image[0, 0, 0]) for image in seen.images] == [2, 7, 12]
    assert seen.poses is not None
    np.testing.assert_allclose(seen.poses[:, 0], [0.2, 0.7, 1.2])
    # A gap of 1.5 s is two of its looks, not another drive; without odometry there are no poses.
    assert not history.add(frame(stamp + 1_500_000_000, 99))
    assert history.observation(None, Odometry(stamp, Pose2())).poses is None
