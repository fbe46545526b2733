"""The stand-in answers to the upstream names only where nothing real does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[1])


def run(code: str, *paths: Path) -> str:
    """Run code in a fresh Python that sees the given folders first."""
    inserts = ''.join(f'sys.path.insert(0, {str(path)!r})\n' for path in (ROOT, *paths))
    done = subprocess.run(
        [sys.executable, '-c', f'import sys\n{inserts}{code}'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def real_ros(tmp_path: Path) -> Path:
    """Real launch packages, as far as Python can tell."""
    for name in ('launch', 'launch_ros'):
        (tmp_path / 'real' / name).mkdir(parents=True)
        (tmp_path / 'real' / name / '__init__.py').write_text('REAL = True\n')
    return tmp_path / 'real'


def test_nothing_is_installed_beside_the_real_one(real_ros: Path) -> None:
    out = run(
        """
import s2e_bare
assert s2e_bare.real_launch_present()
assert s2e_bare.install() is False
ours = [n for n in sys.modules if n.startswith(('s2e_bare.launch', 's2e_bare.processes'))]
assert ours == [], ours
assert not any(type(f).__module__.startswith('s2e_bare') for f in sys.meta_path)
import launch, launch_ros
print(launch.REAL, launch_ros.REAL)
""",
        real_ros,
    )
    assert out.split() == ['True', 'True']


def test_required_installation_beside_the_real_one_is_an_error(real_ros: Path) -> None:
    out = run(
        """
import s2e_bare
try:
    s2e_bare.install(required=True)
except s2e_bare.BareError as error:
    print(error)
""",
        real_ros,
    )
    assert 'launch_ros is installed here' in out


def test_the_real_one_wins_when_it_was_imported_first(real_ros: Path) -> None:
    out = run('import launch_ros, s2e_bare; print(s2e_bare.install())', real_ros)
    assert out.strip() == 'False'


def test_a_bare_folder_named_launch_ros_is_not_the_real_one(tmp_path: Path) -> None:
    (tmp_path / 'here' / 'launch_ros').mkdir(parents=True)
    (tmp_path / 'here' / 'launch').mkdir(parents=True)
    code = 'import s2e_bare; print(s2e_bare.install()); import launch; print(launch.__name__)'
    assert run(code, tmp_path / 'here').split() == ['True', 's2e_bare.launch']


def test_the_package_does_not_ship_a_top_level_launch() -> None:
    from setuptools import find_packages

    top = {name.split('.')[0] for name in find_packages(ROOT, exclude=['test', 'test.*'])}
    assert top == {'s2e_bare'}


def test_upstream_names_are_the_same_modules() -> None:
    run(
        """
import s2e_bare
assert s2e_bare.install() and s2e_bare.install()
import launch.actions.timer, s2e_bare.launch.actions.timer
assert launch.actions.timer is s2e_bare.launch.actions.timer
from launch.substitution import Substitution
from launch.substitutions import LaunchConfiguration
assert issubclass(LaunchConfiguration, Substitution)
import launch_ros.events.lifecycle
from launch_ros.parameter_descriptions import ParameterValue
from ament_index_python.packages import get_package_share_directory
"""
    )


@pytest.mark.parametrize(
    ('statement', 'named'),
    [
        ('from launch.actions import ForEach', 'launch.actions.ForEach'),
        ('from launch_ros.actions import ComposableNodeContainer', 'ComposableNodeContainer'),
        ('import launch.frontend', 'launch.frontend'),
        ('from launch import nothing', 'launch.nothing'),
        ('import launch; launch.substitutions.Nothing', 'launch.substitutions.Nothing'),
    ],
)
def test_unknown_names_are_named(statement: str, named: str) -> None:
    out = run(
        f"""
import s2e_bare
s2e_bare.install()
try:
    {statement}
except ImportError as error:
    print(error)
"""
    )
    assert named in out
    assert 'stand-in' in out


@pytest.mark.parametrize(
    'statement',
    [
        "LogInfo(msg='x', colour='red')",
        "ExecuteProcess(cmd=['true'], colour='red')",
        "Node(package='p', executable='e', colour='red')",
        "OnProcessExit(on_exit=[], colour='red')",
        "LaunchDescription([], colour='red')",
        "LaunchConfiguration('x', colour='red')",
    ],
)
def test_unknown_arguments_are_named(statement: str) -> None:
    out = run(
        f"""
import s2e_bare
s2e_bare.install()
from launch import LaunchDescription
from launch.actions import ExecuteProcess, LogInfo
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
try:
    {statement}
except s2e_bare.BareError as error:
    print(error)
"""
    )
    assert "'colour'" in out
    assert 'not supported' in out
