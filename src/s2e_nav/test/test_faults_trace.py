"""The stop watch of the fault bench: it must see a late stop, a false one and a second start."""

from __future__ import annotations

import fcntl
import socket

import pytest

from s2e_nav.errors import StartError
from s2e_nav.faults import domains, trial
from s2e_nav.faults.cases import CASES, selected
from s2e_nav.faults.domains import is_inhabited, own_domain
from s2e_nav.faults.processes import isolated_environment
from s2e_nav.faults.run import row, summary, write_csv
from s2e_nav.faults.trace import Sent, Trace, moved_again, ramp_begins, rest_begins
from s2e_nav.faults.trial import Finding, run_case


def commands(*speeds: float, period: float = 0.1) -> list[Sent]:
    """Make commands from 0.1 s on."""
    return [Sent(period * (index + 1), v, 0.0) for index, v in enumerate(speeds)]


def test_the_ramp_begins_with_the_first_slower_command_of_the_stop():
    # 0.5 until 0.2 s, then 0.4, 0.2, 0: the ramp begins at 0.3 s and ends at 0.5 s.
    sent = commands(0.5, 0.5, 0.4, 0.2, 0.0, 0.0)
    assert ramp_begins(sent, 0.5) == pytest.approx(0.3)
    assert rest_begins(sent) == pytest.approx(0.5)


def test_slowing_down_for_a_moment_is_no_stop():
    # The dip at 0.2 s was followed by full speed: the stop is the one at 0.5 s.
    assert ramp_begins(commands(0.5, 0.3, 0.5, 0.5, 0.25, 0.0), 0.5) == pytest.approx(0.5)


def test_creeping_up_to_what_is_in_the_way_is_no_drive_where_that_is_allowed():
    # 0.4 at 0.2 s is slower; 0.15 after 0.1 is faster, but no more than 0.2.
    speeds = commands(0.5, 0.4, 0.1, 0.15, 0.0)
    assert ramp_begins(speeds, 0.5) == pytest.approx(0.4)
    assert ramp_begins(speeds, 0.5, creep=0.2) == pytest.approx(0.2)
    assert ramp_begins(commands(0.5, 0.4, 0.1, 0.25, 0.0), 0.5, 0.2) == pytest.approx(0.4)


def test_an_immediate_zero_is_both():
    sent = commands(0.5, 0.0, 0.0)
    assert ramp_begins(sent, 0.5) == rest_begins(sent) == pytest.approx(0.2)


def test_a_robot_that_drives_on_has_neither():
    sent = commands(0.5, 0.4, 0.3)
    assert ramp_begins(sent, 0.5) is None and rest_begins(sent) is None


def test_motion_after_the_mending_is_seen():
    sent = commands(0.5, 0.0, 0.0, 0.1)
    assert moved_again(sent, 0.25) == pytest.approx(0.4)
    assert moved_again(sent, 0.45) is None
    assert moved_again([Sent(1.0, 0.0, 0.2)], 0.5) == 1.0, 'turning is motion'


def test_waiting_ends_with_the_event_or_with_the_time():
    trace = Trace()
    trace.add(0.5, 0.0)
    assert trace.wait(lambda: bool(trace.since(0.0)), 5.0)
    assert not trace.wait(lambda: len(trace.since(0.0)) > 1, 0.05)


def test_cases_are_named_once_and_found_by_a_part_of_the_name():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    found = [case.name for case in selected(['E-Stop'])]
    assert found == ['e-stop pressed', 'e-stop publisher dies']
    assert len(list(selected([]))) == len(CASES)


def test_findings_become_a_table(tmp_path):
    held = Finding(CASES[0], ['camera_stale'], 0.283, 0.53, '', 0.001)
    late = Finding(CASES[1], ['none'], 0.4, 0.6, '400 ms, bound 300', 0.09, 4)
    write_csv(tmp_path / 'times.csv', [held, late])
    lines = (tmp_path / 'times.csv').read_text().splitlines()
    assert lines[1].startswith('camera killed,camera_stale,283,300,530,a new goal,held,1,1,')
    assert row(late)['verdict'] == '400 ms, bound 300'
    assert summary([held, late]) == '1 of 2 faults held; stop ramp after 342 ms (median)'


def test_two_benches_do_not_share_a_domain():
    with own_domain() as first, own_domain() as second:
        assert first != second


def port_of(domain, offset):
    return domains.FIRST_PORT + domains.DOMAIN_PORTS * domain + offset


def test_a_domain_on_which_somebody_talks_is_not_taken():
    """A participant's socket, at the ends of the domain's ports, moves us to another domain."""
    with own_domain() as domain:
        pass
    for offset in (0, domains.DOMAIN_PORTS - 1):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
            participant.bind(('127.0.0.1', port_of(domain, offset)))
            assert is_inhabited(domain)
            with own_domain() as other:
                assert other != domain


def test_shared_memory_alone_is_seen_and_what_a_killed_process_left_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(domains, 'SHARED_MEMORY', tmp_path)
    with own_domain() as domain:
        path = tmp_path / f'fastdds_port{port_of(domain, 11)}_el'
        path.write_text('')
        assert not is_inhabited(domain)
        with path.open('rb') as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert is_inhabited(domain)


def test_no_peer_of_the_user_is_in_an_isolated_environment(monkeypatch):
    for name in ('ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER'):
        monkeypatch.setenv(name, '192.168.1.5')
    environment = isolated_environment(7)
    assert not {'ROS_STATIC_PEERS', 'ROS_DISCOVERY_SERVER'} & set(environment)
    assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'


class Reluctant:
    """A rig that drives so many times, then no more."""

    def __init__(self, drives: int) -> None:
        self.left, self.has_driven, self.robot = drives, False, Sabotage()

    def drive(self) -> None:
        if not self.left:
            raise StartError('the robot does not drive; gate plan_stale')
        self.left, self.has_driven = self.left - 1, True


class Sabotage:
    """Counts how late the robot's loop is."""

    late = 0.0


def test_a_machine_that_stalls_costs_one_finding_not_all(monkeypatch):
    case = CASES[0]
    held = Finding(case, ['camera_stale'], 0.1, 0.3, '', 0.0)
    monkeypatch.setattr(trial, '_stops', lambda rig, case: held)
    rig = Reluctant(1)
    assert run_case(rig, case).held
    finding = run_case(rig, case)
    assert finding.problem == 'could not be tried: the robot does not drive; gate plan_stale'
    assert row(finding)['verdict'] == finding.problem
    # Nodes that never drove are no finding about a fault.
    with pytest.raises(StartError):
        run_case(Reluctant(0), case)


def test_a_fault_that_the_scene_was_in_the_way_of_is_tried_elsewhere(monkeypatch):
    left = 2

    def stops(rig, case):
        nonlocal left
        left -= 1
        if left >= 0:
            raise StartError('the robot turns left: not within 60 s')
        return Finding(case, ['camera_stale'], 0.1, 0.3, '', 0.0)

    monkeypatch.setattr(trial, '_stops', stops)
    finding = run_case(Reluctant(10), CASES[0])
    assert finding.held and finding.attempts == 3
    left = 10
    finding = run_case(Reluctant(10), CASES[0])
    assert finding.problem == 'could not be tried: the robot turns left: not within 60 s'
    assert finding.attempts == trial.ATTEMPTS
