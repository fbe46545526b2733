"""Goals, choice of mode and arrival."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from s2e_core.camera import CameraModel
from s2e_core.contract import Observation, PolicyOutput, PolicySpec
from s2e_core.errors import ContractError
from s2e_core.navigator import (
    Navigator,
    NavigatorStatus,
    choose_mode,
    end_at_goal,
)
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2

SPEC = PolicySpec('test', 3, CameraModel(4, 4, 2, 2, 2, 2), v_max=1.5, w_max=1.0)
IMAGE = np.zeros((4, 4, 3), np.uint8)


def fan(speed: float = 1.0) -> np.ndarray:
    """Three straight modes, to the left, ahead and to the right. [3, 10, 2]"""
    steps = 0.2 * speed * np.arange(1, 11)
    angles = np.array([0.5, 0.0, -0.5])
    return np.stack([np.cos(angles)[:, None] * steps, np.sin(angles)[:, None] * steps], -1)


class Recorder:
    """A policy that keeps what it was asked and answers a fixed fan."""

    def __init__(self, scores: tuple[float, ...] = (0.2, 0.5, 0.3), speed: float = 1.0) -> None:
        """Answer these scores."""
        self.spec, self.seen, self.resets = SPEC, list[Observation](), 0
        self._scores, self._modes = np.array(scores), fan(speed)

    def reset(self) -> None:
        """Count."""
        self.resets += 1

    def infer(self, observation: Observation) -> PolicyOutput:
        """Keep the observation."""
        self.seen.append(observation)
        return PolicyOutput(observation.stamp_ns, self._modes, self._scores)


def at(
    time_s: float, x: float = 0.0, y: float = 0.0, yaw: float = 0.0
) -> tuple[CameraFrame, Odometry]:
    """Make an image and odometry of one time."""
    stamp = round(time_s * 1e9)
    return CameraFrame(stamp, IMAGE), Odometry(stamp, Pose2(x, y, yaw))


def test_modes_that_lie_together_are_driven_before_a_lone_one() -> None:
    """0.3 and 0.3 side by side, 0.4 elsewhere; a new goal forgets the answers before."""
    policy = Recorder((0.3, 0.3, 0.4))
    policy._modes = np.stack([fan()[0], fan()[0] + 0.05, fan()[2]])
    plain = Navigator(policy)
    plain.set_goal((9.0, 0.0))
    assert plain.step(*at(0.0)).plan.mode == 2
    policy.spec = dataclasses.replace(SPEC, vote=0.2, memory=0.5)
    voting = Navigator(policy)
    voting.set_goal((9.0, 0.0))
    result = voting.step(*at(0.0))
    assert result.plan.mode == 0 and result.output is not None
    assert result.output.scores.tolist() == [0.3, 0.3, 0.4], 'what is shown is the answer itself'
    policy._scores = np.array([0.1, 0.1, 0.8])
    # Odds of 1.5 to 1 and 1 to 4 before and now: sqrt(1.5 / 4) = 0.61, so the right is driven.
    assert voting.step(*at(0.2)).plan.mode == 2
    policy._scores = np.array([0.3, 0.3, 0.4])
    # Odds of sqrt(0.61 * 1.5) = 0.96 still; without what was before, 1.5.
    assert voting.step(*at(0.4)).plan.mode == 2
    voting.set_goal((9.0, 1.0))
    assert voting.step(*at(0.6)).plan.mode == 0


def test_idle_without_goal() -> None:
    """The policy is not even asked."""
    policy = Recorder()
    result = Navigator(policy).step(*at(0.0))
    assert result.status is NavigatorStatus.IDLE
    assert result.plan.is_stop
    assert not policy.seen


def test_goal_is_given_in_base_link() -> None:
    """At (1, 1) facing +y, the goal (1, 6) lies 5 m ahead."""
    policy = Recorder()
    navigator = Navigator(policy)
    navigator.set_goal((1.0, 6.0))
    result = navigator.step(*at(0.0, 1.0, 1.0, math.pi / 2))
    assert np.allclose(policy.seen[0].goal, [5.0, 0.0])
    assert result.distance == pytest.approx(5.0)
    # Mode 1 is straight ahead: waypoint k is at y = 1 + 0.2 (k + 1).
    assert result.plan.mode == 1
    assert np.allclose(result.plan.points[:, 1], 1.0 + 0.2 * np.arange(1, 11))


def test_arrival_is_latched_until_a_new_goal() -> None:
    """Once within 0.3 m it stays arrived, even if pushed out again."""
    navigator = Navigator(Recorder())
    navigator.set_goal((2.0, 0.0))
    assert navigator.step(*at(0.0, 1.75)).status is NavigatorStatus.ARRIVED
    assert navigator.step(*at(0.2, 1.0)).status is NavigatorStatus.ARRIVED
    navigator.set_goal((5.0, 0.0))
    assert navigator.step(*at(0.4, 1.0)).status is NavigatorStatus.NAVIGATING


def test_cancel_stands_still() -> None:
    """After a cancel there is no goal."""
    navigator = Navigator(Recorder())
    navigator.set_goal((9.0, 0.0))
    navigator.step(*at(0.0))
    navigator.cancel()
    assert navigator.step(*at(0.2)).plan.is_stop


def test_roaming_asks_without_goal() -> None:
    """Goal-free driving gives the policy no goal."""
    policy = Recorder()
    navigator = Navigator(policy)
    navigator.roam()
    result = navigator.step(*at(0.0))
    assert result.status is NavigatorStatus.ROAMING
    assert policy.seen[0].goal is None


def test_policy_forgets_after_a_gap() -> None:
    """A gap of 2 s resets the policy's own cache together with the window."""
    policy = Recorder()
    navigator = Navigator(policy)
    for time_s in (0.0, 0.2, 2.2):
        navigator.step(*at(time_s))
    assert policy.resets == 2


