"""Both runs count: what fails in either fails, and the report holds every test."""

from __future__ import annotations

from collections import Counter

import pytest

from s2e_workspace import suites
from s2e_workspace.ci_report import Outcome, read_report

PASSES = 'def test_one():\n    pass\n\n\ndef test_two():\n    pass\n'
FAILS = 'def test_three():\n    assert False\n'
SKIPS = "import pytest\n\n\ndef test_four():\n    pytest.skip('no data')\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose folder `heavy` is the run that computes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(suites, 'COMPUTING', ('heavy',))
    for name in ('heavy', 'light'):
        (tmp_path / name).mkdir()
    (tmp_path / 'heavy/test_heavy.py').write_text(PASSES)
    (tmp_path / 'light/test_light.py').write_text(SKIPS + '\n\n' + PASSES)
    return tmp_path


def run(project, capfd):
    code = suites.main(['--report', '.cache/report.xml'])
    return code, read_report(project / '.cache/report.xml'), capfd.readouterr().out


def test_every_test_runs_once_and_both_are_reported(project, capfd):
    code, outcome, shown = run(project, capfd)
    assert code == 0
    assert outcome == Outcome(4, 0, Counter({'no data': 1}))
    assert shown.splitlines()[-1].startswith('====== 4 passed, 1 skipped in ')
    assert 'heavy/test_heavy.py' in shown and 'light/test_light.py' in shown


@pytest.mark.parametrize('folder', ['heavy', 'light'])
def test_a_failure_in_either_run_fails(project, capfd, folder):
    (project / folder / 'test_more.py').write_text(FAILS)
    code, outcome, shown = run(project, capfd)
    assert code == 1
    assert (outcome.ran, outcome.failed) == (5, 1)
    assert shown.splitlines()[-1].startswith('====== 1 failed, 4 passed, 1 skipped in ')


def test_a_run_that_collects_nothing_fails(project, capfd):
    (project / 'heavy/test_heavy.py').unlink()
    assert run(project, capfd)[0] == 1


def test_a_run_that_breaks_off_fails_and_its_tests_are_missed(project, capfd):
    (project / 'heavy/test_heavy.py').write_text('import os\nos._exit(3)\n')
    code, outcome, _ = run(project, capfd)
    assert code == 1 and outcome.ran == 2


def test_an_old_report_does_not_count(project, capfd):
    (project / '.cache').mkdir()
    (project / '.cache/report.computing.xml').write_text(
        '<testsuites><testsuite><testcase name="old"/></testsuite></testsuites>'
    )
    assert run(project, capfd)[1].ran == 4


def test_the_closing_line_reads_like_pytests():
    line = suites.closing_line([Outcome(3, 1, Counter()), Outcome(4, 0, Counter(a=2))], 754.256)
    assert line == '====== 1 failed, 6 passed, 2 skipped in 754.26s (0:12:34) ======'
