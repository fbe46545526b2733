"""What the robot and the benchmark import is named in requirements, not just dragged in."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = {'cv2': 'opencv-python-headless', 'yaml': 'pyyaml', 'PIL': 'pillow'}
OURS = {
    's2e_core', 's2e_policy', 'navbench_gs', 's2e_training', 's2e_teleop', 's2e_nav', 's2e_cli',
}
# llvmlite comes with every numba; torch, gsplat and cv_bridge are imported only where they are
# present.
EXCEPTIONS = {'llvmlite', 'torch', 'gsplat', 'cv_bridge'}
PACKAGES = ('s2e_core', 's2e_policy', 'navbench_gs', 's2e_teleop', 's2e_nav', 's2e_cli')


def imported(package: str) -> set[str]:
    """Top-level modules that a package imports, at any depth of its code."""
    found: set[str] = set()
    for file in (REPOSITORY / 'src' / package / package).rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split('.')[0])
    return found - set(sys.stdlib_module_names) - OURS - EXCEPTIONS


def required() -> set[str]:
    """Distributions that a runtime environment installs by name, lower case."""
    text = ''.join(
        (REPOSITORY / 'requirements' / name).read_text(encoding='utf-8')
        for name in ('runtime.txt', 'ros.txt')
    )
    return {m.lower() for m in re.findall(r'^([A-Za-z0-9_.-]+)==', text, re.MULTILINE)}


def test_runtime_imports_are_required() -> None:
    """`make sim` in a fresh clone once failed for jinja2, which only torch had brought along."""
    needed = set().union(*(imported(package) for package in PACKAGES))
    ros = {n for n in needed if n == 'rclpy' or n.endswith(('_msgs', '_srvs', '_interfaces'))}
    missing = {n for n in needed - ros if NAMES.get(n, n).lower() not in required()}
    assert missing == set()
