"""Every way a goal begins and ends, with the clock in the test's hand."""

from __future__ import annotations

import math

import pytest

from s2e_core.navigator import NavigatorStatus
from s2e_core.se2 import Pose2
from s2e_nav.navigation.codes import Code
from s2e_nav.navigation.mission import (
    Ending,
    Kind,
    Mission,
    MissionConfig,
    MissionControl,
    Outcome,
    Progress,
)

GOAL = Mission(5, Kind.POSE, 1, 'five')
NEXT = Mission(7, Kind.ROUTE, 3, 'seven')
DRIVING = NavigatorStatus.NAVIGATING


def begun(*, lockstep: bool = False, acknowledged: bool = True) -> MissionControl:
    control = MissionControl(MissionConfig(progress_timeout=10.0), lockstep=lockstep)
    control.on_gate(0, 'none')
    assert control.begin(GOAL, 100.0) is None
    if acknowledged:
        assert control.on_gate(5, 'none') is None
    return control


def drive(
    control: MissionControl, now: float, x: float = 0.0, status: NavigatorStatus = DRIVING,
    speed: float = 0.5, distance: float = 9.0,
) -> Ending | None:
    return control.on_image(status, distance, 1, Pose2(x, 0.0, 0.0), speed, now)


def test_a_new_goal_aborts_the_old_one_and_only_its_own_words_count():
    control = begun()
    ending = control.begin(NEXT, 101.0)
    assert ending == Ending(
        GOAL, Outcome.ABORTED, Code.REPLACED, 'replaced by a newer goal', 1
    )
    assert (control.stamp_ns, control.progress.remaining) == (7, 3)
    # The gate still speaks of the old goal: that is no word on the new one.
    assert control.on_gate(5, 'e_stop') is None
    assert control.on_gate(7, 'e_stop').code is Code.GATE_STOPPED


def test_cancel_is_for_the_goal_it_was_meant_for():
    control = begun()
    control.begin(NEXT, 101.0)
    assert control.cancel('five') is None
    assert control.current is NEXT
    assert control.cancel('seven').outcome is Outcome.CANCELED
    assert control.cancel() is None, 'each goal ends once'


def test_arrival_counts_at_rest():
    control = begun()
    assert drive(control, 101.0, status=NavigatorStatus.ARRIVED, speed=0.4) is None
    ending = drive(control, 101.2, status=NavigatorStatus.ARRIVED, speed=0.05)
    assert (ending.outcome, ending.code) == (Outcome.SUCCEEDED, Code.NONE)


def test_an_odometry_that_never_rests_does_not_hold_up_the_arrival():
    control = begun()
    assert drive(control, 101.0, status=NavigatorStatus.ARRIVED) is None
    assert drive(control, 103.9, status=NavigatorStatus.ARRIVED) is None
    assert drive(control, 104.1, status=NavigatorStatus.ARRIVED).outcome is Outcome.SUCCEEDED


def test_a_gate_that_latches_or_begins_anew_ends_the_goal():
    assert begun().on_gate(5, 'camera_stale').text == 'the gate stopped: camera_stale'
    assert begun().on_gate(0, 'none').code is Code.GATE_LOST


def test_a_gate_that_does_not_answer_ends_the_goal_and_a_graph_without_one_drives():
    silent = begun(acknowledged=False)
    assert silent.on_time(100.9) is None
    assert silent.on_time(101.1).code is Code.GATE_LOST
    without = MissionControl()
    without.begin(GOAL, 100.0)
    assert without.on_time(1000.0) is None
    assert begun(acknowledged=False, lockstep=True).on_time(1000.0) is None


