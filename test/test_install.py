"""What colcon installs, and that the packages say truly what they need."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SHARE = ROOT / 'install' / 'share' / 's2e_nav'

spec = importlib.util.spec_from_file_location('layering', HERE / 'layering.py')
layering = importlib.util.module_from_spec(spec)
sys.modules['layering'] = layering
spec.loader.exec_module(layering)

PACKAGE_FILES = sorted(
    path for path in ROOT.glob('src/**/package.xml') if 'build' not in path.parts
)

# Imports that are no package of their own name in rosdep; those without a key are named in
# requirements/full_ros.txt.
KEYS = {
    'PIL': 'python3-pil',
    'cv2': 'python3-opencv',
    'matplotlib': 'python3-matplotlib',
    'numpy': 'python3-numpy',
    'scipy': 'python3-scipy',
    'transforms3d': 'python3-transforms3d',
    'yaml': 'python3-yaml',
}


def overlay():
    if not SHARE.is_dir():
        pytest.skip('ROS missing: no colcon overlay here; run `make setup`')
    return SHARE


@pytest.mark.parametrize('folder', ['launch', 'config', 'models'])
def test_installed_files_are_those_of_the_checkout(folder):
    """A link that leads nowhere installs an empty folder, and colcon calls it a success."""
    suffixes = {
        'launch': ('.launch.py',),
        'config': ('.yaml', '.xml', '.rviz', '.json'),
        'models': ('',),
    }[folder]
    top = ROOT / folder
    wanted = {
        str(path.relative_to(top))
        for path in top.rglob('*')
        if path.is_file() and path.name.endswith(suffixes) and '__pycache__' not in path.parts
    }
    installed = overlay() / folder
    found = {str(p.relative_to(installed)) for p in installed.rglob('*') if p.is_file()}
    assert wanted
    assert wanted - found == set()
    assert all((installed / name).stat().st_size > 0 for name in wanted)


def test_nodes_are_executables_of_the_package():
    overlay()
    nodes = [
        path.stem
        for path in layering.PACKAGES['s2e_nav'].glob('nodes/[a-z]*.py')
        if 'def main(' in path.read_text()
    ]
    assert nodes
    for name in nodes:
        assert os.access(ROOT / 'install' / 'lib' / 's2e_nav' / name, os.X_OK), name


def test_missing_folder_stops_the_build(tmp_path):
    """As in an image that copied src/ alone."""
    copy = tmp_path / 'src' / 's2e_nav'
    shutil.copytree(ROOT / 'src' / 's2e_nav', copy, symlinks=True)
    done = subprocess.run(
        [sys.executable, 'setup.py', '--name'], cwd=copy, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert 'no .launch.py file in launch/' in done.stderr
    assert 'needs the whole repository' in done.stderr


@pytest.mark.parametrize('path', PACKAGE_FILES, ids=lambda path: path.parent.name)
def test_package_file_is_complete(path):
    tree = ElementTree.parse(path).getroot()
    assert tree.findtext('name') == path.parent.name
    assert tree.findtext('version') == '0.1.0'
    assert tree.findtext('license') == 'Apache-2.0'
    assert re.fullmatch(r'[^@]+@[^@]+\.[a-z]+', tree.find('maintainer').get('email'))


@pytest.mark.parametrize(
    'path',
    [path for path in PACKAGE_FILES if (path.parent / 'setup.py').is_file()],
    ids=lambda path: path.parent.name,
)
def test_imports_are_declared(path):
    """rosdep installs what package.xml says, so an import that it does not name is missing."""
    package = path.parent.name
    tree = ElementTree.parse(path).getroot()
    declared = {element.text for element in tree if element.tag.endswith('depend')}
    ours = {other.parent.name for other in PACKAGE_FILES}
    known = ours | set(KEYS) | {'rclpy'} | {name for name in declared if name.endswith('_msgs')}
    used = {
        entry.module.split('.')[0]
        for source in layering.sources(package)
        for entry in layering.imports(source)
        # The command line imports training lazily; a robot need not have it.
        if not (package == 's2e_cli' and entry.lazy)
    }
    used = {name for name in used if name in known or name.endswith('_msgs') or name == 'std_srvs'}
    missing = {KEYS.get(name, name) for name in used - {package}} - declared
    assert missing == set()


@pytest.mark.parametrize('name', ['ros', 'build', 'runtime', 'training', 'development'])
def test_requirements_are_pinned(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    entries = [line for line in lines if line and not line.startswith(('#', '-r '))]
    assert entries
    loose = [line for line in entries if not re.match(r'[A-Za-z0-9_.-]+==[^;\s]+(;.*)?$', line)]
    assert loose == []


def test_the_simulator_needs_nothing_of_training():
    """`make sim` must not download gigabytes that only training uses."""
    seen = ''
    names = ['runtime.txt', 'build.txt']
    while names:
        text = (ROOT / 'requirements' / names.pop()).read_text()
        names += re.findall(r'^-r (\S+)', text, re.MULTILINE)
        seen += text
    assert not re.search(r'^(torch|gsplat|nerfacc|efficientnet)', seen, re.MULTILINE)
