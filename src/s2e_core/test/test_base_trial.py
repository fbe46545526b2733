"""Timing a base's own stop: by hand, against simulated bases."""

from __future__ import annotations

import pytest

from s2e_core.base_trial import BaseTrial, Phase, TrialConfig

TICK = 0.0625
"""Exact in binary, so that sums are too."""


def drive(trial: BaseTrial, timeout: float, deceleration: float = 1.0) -> float:
    """Let a base answer that takes speed at once and ramps down after its time-out."""
    speed, last, now = 0.0, -1e9, 0.0
    while not trial.over:
        asked = trial.command(now)
        if asked is not None:
            speed, last = asked, now
        elif now - last > timeout:
            speed = max(0.0, speed - deceleration * TICK)
        now += TICK
        trial.odometry(now, speed)
        assert now < 200.0
    return now


def test_times_by_hand() -> None:
    """Time-out 0.5 s, then 0.8 m/s2: 0.1 m/s falls to 0.05 and 0 in two ticks of 1/16 s.

    The last command goes out at t. The base notices at t + 0.5625, the first tick past t + 0.5,
    and its odometry comes a tick later: t + 0.625 shows 0.05 m/s, t + 0.6875 shows 0.
    """
    trial = BaseTrial(TrialConfig(trials=2), 0.0)
    drive(trial, 0.5, deceleration=0.8)
    assert trial.phase is Phase.DONE
    assert [r.timeout for r in trial.results] == pytest.approx([0.625, 0.625])
    assert [r.rest for r in trial.results] == pytest.approx([0.6875, 0.6875])
    assert trial.command(1000.0) == 0.0


def test_a_base_without_time_out_fails_and_is_stopped() -> None:
    trial = BaseTrial(TrialConfig(patience=2.0), 0.0)
    # A second of turning, two of waiting, and the tick that sees it.
    assert drive(trial, 60.0) == pytest.approx(3.2, abs=0.13)
    assert trial.phase is Phase.FAILED
    assert 'no time-out' in trial.problem
    assert trial.command(10.0) == 0.0


@pytest.mark.parametrize(('speaks', 'said'), [(True, 'never showed'), (False, 'no odometry')])
def test_a_base_that_does_not_move_fails(speaks: bool, said: str) -> None:
    trial, now = BaseTrial(TrialConfig(patience=1.0), 0.0), 0.0
    while not trial.over:
        trial.command(now)
        now += TICK
        if speaks:
            trial.odometry(now, 0.001)
    assert said in trial.problem
    assert now == pytest.approx(1.1, abs=0.06)