def test_standing_still_for_too_long_is_no_progress():
    control = begun()
    # 0.4 m away from the anchor at 101 s is none; 0.6 m at 109 s is, and starts the clock anew.
    assert drive(control, 101.0, x=0.0) is None
    assert drive(control, 105.0, x=0.4) is None
    assert drive(control, 109.0, x=0.6) is None
    assert drive(control, 118.9, x=0.6) is None
    ending = drive(control, 119.1, x=0.9)
    assert ending.code is Code.NO_PROGRESS
    assert ending.text == 'less than 0.5 m of progress in 10 s'


def test_no_progress_says_what_the_gate_holds():
    control = begun()
    control.on_gate(5, 'none', 'unseen_space, a turn to the left')
    drive(control, 101.0)
    ending = drive(control, 112.0)
    assert ending.code is Code.NO_PROGRESS
    assert ending.text.endswith('; the gate holds: unseen_space, a turn to the left')
    control.begin(NEXT, 113.0)
    control.on_gate(7, 'none')
    drive(control, 114.0)
    assert 'the gate' not in drive(control, 125.0).text


def circle(control, now, x, distance):
    pose = Pose2(x, 0.0, 0.0)
    return control.on_image(NavigatorStatus.NAVIGATING, distance, 1, pose, 0.5, now)


def test_circling_a_goal_is_no_progress():
    """It moves all the time, but is never nearer by 0.5 m than the 0.7 m of the beginning."""
    control = MissionControl(MissionConfig(approach_timeout=20.0))
    control.begin(GOAL, 100.0)
    for k in range(20):
        assert circle(control, 101.0 + k, float(k % 2), 0.7 + 0.2 * (k % 3)) is None
    ending = circle(control, 121.1, 0.0, 0.7)
    assert ending.code is Code.NO_PROGRESS
    assert ending.text == 'no nearer to the goal than 0.7 m for 20 s'


def test_a_way_round_may_lead_away_for_a_while():
    """From 10 m away to 14 m and back to 9.4 m in 19 s: the clock begins anew there."""
    control = MissionControl(MissionConfig(approach_timeout=20.0))
    control.begin(GOAL, 100.0)
    for now, x, distance in ((101, 0, 10.0), (110, 4, 14.0), (120, 9, 9.4), (139, 12, 11.0)):
        assert circle(control, float(now), float(x), distance) is None
    assert circle(control, 140.5, 15.0, 9.0).code is Code.NO_PROGRESS
    roaming = MissionControl(MissionConfig(approach_timeout=20.0))
    roaming.begin(GOAL, 100.0)
    for k in range(5):
        assert circle(roaming, 101.0 + 20 * k, float(k), float('nan')) is None


def test_in_lockstep_the_protocol_decides_how_long():
    control = begun(lockstep=True)
    for now in (101.0, 200.0, 300.0):
        assert drive(control, now) is None
        assert drive(control, now, status=NavigatorStatus.REJECTED) is None


def test_modes_may_be_rejected_for_a_second():
    control = begun()
    assert drive(control, 101.0, status=NavigatorStatus.REJECTED) is None
    assert drive(control, 101.9, status=NavigatorStatus.REJECTED) is None
    assert drive(control, 102.0) is None
    assert drive(control, 102.2, status=NavigatorStatus.REJECTED) is None
    assert drive(control, 103.3, status=NavigatorStatus.REJECTED).code is Code.POLICY_FAILED


def test_progress_by_hand():
    control = begun()
    drive(control, 104.0, speed=0.5, distance=9.0)
    assert control.progress == Progress(4.0, 9.0, 1, 0.5)
    assert control.progress.seconds_left == pytest.approx(18.0)
    assert Progress(4.0, 9.0, 1, 0.01).seconds_left == 0.0
    assert Progress(4.0, math.nan, 0, 0.5).seconds_left == 0.0


def test_without_a_goal_nothing_ends():
    control = MissionControl()
    assert control.fail(Code.POLICY_FAILED, 'x') is None
    assert control.on_gate(5, 'e_stop') is None
    assert drive(control, 1.0, status=NavigatorStatus.ARRIVED) is None
    assert control.stamp_ns == 0
