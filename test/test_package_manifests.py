"""package.xml of each package: `rosdep install` brings what is imported, and nothing else."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / 'test'))

import layering  # noqa: E402

KEYS = {
    'PIL': 'python3-pil', 'cv2': 'python3-opencv', 'hypothesis': 'python3-hypothesis',
    'jinja2': 'python3-jinja2', 'matplotlib': 'python3-matplotlib', 'numpy': 'python3-numpy',
    'pytest': 'python3-pytest', 'scipy': 'python3-scipy', 'tqdm': 'python3-tqdm',
    'transforms3d': 'python3-transforms3d', 'yaml': 'python3-yaml',
}
"""Modules and their rosdep keys, looked up in rosdistro's rosdep/python.yaml: each has a rule for
Ubuntu 24.04."""
OPTIONAL = {
    'gsplat', 'onnx', 'pycolmap', 'ray', 'safetensors', 'tensorboard', 'torch', 'transformers',
}
"""Training, GPU and cluster: requirements/training.txt, ray.txt and development.txt say how."""
OURS = set(layering.PACKAGES)
LAUNCH = {'s2e_nav': {'launch', 'launch_ros'}}
"""What is imported by files that a package installs, but does not hold."""
WITHOUT = {('s2e_cli', 's2e_training'), ('s2e_nav', 'cv_bridge')}
"""Imports that a package can do without: commands say what is missing, images have an own way."""
PACKAGES = [name for name in OURS if (ROOT / 'src' / name / 'package.xml').is_file()]


def from_pip() -> set[str]:
    """Modules of what requirements/full_ros.txt installs; llvmlite comes with numba."""
    text = (ROOT / 'requirements/full_ros.txt').read_text()
    return {*re.findall(r'^([a-z0-9]+)==', text, re.MULTILINE), 'llvmlite'}


def imported(folder: Path) -> set[str]:
    """Return the top-level modules that the files of a folder import, at any depth."""
    files = sorted(folder.rglob('*.py'))
    found = {item.module.partition('.')[0] for file in files for item in layering.imports(file)}
    beside = {file.stem for file in files}
    return found - set(sys.stdlib_module_names) - beside - {'__future__'}


def named(package: str, *kinds: str) -> set[str]:
    """Return what a manifest names."""
    root = ET.parse(ROOT / 'src' / package / 'package.xml').getroot()
    return {str(item.text) for kind in kinds for item in root.findall(kind)}


def needed(package: str, modules: set[str]) -> set[str]:
    """Return the keys that a manifest must name for some modules."""
    modules = modules - OPTIONAL - from_pip() - {package}
    modules = {module for module in modules if (package, module) not in WITHOUT}
    return {KEYS.get(module, module) for module in modules}


@pytest.mark.parametrize('package', sorted(PACKAGES))
def test_what_a_package_imports_is_what_its_manifest_names(package):
    source = ROOT / 'src' / package / package
    keys = needed(package, imported(source) | LAUNCH.get(package, set()))
    assert named(package, 'exec_depend', 'depend') == keys
    # A key that is not a ROS package, not ours and not looked up would stop rosdep.
    ros = {k for k in keys if re.search(r'(_msgs|_srvs|_interfaces)$', k)}
    assert keys - ros - OURS - {'rclpy', 'launch', 'launch_ros'} <= set(KEYS.values())


@pytest.mark.parametrize('package', sorted(PACKAGES))
def test_what_the_tests_import_is_named_too(package):
    keys = needed(package, imported(ROOT / 'src' / package / 'test'))
    keys = {key for key in keys if key in KEYS.values() or key.endswith('_msgs')}
    missing = keys - named(package, 'exec_depend', 'depend', 'test_depend')
    assert missing == set()


def test_the_stand_ins_are_never_built_beside_a_full_ros():
    # colcon and rosdep both leave out a folder with this file.
    assert (ROOT / 'src/bare/COLCON_IGNORE').is_file()


def test_optional_packages_are_named_where_they_are_said_to_be():
    text = ''.join(
        (ROOT / 'requirements' / f'{name}.txt').read_text()
        for name in ('training', 'ray', 'development')
    ).lower()
    for module in OPTIONAL:
        assert re.search(rf'^{module}==', text, re.MULTILINE), module


@pytest.mark.parametrize('path', sorted(ROOT.glob('config/*.xml')), ids=lambda path: path.name)
def test_profiles_are_well_formed(path: Path) -> None:
    """Fast DDS reads what is not, such as two hyphens in a comment; colcon and others refuse."""
    assert ET.parse(path).getroot().tag.endswith('profiles')
