"""Runs on this machine what could not be run where this was built, and says what held."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from s2e_cli.doctor import selftest_docker, selftest_graph, selftest_sensors
from s2e_cli.doctor.check import Check, Level
from s2e_cli.doctor.command import failure
from s2e_cli.doctor.content import bundle_folders
from s2e_cli.doctor.remote import try_teleop
from s2e_cli.doctor.ros import is_full
from s2e_core.errors import S2EError

GROUP = 'selftest'
PROVIDERS = ('cpu', 'cuda', 'tensorrt')
LATENCY_RUNS = 50
EPISODE = {'scene': 'city:100', 'task': 'empty', 'policy': 'straight'}
PIXEL_MEAN = 2.0 / 255.0
"""Of colour between back ends: gsplat cuts a footprint at 3.33 deviations, the reference later."""


def selftest(tell: Callable[[str], None], *, docker: bool = False) -> Iterator[Check]:
    """Try everything that is here.

    Args:
        tell: Shows what is being tried.
        docker: Whether to build the image too, which takes long and fetches much.
    """
    yield Check(GROUP, 'machine', 'ok', f'{platform.machine()}, Python {sys.version.split()[0]}')
    for folder in bundle_folders():
        for provider in PROVIDERS:
            tell(f'{folder.name} on {provider}')
            yield try_provider(folder, provider)
    tell('splats on the GPU')
    yield try_cuda_renderer()
    tell('remote driving: a page, its video, and a driver who falls silent')
    yield from try_teleop()
    for check in (_episode, _rosdep, _colcon):
        tell((check.__doc__ or '').split('.')[0].lower())
        yield check()
    yield from selftest_graph.checks(tell)
    tell('drivers on this ROS domain')
    yield from selftest_sensors.checks()
    tell('docker')
    yield from selftest_docker.checks(source_tree(), docker)


def try_provider(folder: Path, provider: str) -> Check:
    """Replay a bundle's reference on a provider and time it."""
    from s2e_policy.bundle import load_bundle
    from s2e_policy.latency import measure
    from s2e_policy.reference import replay
    from s2e_policy.session import available

    name = f'{folder.name} on {provider}'
    if provider not in available():
        return Check(GROUP, name, 'skip', f'not in this ONNX Runtime, which has {available()}')
    try:
        bundle = load_bundle(folder)
        worst = max(replay(bundle, provider).values())
        timing = measure(
            bundle, 'streaming', 1, LATENCY_RUNS, time.perf_counter, provider=provider
        )
    except S2EError as error:
        return Check(GROUP, name, 'fail', str(error), 'use another provider: provider:=cpu')
    return Check(
        GROUP, name, 'ok', f'as exported, within {worst:.1g} m; {timing.p50:.1f} ms median, '
        f'{timing.p99:.1f} ms p99',
    )


def try_cuda_renderer() -> Check:
    """Draw the same splats on the GPU and by the reference."""
    from navbench_gs.render.camera import RenderCamera
    from navbench_gs.render.factory import make_renderer
    from navbench_gs.splats.cloud import GaussianCloud

    name = 'GPU renderer against the reference'
    if importlib.util.find_spec('gsplat') is None or importlib.util.find_spec('torch') is None:
        return Check(GROUP, name, 'skip', 'torch or gsplat is not installed')
    rng, count = np.random.default_rng(0), 500
    quats = rng.normal(size=(count, 4))
    cloud = GaussianCloud(
        means=rng.uniform([-2, -2, 2], [2, 2, 6], (count, 3)).astype(np.float32),
        quats=(quats / np.linalg.norm(quats, axis=1, keepdims=True)).astype(np.float32),
        scales=rng.uniform(0.02, 0.2, (count, 3)).astype(np.float32),
        opacities=rng.uniform(0.3, 0.9, count).astype(np.float32),
        sh=rng.uniform(-1.0, 1.5, (count, 1, 3)).astype(np.float32),
    )
    camera = RenderCamera(64, 48, 40.0, 40.0, 32.0, 24.0, np.eye(4))
    try:
        frames = [
            make_renderer(cloud, backend=backend).render(camera).rgb.astype(np.float64)
            for backend in ('cuda', 'reference')
        ]
    except S2EError as error:
        return Check(GROUP, name, 'skip', str(error))
    difference = float(np.abs(frames[0] - frames[1]).mean() / 255.0)
    level: Level = 'ok' if difference <= PIXEL_MEAN else 'fail'
    text = f'mean difference {255 * difference:.2f}/255, allowed {255 * PIXEL_MEAN:.0f}/255'
    return Check(GROUP, name, level, text, 'backend:=cpu draws by the definition')


