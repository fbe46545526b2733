"""A green run in which nothing ran must not pass."""

from collections import Counter

import pytest

from s2e_workspace.ci_report import Outcome, complaints, main, read_report

REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase name="a"/><testcase name="b"><failure message="x"/></testcase>
<testcase name="c"><error message="x"/></testcase>
<testcase name="d"><skipped message="ROS missing: no rclpy"/></testcase>
<testcase name="e"><skipped message="data missing"/></testcase>
<testcase name="f"><skipped message="data missing"/></testcase>
</testsuite></testsuites>"""


def test_counts(tmp_path):
    (tmp_path / 'r.xml').write_text(REPORT)
    outcome = read_report(tmp_path / 'r.xml')
    assert (outcome.ran, outcome.failed) == (3, 2)
    assert outcome.skipped == {'ROS missing: no rclpy': 1, 'data missing': 2}


@pytest.mark.parametrize(
    ('outcome', 'require_ros', 'expected'),
    [
        (Outcome(10, 0, Counter()), True, []),
        (Outcome(9, 0, Counter()), False, ['only 9 tests ran, at least 10 must']),
        (Outcome(10, 1, Counter()), False, ['1 tests failed']),
        (Outcome(10, 0, Counter({'ROS missing': 2})), False, []),
        (Outcome(10, 0, Counter({'data missing': 2})), True, []),
        (
            Outcome(10, 0, Counter({"could not import 'rclpy': No module": 2})),
            True,
            ['2 tests were skipped because ROS is missing'],
        ),
    ],
)
def test_verdict(outcome, require_ros, expected):
    assert complaints(outcome, 10, require_ros) == expected


def test_exit_code_and_listing(tmp_path, monkeypatch, capsys):
    (tmp_path / 'r.xml').write_text(REPORT)
    (tmp_path / 'min').write_text('3\n')
    monkeypatch.setenv('S2E_REQUIRE_ROS', '1')
    assert main([str(tmp_path / 'r.xml'), '--minimum-file', str(tmp_path / 'min')]) == 1
    shown = capsys.readouterr()
    assert '2 x data missing' in shown.out
    assert shown.err.splitlines() == [
        'FAILED: 2 tests failed',
        'FAILED: 1 tests were skipped because ROS is missing',
    ]
