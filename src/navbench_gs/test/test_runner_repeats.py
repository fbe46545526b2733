"""The same seed twice, on another number of workers, and after kill -9 half way: equal files."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import killed_run
import pytest

from navbench_gs.runner.run import run_benchmark


def run(out: Path, protocol: str, workers: int) -> dict[str, bytes]:
    """Run what is not there yet and return every episode file."""
    run_benchmark(killed_run.config(protocol, workers), killed_run.Factory(), out)
    return files(out)


def files(out: Path) -> dict[str, bytes]:
    """Return the episode files by name; drafts of a killed worker are none."""
    found = {path.name: path.read_bytes() for path in (out / 'episodes').glob('*.json')}
    return {name: content for name, content in found.items() if not name.startswith('.')}


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory: pytest.TempPathFactory, hurry: str) -> dict[str, bytes]:
    """The episodes of a run in one process from beginning to end."""
    found = run(tmp_path_factory.mktemp('one'), hurry, 1)
    assert len(found) == 6
    return found


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes find the sources as pytest does."""
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(filter(None, sys.path)))


def test_two_workers_write_what_one_writes(unbroken, tmp_path, hurry, sources):
    assert run(tmp_path, hurry, 2) == unbroken
    record = json.loads((tmp_path / 'run.json').read_text())
    assert (record['complete'], record['run']['finished'], record['run']['retried']) == (
        True, 6, [])


# Workers hold three episodes each; an answer comes every 0.2 s and a drive takes 5.3 s or more, so
# that the 40th is in the second one, which they finish when they are left alone. A single process
# has six: the 70th is in the third.
@pytest.mark.parametrize(('workers', 'answers', 'again'), [(2, 40, 1), (1, 70, 2)])
def test_a_killed_run_goes_on_to_the_same_files(
    unbroken, tmp_path, hurry, sources, workers, answers, again
):
    command = [sys.executable, killed_run.__file__, hurry, str(tmp_path), str(workers),
               str(answers)]
    killed = subprocess.run(command, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # Its workers, left alone, finish what they are at and go without a word.
    assert 'Traceback' not in killed.stderr, killed.stderr
    record = json.loads((tmp_path / 'run.json').read_text())
    assert record['complete'] is False
    left = files(tmp_path)
    assert 1 <= len(left) < 6
    # What was finished is whole, and stays as it is.
    assert left == {name: unbroken[name] for name in left}
    before = {name: (tmp_path / 'episodes' / name).stat().st_mtime_ns for name in left}
    assert run(tmp_path, hurry, again) == unbroken
    after = {name: (tmp_path / 'episodes' / name).stat().st_mtime_ns for name in left}
    assert after == before
    record = json.loads((tmp_path / 'run.json').read_text())
    assert record['complete'] is True
    assert record['run']['kept'] >= len(left)


def test_other_seeds_are_other_episodes(unbroken, tmp_path, hurry):
    config = dataclasses.replace(killed_run.config(hurry, 1), seed=1, episodes=1,
                                 tasks=('empty',))
    run_benchmark(config, killed_run.Factory(), tmp_path)
    [name] = files(tmp_path)
    assert files(tmp_path)[name] != unbroken[name]
