"""The self-test of remote driving: what it finds, and what it says when something is wrong."""

from __future__ import annotations

import importlib.util

import pytest

from s2e_cli.doctor import remote
from s2e_teleop.session import Session


def test_page_stop_and_video_hold_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    # How late a busy machine is is no matter of this test.
    monkeypatch.setattr(remote, 'BOUND', 5.0)
    page, video = remote.try_teleop()
    assert page.level == 'ok' and 'JPEG 640x480' in page.detail, page
    if importlib.util.find_spec('aiortc') is None:
        assert video.level == 'skip' and 'aiortc' in video.detail
    else:
        assert video.level == 'ok' and '640x480 by VP8' in video.detail, video


def test_a_driver_who_is_not_missed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, 'STOPS', 1)
    monkeypatch.setattr('s2e_cli.doctor.remote_page.PATIENCE', 3.0)
    monkeypatch.setattr(Session, 'tick', lambda self, now: None)
    page = next(remote.try_teleop())
    assert page.level == 'fail' and 'did not come within 3 s' in page.detail, page


def test_a_stop_that_comes_too_late_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, 'STOPS', 1)
    monkeypatch.setattr(remote, 'BOUND', 0.001)
    page = next(remote.try_teleop())
    assert page.level == 'fail' and 'allowed are 1 ms' in page.detail, page
