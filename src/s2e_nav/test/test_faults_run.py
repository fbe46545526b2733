"""A bench whose nodes no longer drive is given up once, and that is told."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')
pytest.importorskip('nav2_msgs.action', reason='ROS missing: nav2_msgs')

from s2e_nav.faults import run
from s2e_nav.faults.cases import CASES
from s2e_nav.faults.trial import Finding

UNTRIED = 'could not be tried: the robot does not drive'


class Benches:
    """Stands for benches: the first one drives but once, or none drives a second time."""

    def __init__(self, healthy: int) -> None:
        """Make one whose bench of this number, and later ones, are whole."""
        self.healthy, self.opened, self.closed = healthy, 0, 0

    def open(self, domain: int, **options: bool) -> int:
        """Open the next bench; its number stands for it."""
        self.opened += 1
        bench, benches = self.opened, self

        class Bench:
            number = bench

            def close(self) -> None:
                benches.closed += 1

        return Bench()

    def run_case(self, rig, case) -> Finding:
        """Find it held on a whole bench."""
        if rig.number < self.healthy and case is not CASES[0]:
            return Finding(case, [], None, None, UNTRIED, 0.0, untried=True)
        return Finding(case, list(case.reasons), 0.1, 0.4, '', 0.0)


@pytest.fixture
def benches(monkeypatch):
    """Replace the nodes."""

    def replace(healthy: int) -> Benches:
        stand_in = Benches(healthy)
        monkeypatch.setattr(run, 'Rig', stand_in.open)
        monkeypatch.setattr(run, 'run_case', stand_in.run_case)
        monkeypatch.setattr(run, '_isolate', lambda domain: None)
        monkeypatch.setattr(run, 'ask_for_priority', lambda: False)
        return stand_in

    return replace


@pytest.mark.ros
def test_a_second_bench_is_tried_and_told(benches) -> None:
    """The first fault is found on the first bench, the rest on the second, which stays."""
    stand_in = benches(2)
    findings = run.run_faults(['camera killed', 'camera paused', 'camera black'], lambda _: None)
    assert [finding.held for finding in findings] == [True, True, True]
    told = f'the bench began anew: {UNTRIED}'
    assert [run.row(finding)['note'] for finding in findings] == ['', told, '']
    assert (stand_in.opened, stand_in.closed) == (2, 2)


@pytest.mark.ros
def test_a_robot_that_never_drives_fails(benches) -> None:
    """One new bench a fault, no more; the verdict is that it could not be tried."""
    stand_in = benches(9)
    (finding,) = run.run_faults(['camera black'], lambda _: None)
    assert run.row(finding)['verdict'] == UNTRIED
    assert (stand_in.opened, stand_in.closed) == (2, 2)
