"""The environment is made once, and one that a person made is never removed."""

import io
import sys

import pytest

from s2e_workspace.console import Console
from s2e_workspace.environment import (
    install_data,
    make_venv,
    requirement_files,
    requirements_fresh,
)
from s2e_workspace.errors import WorkspaceError
from s2e_workspace.layout import Layout

HERE = f'{sys.version_info[0]}.{sys.version_info[1]}'


def fake_environment(root, version=HERE, place=None, stamped=False):
    layout = Layout(root)
    (layout.venv / 'bin').mkdir(parents=True)
    layout.python.write_text('')
    (layout.venv / 'pyvenv.cfg').write_text(f'home = /usr/bin\nversion = {version}.7\n')
    (layout.venv / 'bin' / 'activate').write_text(f'VIRTUAL_ENV="{place or layout.venv}"\n')
    (layout.venv / 'precious').write_text('installed by hand')
    if stamped:
        layout.stamps.mkdir(parents=True)
        (layout.stamps / 'venv').write_text('of another place\n')
    return layout


def test_fitting_environment_made_by_hand_is_adopted(tmp_path):
    layout = fake_environment(tmp_path)
    make_venv(layout, Console(io.StringIO()))
    assert (layout.venv / 'precious').is_file()


@pytest.mark.parametrize('wrong', [{'version': '3.9'}, {'place': '/elsewhere/.venv'}])
def test_foreign_environment_is_refused_and_kept(tmp_path, wrong):
    """An early version removed it, together with everything that was installed there by hand."""
    layout = fake_environment(tmp_path, **wrong)
    with pytest.raises(WorkspaceError, match='was not made by `make setup`'):
        make_venv(layout, Console(io.StringIO()))
    assert (layout.venv / 'precious').is_file()


def test_own_environment_of_another_place_is_made_again(tmp_path):
    layout = fake_environment(tmp_path, place='/elsewhere/.venv', stamped=True)
    out = io.StringIO()
    make_venv(layout, Console(out))
    assert not (layout.venv / 'precious').exists()
    assert 'making it again' in out.getvalue()
    before = layout.python.lstat().st_mtime_ns
    make_venv(layout, Console(out))
    assert layout.python.lstat().st_mtime_ns == before


def test_included_requirements_count(tmp_path):
    (tmp_path / 'a.txt').write_text('-r b.txt\nx==1\n')
    (tmp_path / 'b.txt').write_text('y==1\n')
    assert [path.name for path in requirement_files(tmp_path / 'a.txt')] == ['a.txt', 'b.txt']
    with pytest.raises(WorkspaceError, match=r'c\.txt'):
        requirement_files(tmp_path / 'c.txt')


@pytest.mark.parametrize('code', [0, 1])
def test_packages_read_as_data_come_alone_and_are_not_needed(tmp_path, code):
    """A stand-in for the interpreter notes what it was asked and succeeds or fails."""
    layout = fake_environment(tmp_path)
    asked = tmp_path / 'asked'
    layout.python.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexit {code}\n')
    layout.python.chmod(0o755)
    layout.requirements('legged').parent.mkdir()
    layout.requirements('legged').write_text('walker==1\n')
    out = io.StringIO()
    for _ in range(2):
        install_data(layout, Console(out), 'legged', 'model of a robot')
    calls = asked.read_text().splitlines()
    assert all('--no-deps --ignore-requires-python -r' in call for call in calls)
    # What failed is tried again the next time.
    assert len(calls) == 1 + code
    assert requirements_fresh(layout, 'legged') is (code == 0)
    assert ('model of a robot could not be had, going on without' in out.getvalue()) is bool(code)
