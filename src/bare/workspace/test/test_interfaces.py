"""The message packages of our own: only where the real ones are absent, and equal on the wire."""

import json
import os
import sys
from pathlib import Path

import pytest

from s2e_workspace.cmake_paths import patch_cmake_files
from s2e_workspace.interfaces import interfaces_digest, missing_interfaces, wheel_path
from s2e_workspace.layout import Layout

ROOT = Path(__file__).resolve().parents[4]
INDEX = 'share/ament_index/resource_index/packages'

# The type hashes of the upstream packages in Jazzy and Kilted. Another hash means that endpoints
# of the same topic silently do not find each other.
UPSTREAM = {
    'tf2_msgs/msg/TFMessage': (
        'RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087'
    ),
    'nav2_msgs/action/NavigateToPose': (
        'RIHS01_a56dba8a3234a1215e610180dc703ae25bbf406dded8b54887891c9732857eab'
    ),
    # Of our own build, field by field as Kilted documents it; no upstream server was met. Jazzy's
    # has a list of poses and no statuses of waypoints: another hash.
    'nav2_msgs/action/NavigateThroughPoses': (
        'RIHS01_79fd41c3d79022e194035040f5adee498dfe56e797ede67e5ca31591d9f52eef'
    ),
}


def prefix_with(root, *names):
    (root / INDEX).mkdir(parents=True)
    for name in names:
        (root / INDEX / name).write_text('')
    return root


def test_ours_are_built_only_where_the_real_ones_are_absent(tmp_path):
    empty = prefix_with(tmp_path / 'empty')
    tf2 = prefix_with(tmp_path / 'tf2', 'tf2_msgs')
    full = prefix_with(tmp_path / 'full', 'tf2_msgs', 'nav2_msgs', 'geometry_msgs')
    assert missing_interfaces([empty]) == ['tf2_msgs', 'nav2_msgs']
    assert missing_interfaces([empty, tf2]) == ['nav2_msgs']
    assert missing_interfaces([empty, full]) == []


def test_colcon_of_a_full_ros_does_not_see_them():
    """`colcon build` in the checkout must not shadow the real packages."""
    assert (ROOT / 'src' / 'bare' / 'COLCON_IGNORE').is_file()


@pytest.mark.ros
@pytest.mark.parametrize('name', sorted(UPSTREAM))
def test_type_hash_is_that_of_upstream(name):
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    package, kind, typename = name.split('/')
    found = [
        path
        for prefix in prefixes
        if (path := Path(prefix, 'share', package, kind, f'{typename}.json')).is_file()
    ]
    if not found:
        pytest.skip(f'ROS missing: no {name} in {prefixes}')
    hashes = {
        entry['type_name']: entry['hash_string']
        for entry in json.loads(found[0].read_text())['type_hashes']
    }
    assert hashes[name] == UPSTREAM[name]


def test_include_folders_of_the_wheels_builder_are_replaced_once(tmp_path):
    text = (
        'set(a "/opt/python/cp311-cp311/include/python3.11;/usr/include")\n'
        'set(b "/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include")\n'
    )
    (tmp_path / 'pkg').mkdir()
    (tmp_path / 'pkg' / 'export.cmake').write_text(text)
    (tmp_path / 'other.cmake').write_text('set(c "/opt/pythonic")\n')
    assert patch_cmake_files(tmp_path, '/py\\1', '/np') == 1
    assert (tmp_path / 'pkg' / 'export.cmake').read_text() == (
        'set(a "/py\\1;/usr/include")\nset(b "/np")\n'
    )
    assert patch_cmake_files(tmp_path, '/py\\1', '/np') == 0
    assert (tmp_path / 'other.cmake').read_text() == 'set(c "/opt/pythonic")\n'


def test_cached_wheel_is_of_these_definitions(tmp_path):
    """A changed field must never find the wheel of the old definition."""
    layout = Layout(tmp_path)
    (tmp_path / 'requirements').mkdir()
    for name in ('ros', 'build'):
        layout.requirements(name).write_text('x==1\n')
    message = layout.bare / 'tf2_msgs' / 'msg' / 'TFMessage.msg'
    message.parent.mkdir(parents=True)
    message.write_text('geometry_msgs/TransformStamped[] transforms\n')
    before = interfaces_digest(layout)
    assert before == interfaces_digest(layout)
    assert before[:12] in wheel_path(layout).name
    message.write_text('geometry_msgs/TransformStamped[] transform\n')
    changed = interfaces_digest(layout)
    layout.requirements('ros').write_text('x==2\n')
    assert len({before, changed, interfaces_digest(layout)}) == 3
