"""What a run is: its settings, every constant behind its episodes, versions and code."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from navbench_gs.crowd import CrowdConfig
from navbench_gs.runner.plan import RunConfig
from s2e_core.config import to_mapping
from s2e_core.control import ControlConfig
from s2e_core.robot import load_robot

RUN_VERSION = 1
_PACKAGES = ('s2e_core', 'navbench_gs', 's2e_policy', 'numpy', 'numba', 'mujoco', 'onnxruntime',
             'opencv-python-headless')
_OURS = ('s2e_core', 's2e_policy', 'navbench_gs')


def describe(
    config: RunConfig, policy: str, details: Mapping[str, Any], *, nodes: bool = False
) -> dict[str, Any]:
    """Return what a run is: everything that decides its episodes, and the versions in use.

    Args:
        config: Its settings.
        policy: Name and hash.
        details: More about the policy.
        nodes: Whether nodes of ROS drive it, whose navigator, follower and gate have settings of
            their own.
    """
    robot = load_robot(config.robot)
    parts: dict[str, Any] = {'robot': to_mapping(robot), 'crowd': to_mapping(CrowdConfig())}
    # Where drivers speak decides no episode.
    del parts['robot']['topics']
    if not nodes:
        parts.update(to_mapping(ControlConfig(gate=config.conditions.gate())))
    return {
        'version': RUN_VERSION,
        'policy': policy,
        'robot': config.robot,
        'locomotion': robot.locomotion,
        'seed': config.seed,
        'scenes': list(config.scenes),
        'tasks': list(config.tasks),
        'episodes': config.episodes,
        'mode': 'lockstep',
        'inputs': str(details.get('inputs', 'RGB, odometry, goal')),
        'camera': config.drawn,
        'backend': config.backend,
        'answer_limit': config.answer_limit,
        'conditions': config.conditions.changed(),
        'protocol': {'hash': config.protocol.hash, 'values': to_mapping(config.protocol)},
        'constants': {'hash': _digest(parts), 'values': parts},
        'versions': versions(),
        'code': code(),
        'details': dict(details),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and the packages that decide numbers."""
    found = {'python': platform.python_version(), 'machine': platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def code() -> dict[str, str]:
    """Return a digest of each of our packages' sources: versions stay while code changes."""
    found = {}
    for package in _OURS:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        root, digest = Path(spec.origin).parent, hashlib.sha256()
        for path in sorted(root.rglob('*.py')):
            digest.update(path.relative_to(root).as_posix().encode() + b'\0')
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        found[package] = digest.hexdigest()[:16]
    return found


def changed_versions(run: Mapping[str, Any]) -> list[str]:
    """Say which versions differ between a run and here, such as 'numpy 2.3.1, here 2.4.6'."""
    then, now = dict(run.get('versions', {})), versions()
    return [
        f'{name} {then.get(name, "absent")}, here {now.get(name, "absent")}'
        for name in sorted({*then, *now}) if then.get(name) != now.get(name)
    ]


def changed_constants(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say which constants differ between two records, such as 'robot.v_max 1.5, now 1.2'.

    What only one of them knows says nothing: runs of before have no constants or fewer, and nodes
    of ROS have settings of their own. `code` tells whether the software is another.
    """
    old, new = (record.get('constants', {}).get('values', {}) for record in (then, now))
    return [
        f'{part}.{name} {a[name]}, now {b[name]}'
        for part in sorted(old.keys() & new.keys())
        for a, b in [(_flat(old[part]), _flat(new[part]))]
        for name in sorted(a.keys() & b.keys()) if a[name] != b[name]
    ]


def _flat(values: Any, prefix: str = '') -> dict[str, Any]:
    """Return nested values by dotted names."""
    if not isinstance(values, Mapping):
        return {prefix.rstrip('.'): values}
    return {
        name: value for key, inner in values.items()
        for name, value in _flat(inner, f'{prefix}{key}.').items()
    }


def _digest(values: Any) -> str:
    text = json.dumps(values, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()
