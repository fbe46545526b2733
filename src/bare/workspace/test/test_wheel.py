"""The wheel of the interface packages: its layout, and that pip accepts and removes it."""

import subprocess
import sys
import zipfile

from s2e_workspace.wheel import pack_wheel

NAME = 's2e_bare_interfaces-0.1.0+abc-py3-none-any.whl'


def install_tree(root):
    """Make a small tree as colcon leaves it."""
    files = {
        'setup.bash': 'colcon',
        'share/ament_index/resource_index/packages/tf2_msgs': '',
        'share/tf2_msgs/msg/TFMessage.json': '{}',
        'share/tf2_msgs/local_setup.sh': 'colcon',
        'share/colcon-core/packages/tf2_msgs': '',
        'lib/libtf2_msgs__rosidl_generator_c.so': 'elf',
        'lib/python3.11/site-packages/tf2_msgs/__init__.py': 'VALUE = 42\n',
        'lib/python3.11/site-packages/tf2_msgs/tf2_msgs_s.so': 'elf',
        'lib/python3.11/site-packages/tf2_msgs/_source.c': 'int x;',
        'lib/python3.11/site-packages/tf2_msgs/__pycache__/x.pyc': 'stale',
        'lib/python3.11/site-packages/tf2_msgs-0.1.0-py3.11.egg-info/PKG-INFO': '',
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_layout_is_that_of_the_ros_wheels(tmp_path):
    wheel = tmp_path / NAME
    pack_wheel(install_tree(tmp_path / 'tree'), wheel)
    data = 's2e_bare_interfaces-0.1.0+abc.data/data'
    info = 's2e_bare_interfaces-0.1.0+abc.dist-info'
    assert sorted(zipfile.ZipFile(wheel).namelist()) == [
        f'{data}/lib/libtf2_msgs__rosidl_generator_c.so',
        f'{data}/share/ament_index/resource_index/packages/tf2_msgs',
        f'{data}/share/tf2_msgs/msg/TFMessage.json',
        f'{info}/METADATA',
        f'{info}/RECORD',
        f'{info}/WHEEL',
        'tf2_msgs/__init__.py',
        'tf2_msgs/tf2_msgs_s.so',
    ]


def test_same_tree_gives_the_same_bytes(tmp_path):
    tree = install_tree(tmp_path / 'tree')
    pack_wheel(tree, tmp_path / 'a' / NAME)
    (tree / 'share/tf2_msgs/msg/TFMessage.json').touch()
    pack_wheel(tree, tmp_path / 'b' / NAME)
    assert (tmp_path / 'a' / NAME).read_bytes() == (tmp_path / 'b' / NAME).read_bytes()


def test_pip_installs_it_and_the_prefix_is_right(tmp_path):
    pack_wheel(install_tree(tmp_path / 'tree'), tmp_path / NAME)
    target = tmp_path / 'prefix'
    command = [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index']
    command += ['--ignore-installed', '--prefix', str(target), str(tmp_path / NAME)]
    subprocess.run(command, check=True, capture_output=True)
    assert (target / 'share/tf2_msgs/msg/TFMessage.json').read_text() == '{}'
    assert (target / 'lib/libtf2_msgs__rosidl_generator_c.so').is_file()
    assert len(list(target.glob('lib/python*/site-packages/tf2_msgs/__init__.py'))) == 1
