"""What the builder says about machines it cannot work on."""

import pytest

from s2e_workspace import machine
from s2e_workspace.errors import WorkspaceError


@pytest.mark.parametrize(
    ('version', 'good'),
    [((3, 9, 18), False), ((3, 10, 0), True), ((3, 13, 9), True), ((3, 14, 0), False)],
)
def test_python_versions(version, good):
    assert machine.supported(version) == good
    if good:
        machine.check_python(version)
        return
    with pytest.raises(WorkspaceError, match=r'needs Python 3\.10 to 3\.13') as error:
        machine.check_python(version)
    assert '.'.join(str(part) for part in version) in str(error.value)


@pytest.mark.parametrize(('name', 'system'), [('aarch64', 'Linux'), ('x86_64', 'Darwin')])
def test_machine_without_wheels_is_pointed_to_what_works(name, system):
    with pytest.raises(WorkspaceError, match='docker/'):
        machine.check_machine(name, system)
    machine.check_machine('x86_64', 'Linux')


def test_missing_compiler_is_named(tmp_path):
    with pytest.raises(WorkspaceError, match='apt install g'):
        machine.compiler({'PATH': str(tmp_path)})


def test_compiler_of_the_user_comes_first(tmp_path):
    for name in ('g++', 'mine'):
        (tmp_path / name).write_text('#!/bin/sh\n')
        (tmp_path / name).chmod(0o755)
    assert machine.compiler({'PATH': str(tmp_path), 'CXX': 'mine'}) == str(tmp_path / 'mine')
    assert machine.compiler({'PATH': str(tmp_path), 'CXX': 'absent'}) == str(tmp_path / 'g++')


def test_missing_headers_are_named(tmp_path):
    with pytest.raises(WorkspaceError, match='python3-dev'):
        machine.check_headers(str(tmp_path))
    (tmp_path / 'Python.h').write_text('')
    machine.check_headers(str(tmp_path))


def test_sourced_ros_does_not_leak_into_the_environment():
    dirty = {'PATH': '/bin', 'PYTHONPATH': '/opt/ros/lib', 'AMENT_PREFIX_PATH': '/opt/ros'}
    assert machine.clean_environment(dirty) == {'PATH': '/bin'}


def test_full_ros_is_one_with_launch_ros(tmp_path):
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    environment = {'AMENT_PREFIX_PATH': f':{tmp_path}', 'ROS_DISTRO': 'jazzy'}
    assert machine.full_ros(environment) is None
    (index / 'launch_ros').write_text('')
    assert machine.full_ros(environment) == 'jazzy'
    with pytest.raises(WorkspaceError, match='jazzy is sourced'):
        machine.check_no_full_ros(environment)