def test_too_fast_modes_are_rejected() -> None:
    """Steps of 0.6 m in 0.2 s are 3 m/s; the limit is 1.5 x 1.5 = 2.25."""
    policy = Recorder(speed=3.0)
    navigator = Navigator(policy)
    navigator.set_goal((9.0, 0.0))
    result = navigator.step(*at(0.0))
    assert result.status is NavigatorStatus.REJECTED
    assert result.plan.is_stop
    assert result.rejected[0] == 'speed 3.00 m/s above 2.25'


def test_next_best_mode_when_the_best_is_rejected() -> None:
    """The best allowed mode wins, and equal scores take the lower index."""
    modes = fan()
    modes[1, -1, 0] += 5.0
    output = PolicyOutput(0, modes, np.array([0.25, 0.5, 0.25]))
    mode, rejected = choose_mode(output, SPEC, 1.5)
    assert mode == 0
    assert list(rejected) == [1]


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_numbers_that_are_not_finite_reject_the_answer(bad: float) -> None:
    """One bad number anywhere rejects all modes: the network is broken, not one mode."""
    modes = fan()
    modes[2, 3, 1] = bad
    mode, rejected = choose_mode(PolicyOutput(0, modes, np.full(3, 1 / 3)), SPEC, 1.5)
    assert mode is None
    assert rejected == {-1: 'modes hold a value that is not finite'}


def test_wrong_shapes_reject_the_answer() -> None:
    """Scores of another number than modes are refused with both shapes."""
    mode, rejected = choose_mode(PolicyOutput(0, fan(), np.ones(2)), SPEC, 1.5)
    assert mode is None
    assert rejected[-1] == 'scores must be [3], got (2,)'


def test_path_ends_at_the_goal() -> None:
    """Waypoints at 0.2 .. 2.0 m; goal at 1.0, tolerance 0.3: the first within is 0.8 m."""
    points = np.stack([0.2 * np.arange(1, 11), np.zeros(10)], 1)
    ended = end_at_goal(points, np.array([1.0, 0.0]), 0.3)
    assert np.allclose(ended[:, 0], [0.2, 0.4, 0.6] + [1.0] * 7)
    assert end_at_goal(points, np.array([9.0, 0.0]), 0.3) is points


def test_bad_goal_is_refused() -> None:
    """NaN never becomes a goal."""
    with pytest.raises(ValueError, match='two finite numbers'):
        Navigator(Recorder()).set_goal((math.nan, 0.0))


def test_roaming_ends_with_cancel_and_with_a_goal() -> None:
    """A cancelled robot stands still, whatever it did before."""
    navigator = Navigator(Recorder())
    navigator.roam()
    assert navigator.step(*at(0.0)).status is NavigatorStatus.ROAMING
    navigator.set_goal((10.0, 0.0))
    assert navigator.step(*at(0.2)).status is NavigatorStatus.NAVIGATING
    navigator.roam()
    navigator.cancel()
    assert navigator.step(*at(0.4)).plan.is_stop


def test_a_policy_that_needs_a_goal_does_not_roam() -> None:
    """Said when roaming is asked for, not by a stop in the middle of a drive."""
    policy = Recorder()
    policy.spec = dataclasses.replace(SPEC, goal='required')
    with pytest.raises(ContractError, match='cannot drive without a goal'):
        Navigator(policy).roam()


def test_a_route_is_driven_point_by_point_and_ends_at_the_last() -> None:
    """(5, 0) is passed 1 m before it and is no place to stop; (5, 5) is the end."""
    policy = Recorder()
    navigator = Navigator(policy)
    navigator.set_route(np.array([[5.0, 0.0], [5.0, 5.0]]))
    first = navigator.step(*at(0.0, x=3.5))
    assert (first.remaining, first.distance) == (2, pytest.approx(1.5 + 5.0))
    # The mode ahead reaches x = 3.5 + 2.0 and does not end at the first point.
    assert first.plan.points[-1] == pytest.approx((5.5, 0.0))
    np.testing.assert_allclose(policy.seen[-1].goal, (1.5, 0.0))
    second = navigator.step(*at(0.2, x=4.1))
    assert second.remaining == 1
    np.testing.assert_allclose(policy.seen[-1].goal, (0.9, 5.0))
    end = navigator.step(*at(0.4, x=5.0, y=4.8))
    assert end.status is NavigatorStatus.ARRIVED and end.remaining == 0


def test_a_route_moves_with_its_frame() -> None:
    """Localisation shifts odometry by a metre: the goal is a metre further."""
    navigator = Navigator(Recorder())
    navigator.set_goal((5.0, 0.0))
    navigator.move_route(np.array([[6.0, 0.0]]))
    assert navigator.step(*at(0.0)).distance == pytest.approx(6.0)
