"""Runs every test in two pytest runs beside each other: what computes, and what waits.

python -m s2e_workspace.suites --report .cache/test-report.xml

Tests of nodes, servers and whole launches wait for most of their time; the others keep a core
busy. Run one after the other both take twice as long as side by side. What computes gives way, so
that bounds on time in the other run are those of a machine that has little else to do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from s2e_workspace.ci_report import Outcome, read_report

COMPUTING = ('src/navbench_gs', 'src/s2e_training', 'src/s2e_core', 'src/s2e_policy')
"""Folders whose tests wait for nothing; all others are the other run's."""
NICENESS = 10
"""Of the run that computes: a tenth of the other's share where both want a core."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both; returns 0 if every test of both passed."""
    parser = argparse.ArgumentParser(description='Run every test, in two runs side by side.')
    parser.add_argument('--report', type=Path, required=True, help='JUnit file of both together')
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    reports = [options.report.with_suffix(f'.{name}.xml') for name in ('computing', 'waiting')]
    for path in (*reports, options.report):
        path.unlink(missing_ok=True)
    log = options.report.with_suffix('.computing.log')
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f'beside this run: {", ".join(COMPUTING)} ({log})', flush=True)
    # The makefile sets PYTHONPATH for this module alone; the tests bring their own paths.
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    with log.open('wb') as file:
        computing = subprocess.Popen(
            ['nice', '-n', str(NICENESS), *pytest('computing', reports[0]), *COMPUTING],
            stdout=file, stderr=subprocess.STDOUT, env=environment,
        )
        try:
            waiting = subprocess.call(
                [*pytest('waiting', reports[1]), *(f'--ignore={path}' for path in COMPUTING)],
                env=environment,
            )
            codes = [computing.wait(), waiting]
        finally:
            computing.terminate()
    print(log.read_text(encoding='utf-8', errors='replace'), flush=True)
    present = [path for path in reports if path.is_file()]
    merge(present, options.report)
    print(closing_line([read_report(path) for path in present], time.monotonic() - begin))
    return int(any(code != 0 for code in codes))


def pytest(name: str, report: Path) -> list[str]:
    """Return the command of one run; the two share no cache folder."""
    return [sys.executable, '-m', 'pytest', f'--junitxml={report}', '-o',
            f'cache_dir=.pytest_cache/{name}']


def merge(reports: Sequence[Path], out: Path) -> None:
    """Put the suites of several JUnit files into one."""
    root = ElementTree.Element('testsuites')
    for path in reports:
        root.extend(ElementTree.parse(path).getroot().iter('testsuite'))
    ElementTree.ElementTree(root).write(out, encoding='utf-8', xml_declaration=True)


def closing_line(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Say in pytest's own form how both ended together."""
    failed = sum(outcome.failed for outcome in outcomes)
    passed = sum(outcome.ran for outcome in outcomes) - failed
    skipped = sum(outcome.skipped.total() for outcome in outcomes)
    counts = ((failed, 'failed'), (passed, 'passed'), (skipped, 'skipped'))
    words = ', '.join(f'{count} {word}' for count, word in counts if count or word == 'passed')
    minutes, rest = divmod(round(seconds), 60)
    return f'====== {words} in {seconds:.2f}s (0:{minutes:02d}:{rest:02d}) ======'


if __name__ == '__main__':
    sys.exit(main())
