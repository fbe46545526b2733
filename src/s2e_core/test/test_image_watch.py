"""Frozen and blank pictures."""

from __future__ import annotations

import numpy as np

from s2e_core.image_watch import PIECE, FrozenWatch, blank
from s2e_core.se2 import Pose2

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, 300, np.uint8)


def test_the_same_picture_is_frozen_once_the_robot_has_moved() -> None:
    """4 cm may be; 6 cm may not, and the way counts from the first of the equal pictures."""
    watch = FrozenWatch()
    assert watch.add(PICTURE, Pose2(1.0, 0.0, 0.0)) == ''
    assert watch.add(PICTURE.copy(), Pose2(1.04, 0.0, 0.0)) == ''
    assert watch.add(PICTURE.copy(), Pose2(1.06, 0.0, 0.0)).startswith('the same picture while')


def test_turning_counts_too_also_over_the_turn_of_pi() -> None:
    """From 3.12 to -3.12 rad is 0.043 rad, to -3.08 it is 0.083."""
    watch = FrozenWatch()
    watch.add(PICTURE, Pose2(0.0, 0.0, 3.12))
    assert watch.add(PICTURE, Pose2(0.0, 0.0, -3.12)) == ''
    assert 'turned 0.08 rad' in watch.add(PICTURE, Pose2(0.0, 0.0, -3.08))


def test_a_difference_is_seen_wherever_it_lies() -> None:
    """Pictures are compared in pieces: first, last and in between."""
    picture = np.zeros(3 * PIECE + 11, np.uint8)
    for place in (0, PIECE - 1, PIECE, 2 * PIECE + 5, 3 * PIECE + 10):
        watch, other = FrozenWatch(), picture.copy()
        other[place] = 1
        watch.add(picture, Pose2())
        assert watch.add(other, Pose2(1.0, 0.0, 0.0)) == ''
        assert watch.add(other.copy(), Pose2(2.0, 0.0, 0.0))
    watch.add(picture, Pose2())
    # Another length is another picture.
    assert watch.add(picture[:-1], Pose2(9.0, 0.0, 0.0)) == ''


def test_standing_still_and_new_pictures_are_fine() -> None:
    """A single pixel's noise is a new picture."""
    watch = FrozenWatch()
    for _ in range(100):
        assert watch.add(PICTURE, Pose2()) == ''
    noisy = PICTURE.copy()
    noisy[7] ^= 1
    assert watch.add(noisy, Pose2(3.0, 0.0, 0.0)) == ''
    watch.clear()
    assert watch.add(noisy, Pose2(6.0, 0.0, 0.0)) == ''


def test_blank_pictures() -> None:
    """Black, white and sensor noise of one level are blank; noise of five is not."""
    black = np.zeros((12, 16, 3), np.uint8)
    assert blank(black).startswith('blank picture: grey 0 of 255')
    assert blank(black + 255)
    shape = (64, 64, 3)
    assert blank(np.clip(RNG.normal(20, 1.0, shape), 0, 255).astype(np.uint8))
    # Grey is the mean of three channels: noise of 10 in each is 5.8 in grey.
    assert not blank(np.clip(RNG.normal(120, 10.0, shape), 0, 255).astype(np.uint8))
