"""Limits of a holonomic base; those of the others are tested with the gate."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.errors import ConfigError
from s2e_core.gate import Gate, GateConfig, Source
from s2e_core.limits import limit_acceleration, limit_velocity, ramp_down
from s2e_core.records import Command, Odometry
from s2e_core.robot import RobotProfile
from s2e_core.se2 import Pose2
from s2e_core.swept_path import free_travel


def robot(kinematics: str = 'holonomic', vy_max: float = 0.5, **more: float) -> RobotProfile:
    return RobotProfile(
        'mecanum', kinematics, 0.6, 0.5, 0.4, 30.0, 0.08, 0.4, 1.0, 2.0, vy_max=vy_max,
        base_timeout=0.5, **more,
    )


MECANUM = robot()
"""Its camera sees 90 degrees: autonomy goes no further aside than ahead."""


def test_aside_is_limited_by_hand() -> None:
    # 3 m/s are brought to 1: aside and turn by the same third; then 1.0 and 0.2 by the cap
    # together: 1 / sqrt(1.04).
    limited = limit_velocity(Command(0, 3.0, 0.6, 0.6), MECANUM, 1.0)
    share = 1.0 / math.sqrt(1.04)
    assert (limited.v, limited.w, limited.vy) == pytest.approx((share, 0.2 * share, 0.2 * share))
    # Slower than it is wide: tan(45 deg) x 0.3 m/s.
    assert limit_velocity(Command(0, 0.3, 0.0, 0.9), MECANUM, 1.0).vy == pytest.approx(0.3)
    # A person may also go where the camera does not look.
    driven = limit_velocity(Command(0, 0.0, 0.0, -0.9), MECANUM, 1.0, reverse=True)
    assert (driven.v, driven.vy) == (0.0, -0.5)
    # Straight aside is never autonomy's.
    assert not limit_velocity(Command(0, 0.0, 0.0, 0.4), MECANUM, 1.0).moves
    # Other bases have no side speed at all.
    assert limit_velocity(Command(0, 0.5, 0.1, 0.4), robot('differential', 0.0), 1.0).vy == 0.0


def test_a_yaw_limit_slows_the_way_aside_with_the_way_ahead() -> None:
    # 4 rad/s are twice what it can: half of everything.
    limited = limit_velocity(Command(0, 0.8, 4.0, 0.4), MECANUM, 1.0)
    assert (limited.v, limited.w, limited.vy) == pytest.approx((0.4, 2.0, 0.2))


def test_ramps_by_hand() -> None:
    # 0.6 and 0.8 are 1 m/s; 2 m/s^2 for 0.1 s leave 0.8 m/s in the same direction.
    slower = ramp_down(Command(0, 0.6, 0.5, 0.8), 2.0, 0.1, 1)
    assert (slower.v, slower.w, slower.vy) == pytest.approx((0.48, 0.4, 0.64))
    assert not ramp_down(Command(0, 0.0, 0.0, 0.1), 2.0, 0.1, 1).moves
    # Faster by a_max (1 m/s^2), slower by the stop deceleration (2 m/s^2).
    stepped = limit_acceleration(Command(0, 0.5, 0.0, -0.4), Command(0, 0.5, 0.0, 0.4), MECANUM,
                                 0.1, 1)
    assert stepped.vy == pytest.approx(-0.2)
    assert limit_acceleration(Command(0), Command(0, 0.0, 0.0, 0.4), MECANUM, 0.1, 1).vy == (
        pytest.approx(0.1))


speeds = st.floats(-10.0, 10.0, allow_nan=False)


@given(speeds, speeds, speeds, st.floats(0.05, 1.0), st.booleans())
def test_whatever_is_asked_for_stays_within(
    v: float, w: float, vy: float, cap: float, reverse: bool
) -> None:
    limited = limit_velocity(Command(0, v, w, vy), MECANUM, cap, reverse=reverse)
    slack = 1.0 + 1e-9
    assert limited.speed <= cap * slack and abs(limited.w) <= MECANUM.w_max * slack
    assert abs(limited.vy) <= MECANUM.vy_max * slack
    if not reverse:
        assert limited.v >= 0.0 and abs(limited.vy) <= limited.v * slack


def test_the_gate_lets_it_sidestep_and_stops_it() -> None:
    gate = Gate(MECANUM, GateConfig())
    tick, sent = 50_000_000, []
    for now in range(0, 40 * tick, tick):
        gate.update_odometry(Odometry(now, Pose2()))
        gate.update_camera(now)
        if now < 20 * tick:
            gate.update_command(Source.AUTONOMY, Command(now, 0.4, 0.0, 0.2))
        sent.append(gate.step(now).command)
    assert sent[19].v == pytest.approx(0.4) and sent[19].vy == pytest.approx(0.2)
    assert not sent[-1].moves
    # On the way to rest the direction holds.
    for command in sent[20:]:
        assert not command.v or command.vy == pytest.approx(command.v / 2.0)
    broken = gate.step(41 * tick)
    gate.update_command(Source.AUTONOMY, Command(41 * tick, 0.4, 0.0, math.nan))
    assert broken.command.moves is False and 'vy nan' in gate.step(42 * tick).detail


@pytest.mark.parametrize(('kinematics', 'vy_max', 'more'), [
    ('holonomic', 0.0, {}), ('differential', 0.5, {}), ('holonomic', 0.5, {'min_turn_radius': 1}),
])
def test_profiles_that_cannot_be(
    kinematics: str, vy_max: float, more: dict[str, float]
) -> None:
    with pytest.raises(ConfigError, match='holonomic'):
        robot(kinematics, vy_max, **more)


def test_the_way_aside_is_swept_by_hand() -> None:
    """0.6 x 0.5 m, margin 0.1: a point at y = 1 is met going left after 1 - 0.25 - 0.1 m."""
    beside = np.array([[0.0, 1.0]])
    # Found at the first step of 0.05 m past 0.65; the last free one counts.
    left = free_travel(beside, 0.0, 0.0, MECANUM, 0.1, 3.0, vy=0.5)
    assert left == pytest.approx(0.60, abs=0.051)
    assert math.isinf(free_travel(beside, 0.0, 0.0, MECANUM, 0.1, 3.0, vy=-0.5))
    # Ahead and aside alike: along the diagonal, where the point is met 0.65 x sqrt 2 from here.
    diagonal = free_travel(np.array([[1.0, 1.0]]), 0.5, 0.0, MECANUM, 0.1, 3.0, vy=0.5)
    assert diagonal == pytest.approx(0.65 * math.sqrt(2.0), abs=0.1)
    # Straight ahead the same point is passed.
    assert math.isinf(free_travel(np.array([[1.0, 1.0]]), 0.5, 0.0, MECANUM, 0.1, 3.0))


def test_a_quarter_turn_of_everything_changes_nothing() -> None:
    """Going left beside a square robot is going ahead, seen from its left side."""
    square = dataclasses.replace(MECANUM, width=MECANUM.length)
    rng, met = np.random.default_rng(0), 0
    for w, v, y in zip(rng.uniform(-1, 1, 60), rng.uniform(0.05, 2, 60), rng.uniform(-1, 1, 60),
                       strict=True):
        ahead = free_travel(np.array([[1.5, y]]), v, w, square, 0.1, 4.0)
        # (x, y) turned by a quarter to the left is (-y, x).
        left = free_travel(np.array([[-y, 1.5]]), 0.0, w, square, 0.1, 4.0, vy=v)
        assert left == pytest.approx(ahead)
        met += math.isfinite(ahead)
    assert 10 < met < 50
