"""Modes that lie together are counted together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import PolicyOutput, PolicySpec
from s2e_core.vote import ModeVote, votes

TIMES = 0.2 * np.arange(1, 11)


def parallel(*offsets: float) -> np.ndarray:
    """Straight ways side by side, so that their distance is that of their offsets. [M, 10, 2]"""
    return np.stack([np.stack([TIMES, np.full(10, y)], axis=1) for y in offsets])


def answer(modes: np.ndarray, *scores: float) -> PolicyOutput:
    return PolicyOutput(0, modes.astype(np.float32), np.array(scores, np.float32))


def spec(vote: float, memory: float = 0.0) -> PolicySpec:
    return PolicySpec('x', 1, SMALL_CAMERA, 1.5, 1.5, vote=vote, memory=memory)


def test_votes_by_hand() -> None:
    modes = parallel(0.0, 0.2, 5.0)
    near = math.exp(-0.5)
    # Neighbours at one width count exp(-1/2) of each other, the third is 25 widths away.
    expected = np.array([0.3 + 0.3 * near, 0.3 + 0.3 * near, 0.4])
    found = votes(modes, np.array([0.3, 0.3, 0.4]), 0.2)
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-6)
    assert found[:2].min() > found[2], 'a way shared by two beats a lone one of a higher score'


def test_without_width_the_scores_remain_to_the_bit() -> None:
    output = answer(parallel(0.0, 0.1), 0.4, 0.6)
    assert ModeVote(spec(0.0))(output) is output


def test_an_answer_that_nobody_may_use_is_left_alone() -> None:
    output = answer(parallel(0.0, 0.1), 0.4, math.nan)
    assert ModeVote(spec(0.2, 0.5))(output) is output


def test_ways_that_are_far_apart_do_not_vote_for_what_lies_between() -> None:
    found = votes(parallel(-1.0, 0.0, 1.0), np.array([0.45, 0.1, 0.45]), 0.2)
    assert found.argmin() == 1 and found[1] < 0.11


def test_memory_by_hand() -> None:
    modes, vote = parallel(-1.0, 1.0), ModeVote(spec(0.0, 0.5))
    np.testing.assert_allclose(vote(answer(modes, 0.8, 0.2)).scores, [0.8, 0.2], atol=1e-5)
    # Odds 4 and 1/9 meet at the geometric mean, 2/3: 0.4 and 0.6.
    np.testing.assert_allclose(vote(answer(modes, 0.1, 0.9)).scores, [0.4, 0.6], atol=1e-5)
    vote.reset()
    np.testing.assert_allclose(vote(answer(modes, 0.1, 0.9)).scores, [0.1, 0.9], atol=1e-5)


def test_an_answer_of_other_modes_begins_anew() -> None:
    vote = ModeVote(spec(0.0, 0.9))
    vote(answer(parallel(0.0, 1.0), 1.0, 0.0))
    np.testing.assert_allclose(
        vote(answer(parallel(0.0, 1.0, 2.0), 0.0, 0.0, 1.0)).scores, [0.0, 0.0, 1.0], atol=1e-5
    )


def test_a_mode_that_was_at_zero_comes_back_within_a_second() -> None:
    modes, vote = parallel(-1.0, 1.0), ModeVote(spec(0.2, 0.5))
    for _ in range(50):
        vote(answer(modes, 1.0, 0.0))
    chosen = [int(vote(answer(modes, 0.0, 1.0)).scores.argmax()) for _ in range(5)]
    assert chosen[-1] == 1


@given(
    st.lists(st.floats(-3.0, 3.0), min_size=2, max_size=8), st.floats(0.0, 2.0),
    st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 0.9]),
)
def test_votes_are_shares_whatever_comes(
    offsets: list[float], width: float, seed: int, memory: float
) -> None:
    rng, vote = np.random.default_rng(seed), ModeVote(spec(width, memory))
    for _ in range(3):
        scores = rng.dirichlet(np.full(len(offsets), 0.1)).astype(np.float32)
        found = vote(answer(parallel(*offsets), *scores)).scores
        assert found.shape == scores.shape and np.isfinite(found).all() and (found >= 0).all()
        assert found.sum() == pytest.approx(1.0, abs=1e-3)


def test_nobody_votes_where_all_scores_are_zero() -> None:
    np.testing.assert_array_equal(votes(parallel(0.0, 1.0), np.zeros(2), 0.2), [0.0, 0.0])
    found = ModeVote(spec(0.2, 0.5))(answer(parallel(0.0, 1.0), 0.0, 0.0))
    np.testing.assert_allclose(found.scores, [0.5, 0.5])
