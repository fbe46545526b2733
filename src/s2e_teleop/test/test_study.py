"""The study's arithmetic, by hand and by its definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from s2e_teleop.link import Direction, LinkProfile, VideoLimits
from s2e_teleop.study.effect import cohens_d, win_share
from s2e_teleop.study.operator import OperatorModel, lateness
from s2e_teleop.study.smoothness import idle_time, reversals, spectral_arc_length

DT = 0.05


def bell(seconds: float, centre: float, width: float) -> np.ndarray:
    """A movement that begins and ends at rest."""
    t = np.arange(0.0, seconds, DT)
    return np.exp(-0.5 * ((t - centre) / width) ** 2)


def test_one_movement_is_smoother_than_three() -> None:
    one = bell(6.0, 3.0, 0.7)
    three = sum(bell(6.0, c, 0.3) for c in (1.0, 3.0, 5.0))
    assert spectral_arc_length(three, DT) < spectral_arc_length(one, DT) - 0.2 < 0.0


def test_the_arc_length_knows_neither_size_nor_direction() -> None:
    speed = bell(6.0, 3.0, 0.7) + 0.1 * np.sin(np.arange(0.0, 6.0, DT) * 9.0)
    assert spectral_arc_length(3.0 * speed, DT) == pytest.approx(spectral_arc_length(speed, DT))
    assert math.isnan(spectral_arc_length(np.zeros(50), DT))


def test_a_gaussian_s_arc_length_by_its_formula() -> None:
    """|F| of a bell of width s falls as exp(-(2 pi f s)^2 / 2), to 0.05 at f = 0.389 / s.

    On axes scaled to 1 the arc from (0, 1) to (1, 0.05) is integrated directly.
    """
    u = np.linspace(0.0, 1.0, 20001)
    curve = np.exp(math.log(0.05) * u**2)
    expected = -float(np.hypot(np.diff(u), np.diff(curve)).sum())
    assert spectral_arc_length(bell(12.0, 6.0, 0.5), DT) == pytest.approx(expected, abs=0.01)


def test_reversals_by_hand() -> None:
    """Left, straight, left, right, left over 3 s: two changes, 40 a minute."""
    rate = np.repeat([0.3, 0.01, 0.2, -0.2, 0.4], 12)
    assert reversals(rate, DT) == pytest.approx(2 / (3.0 / 60.0))
    assert reversals(np.zeros(60), DT) == 0.0


def test_idle_by_hand() -> None:
    assert idle_time(np.array([0.0, 0.04, -0.04, 0.06, 1.0]), DT) == pytest.approx(0.15)


def test_lateness_by_hand() -> None:
    """25 kB at (320 / 640)^2 are 50 kbit, 0.1 s at 0.5 Mbit/s; 10 Hz: half an interval is 0.05 s.

    0.05 + 0.1 + 0.11 + 0.25 + 0.09 = 0.6 s; the deviations 0.03 and 0.04 make 0.05.
    """
    link = LinkProfile(
        'test', '', to_robot=Direction(delay=0.09, jitter=0.03, loss=0.01),
        to_driver=Direction(delay=0.11, jitter=0.04, bandwidth=0.5),
        video=VideoLimits(width=320, rate=10), retransmit=0.2, max_age=0.8, v_max=1.0,
    )
    late = lateness(OperatorModel(), link)
    assert (late.latency, late.jitter) == (pytest.approx(0.6), pytest.approx(0.05))
    # Of that the hand takes 0.25 s.
    assert late.delay == pytest.approx(0.35)
    # Commands may be twice as old as the reference of 0.4 s: half of the link's 1 m/s.
    assert (late.loss, late.retransmit, late.v_max) == (0.01, 0.2, 0.5)
    # The link as it is: a picture's half interval at 30 Hz and the reaction.
    assert lateness(OperatorModel(), LinkProfile()).latency == pytest.approx(0.25 + 0.5 / 30)


def test_effect_sizes_by_hand() -> None:
    """1, 2, 3: mean 2, deviation 1. Of 1, -1, 0, 2 two are more and one is a tie: 2.5 of 4."""
    assert cohens_d(np.array([1.0, 2.0, 3.0])) == pytest.approx(2.0)
    assert win_share(np.array([1.0, -1.0, 0.0, 2.0])) == pytest.approx(0.625)
    assert math.isnan(cohens_d(np.array([1.0]))) and math.isnan(win_share(np.array([])))
    assert cohens_d(np.zeros(3)) == 0.0 and cohens_d(np.full(3, -2.0)) == -math.inf
