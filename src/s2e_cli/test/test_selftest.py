"""`s2e doctor --selftest`: what it concludes from what it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s2e_cli.doctor import selftest
from s2e_cli.doctor.check import Check
from s2e_cli.doctor.command import failure
from s2e_cli.doctor.content import bundle_folders
from s2e_cli.doctor.table import render_table


def bundle() -> Path:
    folder = next(iter(bundle_folders()), None)
    if folder is None:
        pytest.skip('no policy bundle in models/')
    return folder


def test_a_provider_that_is_there_is_replayed_and_timed() -> None:
    check = selftest.try_provider(bundle(), 'cpu')
    assert check.level == 'ok', check.detail
    assert 'ms median' in check.detail


def test_a_provider_that_is_absent_is_not_a_success() -> None:
    check = selftest.try_provider(bundle(), 'openvino')
    assert check.level == 'skip'
    assert "['cpu']" in check.detail


def test_a_damaged_bundle_fails(tmp_path: Path) -> None:
    (tmp_path / 'bundle.yaml').write_text('contract: 1\n')
    assert selftest.try_provider(tmp_path, 'cpu').level == 'fail'


def writes(*contents: bytes) -> Callable[..., str]:
    """Return a stand-in for the commands: each leaves an episode with the next content."""
    left = iter(contents)

    def run(command: list[str]) -> str:
        place = next((w.removeprefix('output:=') for w in command if w.startswith('output:=')), '')
        folder = Path(place or command[-1]) / 'episodes'
        folder.mkdir(parents=True)
        (folder / 'one.json').write_bytes(next(left))
        return ''

    return run


@pytest.mark.parametrize(('contents', 'level', 'said'), [
    ((b'{"outcome": "success"}', b'{"outcome": "success"}'), 'ok', 'equal to the byte; success'),
    ((b'{"outcome": "success"}', b'{"outcome":  "success"}'), 'fail', 'the files differ'),
])
def test_episodes_are_compared_by_their_bytes(
    monkeypatch: pytest.MonkeyPatch, contents: tuple[bytes, bytes], level: str, said: str
) -> None:
    monkeypatch.setattr(selftest, 'failure', writes(*contents))
    monkeypatch.setattr('shutil.which', lambda name: f'/bin/{name}')
    check = selftest._episode()
    assert (check.level, said in check.detail) == (level, True), check.detail


def test_a_failed_command_is_quoted() -> None:
    words = [sys.executable, '-c', 'import sys; sys.exit("no such scene")']
    assert failure(words).endswith('failed: no such scene')
    assert failure([sys.executable, '-c', 'pass']) == ''
    waits = [sys.executable, '-c', 'import signal; signal.pause()']
    assert 'was not done after 1 s' in failure(waits, seconds=1)


def test_what_was_not_tried_is_counted_apart() -> None:
    checks = [Check('selftest', 'a', 'ok', ''), Check('selftest', 'b', 'skip', 'no GPU')]
    assert render_table(checks).endswith('1 ok, 0 warnings, 0 failures, 1 not tried')
