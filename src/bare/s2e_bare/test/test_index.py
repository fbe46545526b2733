"""Packages and executables by name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from s2e_bare import ament_index, index
from s2e_bare.errors import PackageNotFoundError


def test_the_first_prefix_wins_and_python_comes_last(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / 'other'
    folder = other / 'share/ament_index/resource_index/packages'
    folder.mkdir(parents=True)
    for name in ('demo', 'more', '.hidden'):
        (folder / name).touch()
    absent = tmp_path / 'absent'
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.pathsep.join(map(str, [package, absent, other])))
    assert index.prefixes() == [package, other, Path(sys.prefix)]
    found = index.packages()
    assert (found['demo'], found['more']) == (package, other)
    assert '.hidden' not in found
    assert list(found) == sorted(found)
    index.export_prefixes()
    assert os.environ['AMENT_PREFIX_PATH'].split(os.pathsep)[-1] == sys.prefix


def test_names_of_upstream(package: Path) -> None:
    assert ament_index.get_package_prefix('demo') == str(package)
    assert ament_index.get_package_share_directory('demo') == str(package / 'share/demo')
    assert ament_index.get_package_share_path('demo') == package / 'share/demo'
    assert ament_index.get_packages_with_prefixes()['demo'] == str(package)
    with pytest.raises(KeyError):
        ament_index.get_package_prefix('s2e_absent')
    with pytest.raises(ImportError, match='get_resource'):
        ament_index.get_resource  # noqa: B018


@pytest.mark.parametrize('name', ['', 's2e_absent', '../packages/demo/..'])
def test_unknown_packages(package: Path, name: str) -> None:
    with pytest.raises(PackageNotFoundError, match='not found, searching'):
        index.package_prefix(name)


def test_a_console_script_stands_in_for_a_missing_lib_folder(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / 'venv'
    (venv / 'bin').mkdir(parents=True)
    for name in ('talker', 'listener', 'python'):
        (venv / 'bin' / name).write_text('#!/bin/sh\n')
        (venv / 'bin' / name).chmod(0o755)
    info = tmp_path / 'site' / 'demo-1.0.dist-info'
    info.mkdir(parents=True)
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        '[console_scripts]\ntalker = a:main\nlistener = a:main\nabsent = a:main\n'
    )
    monkeypatch.setattr(sys, 'prefix', str(venv))
    monkeypatch.syspath_prepend(str(tmp_path / 'site'))
    assert index.find_executable('demo', 'talker') == package / 'lib/demo/talker'
    assert index.find_executable('demo', 'listener') == venv / 'bin/listener'
    assert [path.name for path in index.executables('demo')] == ['listener', 'talker']
    for name in ('python', 'absent'):
        with pytest.raises(PackageNotFoundError, match=r"it has: \['listener', 'talker'\]"):
            index.find_executable('demo', name)
