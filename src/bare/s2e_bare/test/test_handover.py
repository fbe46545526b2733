"""The ros2 program of the stand-in makes way for a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from s2e_bare.ros2 import handover

ROOT = str(Path(__file__).resolve().parents[1])
OURS = '#!/usr/bin/python3\nimport sys\nfrom s2e_bare.ros2.main import main\nsys.exit(main())\n'


def program(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / 'ros2'
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return program(tmp_path / 'opt', '#!/bin/sh\necho "real ros2: $*"\n')


@pytest.mark.parametrize('first', ['ours', 'opt'])
def test_a_real_ros2_is_found_before_and_behind_ours(
    tmp_path: Path, real: Path, first: str
) -> None:
    program(tmp_path / 'ours', OURS)
    second = {'ours': 'opt', 'opt': 'ours'}[first]
    path = f'/nowhere{os.pathsep}{tmp_path / first}{os.pathsep}{tmp_path / second}'
    assert handover.real_ros2(path) == real


def test_ours_alone_is_not_a_real_one(tmp_path: Path) -> None:
    program(tmp_path / 'a', OURS)
    program(tmp_path / 'b', OURS.replace('s2e_bare.ros2', 's2e-bare==0.1.0'))
    assert handover.real_ros2(f'{tmp_path / "a"}{os.pathsep}{tmp_path / "b"}') is None


def test_the_real_one_gets_arguments_without_the_wheels_variables(real: Path) -> None:
    calls = []
    env = {
        'PATH': str(real.parent),
        'LD_LIBRARY_PATH': '/wheels',
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
        'KEPT': 'yes',
    }
    refusal = handover.hand_over(['node', 'list'], env, lambda *call: calls.append(call))
    assert refusal is None
    assert calls == [
        (str(real), [str(real), 'node', 'list'], {'PATH': str(real.parent), 'KEPT': 'yes'})
    ]


def test_a_library_path_that_is_not_of_the_wheels_is_kept(real: Path) -> None:
    calls: list[tuple[str, list[str], dict[str, str]]] = []
    env = {'PATH': str(real.parent), 'LD_LIBRARY_PATH': '/opt/ros/kilted/lib'}
    handover.hand_over([], env, lambda *call: calls.append(call))
    assert calls[0][2]['LD_LIBRARY_PATH'] == '/opt/ros/kilted/lib'


def run_main(tmp_path: Path, path: str, python_path: str = '') -> subprocess.CompletedProcess[str]:
    env = dict(os.environ, PATH=path, PYTHONPATH=f'{python_path}{os.pathsep}{ROOT}')
    code = 'import sys; from s2e_bare.ros2.main import main; sys.exit(main())'
    return subprocess.run(
        [sys.executable, '-c', code, 'pkg', 'list'],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_itself_hands_over(tmp_path: Path, real: Path) -> None:
    done = run_main(tmp_path, f'{real.parent}{os.pathsep}{os.environ["PATH"]}')
    assert (done.returncode, done.stdout) == (0, 'real ros2: pkg list\n')


def test_it_refuses_where_only_the_real_python_packages_are(tmp_path: Path) -> None:
    (tmp_path / 'real' / 'launch_ros').mkdir(parents=True)
    (tmp_path / 'real' / 'launch_ros' / '__init__.py').touch()
    done = run_main(tmp_path, '/usr/bin:/bin', str(tmp_path / 'real'))
    assert done.returncode == 1
    assert 'the real launch_ros is installed' in done.stderr
