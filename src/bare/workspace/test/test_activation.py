"""The environment works from any folder without activation, and without another's leftovers."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

import s2e_workspace
from s2e_workspace import activation
from s2e_workspace.layout import Layout

PREFIX = Path(s2e_workspace.__file__).with_name('prefix.py')
VERSION = f'python{sys.version_info[0]}.{sys.version_info[1]}'


@pytest.fixture
def activate(monkeypatch):
    """Return the start-up function, with variables and search path restored afterwards."""
    for name in ('AMENT_PREFIX_PATH', 'FASTDDS_DEFAULT_PROFILES_FILE', 'LD_LIBRARY_PATH'):
        monkeypatch.setenv(name, 'x')  # so that they are restored even if they were unset
        monkeypatch.delenv(name)
    monkeypatch.setenv('_ROS_WHEELS_BOOTSTRAP_COMPLETE', '1')
    monkeypatch.setattr(sys, 'path', list(sys.path))
    spec = importlib.util.spec_from_file_location('_s2e_prefix', PREFIX)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.activate


def checkout(root):
    packages = root / 'install' / 'lib' / VERSION / 'site-packages'
    packages.mkdir(parents=True)
    (root / 'build' / 's2e_core').mkdir(parents=True)
    (packages / 's2e-core.egg-link').write_text(f'{root}/build/s2e_core\n.')
    (packages / 'gone.egg-link').write_text(f'{root}/build/gone\n.')
    (root / 'config').mkdir()
    (root / 'config' / 'fastdds.xml').write_text('<profiles/>')
    return root


def test_overlay_comes_before_the_environment(activate, tmp_path):
    activate(str(checkout(tmp_path)))
    assert os.environ['AMENT_PREFIX_PATH'] == f'{tmp_path}/install{os.pathsep}{sys.prefix}'
    assert os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] == f'{tmp_path}/config/fastdds.xml'
    assert f'{tmp_path}/build/s2e_core' in sys.path
    assert f'{tmp_path}/build/gone' not in sys.path


def test_activating_again_changes_nothing(activate, tmp_path):
    activate(str(checkout(tmp_path)))
    before = os.environ['AMENT_PREFIX_PATH'], list(sys.path)
    activate(str(tmp_path))
    assert (os.environ['AMENT_PREFIX_PATH'], sys.path) == before


def test_choices_of_the_user_stay(activate, tmp_path, monkeypatch):
    monkeypatch.setenv('FASTDDS_DEFAULT_PROFILES_FILE', '/mine.xml')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/my/overlay')
    activate(str(checkout(tmp_path)))
    assert os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] == '/mine.xml'
    assert os.environ['AMENT_PREFIX_PATH'].startswith('/my/overlay')


def test_mark_of_another_environment_is_dropped(activate, tmp_path, monkeypatch):
    """Its libraries were found, ours were not, and rclpy failed to load."""
    monkeypatch.setenv('LD_LIBRARY_PATH', '/other/.venv/lib')
    activate(str(checkout(tmp_path)))
    assert '_ROS_WHEELS_BOOTSTRAP_COMPLETE' not in os.environ


def test_mark_of_our_own_environment_stays(activate, tmp_path, monkeypatch):
    """Dropping it would start the interpreter again and again."""
    monkeypatch.setenv('LD_LIBRARY_PATH', f'/x{os.pathsep}{sys.prefix}/lib')
    activate(str(checkout(tmp_path)))
    assert os.environ['_ROS_WHEELS_BOOTSTRAP_COMPLETE'] == '1'


def test_start_up_file_sorts_before_the_bootstrapper_and_commands_are_executable(tmp_path):
    layout = Layout(tmp_path)
    activation.site_packages(layout).mkdir(parents=True)
    (layout.venv / 'bin').mkdir()
    activation.install_activation(layout)
    assert activation.PTH_NAME < 'ros_wheels_bootstrapper.pth'
    line = (activation.site_packages(layout) / activation.PTH_NAME).read_text()
    assert line == f'import _s2e_prefix; _s2e_prefix.activate({str(tmp_path)!r})\n'
    for command in ('s2e', 'ros2'):
        script = layout.venv / 'bin' / command
        assert os.access(script, os.X_OK)
        assert script.read_text().splitlines()[0] == f'#!{layout.python}'
