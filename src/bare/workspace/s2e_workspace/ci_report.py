"""Judges a finished test run from pytest's JUnit file: how many ran, and what was skipped and why.

python3 -m s2e_workspace.ci_report .cache/test-report.xml --minimum-file .ci/min_tests
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What a machine without ROS says; with S2E_REQUIRE_ROS=1 such a skip is a failure.
ROS_SKIP = re.compile(
    r'ROS missing|could not import \W?(rclpy|s2e_nav|\w+_msgs|rosgraph_msgs|std_srvs)'
)


@dataclass(frozen=True)
class Outcome:
    """What a test run amounted to."""

    ran: int
    """Tests that passed or failed."""

    failed: int
    """Tests that failed, errors included."""

    skipped: Counter[str]
    """How many were skipped, by reason."""


def read_report(path: Path) -> Outcome:
    """Read a JUnit file.

    Args:
        path: File that `pytest --junitxml` wrote.
    """
    ran = failed = 0
    skipped: Counter[str] = Counter()
    for case in ElementTree.parse(path).iter('testcase'):
        skip = case.find('skipped')
        if skip is not None:
            skipped[skip.get('message', 'no reason')] += 1
            continue
        ran += 1
        failed += case.find('failure') is not None or case.find('error') is not None
    return Outcome(ran, failed, skipped)


def complaints(outcome: Outcome, minimum: int, require_ros: bool) -> list[str]:
    """Return what is wrong with a run that pytest itself may call green.

    Args:
        outcome: The run.
        minimum: How many tests must have run.
        require_ros: Whether a test may be skipped because ROS is missing.
    """
    found = []
    if outcome.failed:
        found.append(f'{outcome.failed} tests failed')
    if outcome.ran < minimum:
        found.append(f'only {outcome.ran} tests ran, at least {minimum} must')
    if require_ros:
        missing = sum(n for reason, n in outcome.skipped.items() if ROS_SKIP.search(reason))
        if missing:
            found.append(f'{missing} tests were skipped because ROS is missing')
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the skips and the verdict; returns 1 if the run is not good enough."""
    parser = argparse.ArgumentParser(description='Judge a pytest run from its JUnit file.')
    parser.add_argument('report', type=Path)
    parser.add_argument('--minimum-file', type=Path, required=True)
    options = parser.parse_args(arguments)
    outcome = read_report(options.report)
    minimum = int(options.minimum_file.read_text(encoding='utf-8').split()[0])
    require_ros = os.environ.get('S2E_REQUIRE_ROS') == '1'
    print(f'{outcome.ran} tests ran, {sum(outcome.skipped.values())} skipped:')
    for reason, number in outcome.skipped.most_common():
        print(f'  {number} x {reason}')
    wrong = complaints(outcome, minimum, require_ros)
    for line in wrong:
        print(f'FAILED: {line}', file=sys.stderr)
    return int(bool(wrong))


if __name__ == '__main__':
    sys.exit(main())
