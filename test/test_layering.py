"""Imports point one way, and house rules hold in every file. The rules are DESIGN, section 2."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location('layering', HERE / 'layering.py')
layering = importlib.util.module_from_spec(spec)
sys.modules['layering'] = layering  # dataclasses look their module up
spec.loader.exec_module(layering)

PACKAGES = sorted(name for name, path in layering.PACKAGES.items() if path.is_dir())

# Which of our packages each may import, besides itself.
ALLOWED = {
    's2e_core': set(),
    's2e_policy': {'s2e_core'},
    'navbench_gs': {'s2e_core'},
    's2e_teleop': {'s2e_core'},
    's2e_training': {'s2e_core', 's2e_policy', 'navbench_gs'},
    's2e_nav': {'s2e_core', 's2e_policy', 'navbench_gs', 's2e_teleop'},
    's2e_cli': set(PACKAGES),
    's2e_bare': set(),
    's2e_workspace': set(),
}
ROS_MODULES = {
    'action_msgs',
    'ament_index_python',
    'builtin_interfaces',
    'diagnostic_msgs',
    'geometry_msgs',
    'launch',
    'launch_ros',
    'lifecycle_msgs',
    'nav2_msgs',
    'nav_msgs',
    'rcl_interfaces',
    'rclpy',
    'rosgraph_msgs',
    'rosidl_runtime_py',
    'sensor_msgs',
    'std_msgs',
    'std_srvs',
    'tf2_msgs',
    'tf2_ros',
    'unique_identifier_msgs',
    'visualization_msgs',
}
ROS_PACKAGES = {'s2e_nav', 's2e_bare'}
# s2e_core runs on a robot with nothing else of ours.
CORE_LIBRARIES = {'numpy', 'cv2', 'transforms3d', 'yaml', 's2e_core'}
# Absolute names that ROS itself fixes; every other topic is relative, to be remapped by launch.
ABSOLUTE_TOPICS = {'/clock', '/diagnostics', '/tf', '/tf_static', '/rosout', '/parameter_events'}
TOPIC = re.compile(r'^/[a-z][a-z0-9_]*(/[a-z0-9_]+)*$')
SYSTEM_PATHS = ('/dev', '/proc', '/sys', '/tmp', '/usr', '/opt', '/etc', '/var')
PRINTING = {'s2e_nav', 's2e_cli', 's2e_bare', 's2e_workspace'}
PURE_TIME = {'s2e_core'}


def every_import():
    for package in PACKAGES:
        for path in layering.sources(package):
            for entry in layering.imports(path):
                yield package, entry


def top(entry):
    return entry.module.split('.')[0]


def test_our_packages_import_only_inwards():
    wrong = [
        str(entry)
        for package, entry in every_import()
        if top(entry) in layering.PACKAGES and top(entry) not in ALLOWED[package] | {package}
    ]
    assert wrong == []


def test_only_the_nodes_import_ros():
    """The command line may, lazily; the stand-in is itself a part of ROS."""
    wrong = [
        str(entry)
        for package, entry in every_import()
        if top(entry) in ROS_MODULES
        and package not in ROS_PACKAGES
        and not (package == 's2e_cli' and entry.lazy)
    ]
    assert wrong == []


def test_torch_is_for_training_and_lazily_for_the_gpu_renderer():
    wrong = [
        str(entry)
        for package, entry in every_import()
        if top(entry) in {'torch', 'gsplat', 'torchvision'}
        and package != 's2e_training'
        and not (entry.lazy and re.search(r'navbench_gs/render/cuda', str(entry.path)))
    ]
    assert wrong == []


def test_torchvision_is_used_by_nobody():
    """Its wheel for another torch makes both fail to import."""
    assert [str(e) for _, e in every_import() if top(e) == 'torchvision'] == []


def test_core_needs_numpy_and_opencv_only():
    wrong = [
        str(entry)
        for package, entry in every_import()
        if package == 's2e_core'
        and top(entry) not in CORE_LIBRARIES
        and top(entry) not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_the_builder_needs_the_standard_library_only():
    """It runs before anything is installed."""
    wrong = [
        str(entry)
        for package, entry in every_import()
        if package == 's2e_workspace'
        and top(entry) != 's2e_workspace'
        and top(entry) not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_libraries_do_not_print():
    wrong = [
        f'{path}:{line}'
        for package in PACKAGES
        if package not in PRINTING
        for path in layering.sources(package)
        for line in layering.calls(layering.parse(path), 'print')
    ]
    assert wrong == []


def test_core_reads_no_clock():
    wrong = [
        f'{path}:{line}'
        for package in PURE_TIME
        for path in layering.sources(package)
        for line in layering.clock_reads(layering.parse(path))
    ]
    assert wrong == []


def test_nodes_name_no_absolute_topic():
    wrong = [
        f'{path}:{line} {text}'
        for path in layering.sources('s2e_nav')
        for line, text in layering.literals(layering.parse(path))
        if TOPIC.match(text) and text not in ABSOLUTE_TOPICS and not text.startswith(SYSTEM_PATHS)
    ]
    assert wrong == []


def test_every_folder_of_code_is_a_package():
    """`find_packages` would leave it out of the installation without a word."""
    wrong = sorted(
        {
            str(path.parent)
            for package in PACKAGES
            for path in layering.sources(package)
            if not (path.parent / '__init__.py').is_file()
        }
    )
    assert wrong == []


def test_no_file_outgrows_400_lines():
    long = [
        f'{path} ({count})'
        for package in PACKAGES
        for path in layering.sources(package)
        if (count := len(path.read_text(encoding='utf-8').splitlines())) > 400
    ]
    assert long == []


def test_nothing_unpickles_or_loads_yaml_unsafely():
    wrong = [
        f'{path} uses {call}'
        for package in PACKAGES
        for path in layering.sources(package)
        for call in ('pickle.load', 'yaml.load(', 'yaml.unsafe_load', 'allow_pickle=True')
        if call in path.read_text(encoding='utf-8')
    ]
    assert wrong == []


HEAVY = {
    's2e_core': {'torch', 'rclpy', 'onnxruntime', 'numba', 'mujoco'},
    's2e_policy': {'torch', 'rclpy', 'numba', 'mujoco'},
    'navbench_gs': {'torch', 'rclpy', 'onnxruntime'},
    's2e_training': {'rclpy'},
    's2e_teleop': {'torch', 'rclpy', 'onnxruntime', 'numba', 'mujoco'},
    's2e_nav': {'torch'},
    's2e_cli': {'torch', 'rclpy', 'onnxruntime', 'numba', 'mujoco'},
}


def modules_of(package):
    """Return the importable modules of a package, without those that run when imported."""
    root = layering.PACKAGES[package]
    for path in layering.sources(package):
        if path.name != '__main__.py':
            parts = path.relative_to(root.parent).with_suffix('').parts
            yield '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


@pytest.mark.parametrize('package', [name for name in PACKAGES if name in HEAVY])
def test_importing_every_module_loads_nothing_heavy(package):
    """A package works where its neighbours' libraries are not installed."""
    names = list(modules_of(package))
    code = (
        'import importlib, sys\n'
        f'for name in {names!r}:\n'
        '    importlib.import_module(name)\n'
        f'print(sorted({HEAVY[package]!r} & set(sys.modules)))\n'
    )
    path = ':'.join(str(layering.PACKAGES[name].parent) for name in PACKAGES)
    run = [sys.executable, '-c', f'import sys; sys.path[:0] = {path.split(":")!r}\n{code}']
    done = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == '[]'