def _episode() -> Check:
    """One episode through ROS and without it. Both must leave the same file."""
    name = 'lock-step episode, ROS against no ROS'
    ros2 = shutil.which('ros2')
    if ros2 is None:
        return Check(GROUP, name, 'skip', 'no ros2 command; source or activate an environment')
    arguments = [f'{key}:={value}' for key, value in EPISODE.items()]
    with tempfile.TemporaryDirectory() as folder:
        through, without = Path(folder) / 'ros', Path(folder) / 'plain'
        failed = failure([
            ros2, 'launch', 's2e_nav', 'navbench_sim.launch.py', *arguments, 'episodes:=1',
            'film:=false', 'record:=false', f'output:={through}',
        ]) or failure([
            sys.executable, '-m', 's2e_cli', 'bench', 'run', '--policy', EPISODE['policy'],
            '--scenes', EPISODE['scene'], '--tasks', EPISODE['task'], '--episodes', '1',
            '--out', str(without),
        ])
        if failed:
            return Check(GROUP, name, 'fail', failed, 'run the same command by hand')
        files = [sorted((root / 'episodes').glob('*.json')) for root in (through, without)]
        if [len(found) for found in files] != [1, 1]:
            return Check(GROUP, name, 'fail', f'expected one episode each, got {files}')
        one, other = (found[0].read_bytes() for found in files)
    outcome = json.loads(one)['outcome']
    if one != other:
        return Check(GROUP, name, 'fail', f'the files differ; {outcome} through ROS')
    return Check(GROUP, name, 'ok', f'equal to the byte; {outcome}, ROS {_distribution()}')


def _rosdep() -> Check:
    """Dependencies that rosdep knows. Asked only in a source tree beside a full ROS."""
    name = 'rosdep keys'
    rosdep, source = shutil.which('rosdep'), source_tree()
    if rosdep is None or source is None:
        return Check(GROUP, name, 'skip', 'no rosdep, or not in a source tree')
    failed = failure([rosdep, 'check', '--from-paths', str(source / 'src'), '--ignore-src'])
    if failed:
        return Check(GROUP, name, 'fail', failed, 'rosdep install --from-paths src --ignore-src')
    return Check(GROUP, name, 'ok', 'all known and installed')


def _colcon() -> Check:
    """The workspace by colcon. Built into a folder of its own beside a full ROS."""
    name = 'colcon build'
    colcon, source = shutil.which('colcon'), source_tree()
    if colcon is None or source is None or not is_full():
        return Check(GROUP, name, 'skip', 'no full ROS 2 or colcon, or not in a source tree')
    with tempfile.TemporaryDirectory() as folder:
        failed = failure([
            colcon, '--log-base', f'{folder}/log', 'build', '--base-paths', str(source / 'src'),
            '--build-base', f'{folder}/build', '--install-base', f'{folder}/install',
        ])
    text = failed or 'clean; its tests: colcon test'
    return Check(GROUP, name, 'fail' if failed else 'ok', text, 'rosdep install --from-paths src')


def source_tree() -> Path | None:
    """Return the checkout this file lies in, or None in an installation."""
    for parent in Path(__file__).resolve().parents:
        if (parent / 'docker').is_dir() and (parent / 'src' / 's2e_core').is_dir():
            return parent
    return None


def _distribution(environment: Mapping[str, str] = os.environ) -> str:
    return environment.get('ROS_DISTRO') or 'from wheels'