@pytest.mark.parametrize(
    ('source', 'expected'),
    [
        ('import torch.nn as nn', [('torch.nn', False)]),
        ('from rclpy.node import Node', [('rclpy.node', False)]),
        ('from . import x\nfrom .y import z', []),
        ('def f():\n    import torch', [('torch', True)]),
        ('class A:\n    import torch', [('torch', False)]),
        ('if TYPE_CHECKING:\n    import torch', [('torch', True)]),
        ('try:\n    import torch\nexcept ImportError:\n    pass', [('torch', False)]),
        ('importlib.import_module("torch")', [('torch', False)]),
        ('f = lambda: __import__("torch")', [('torch', True)]),
    ],
)
def test_imports_are_seen_wherever_they_hide(source, expected):
    found = layering.imports(Path('x.py'), ast.parse(source))
    assert [(entry.module, entry.lazy) for entry in found] == expected


def test_literals_leave_documentation_out():
    tree = ast.parse('"""/doc"""\ndef f():\n    """/doc"""\n    return "/odom"\n')
    assert layering.literals(tree) == [(4, '/odom')]


def test_clocks_are_seen():
    tree = ast.parse('time.time()\ntime.sleep(1)\ntime.monotonic_ns()\ndatetime.now()\nx.time()\n')
    assert layering.clock_reads(tree) == [1, 3, 4]
