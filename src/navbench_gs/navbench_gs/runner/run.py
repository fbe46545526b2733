"""A whole run: many episodes, its record, and going on where it was cut off."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from navbench_gs.errors import RunError
from navbench_gs.metrics.summary import Scored, Summary, by_task
from navbench_gs.runner.cluster import Cluster
from navbench_gs.runner.plan import (
    Finished,
    PolicyFactory,
    RunConfig,
    RunFolder,
    write_atomically,
)
from navbench_gs.runner.pool import Pool
from s2e_core.config import to_mapping
from s2e_core.robot import load_robot

Progress = Callable[[Finished], None]
RUN_VERSION = 1
_PACKAGES = ('s2e_core', 'navbench_gs', 's2e_policy', 'numpy', 'numba', 'mujoco', 'onnxruntime',
             'opencv-python-headless')


def run_benchmark(
    config: RunConfig,
    factory: PolicyFactory,
    out: Path,
    *,
    progress: Progress | None = None,
    details: dict[str, Any] | None = None,
    cluster: str | None = None,
) -> list[Summary]:
    """Run every episode that is not there yet and write the run's record.

    Args:
        config: Settings.
        factory: Makes the policy in each worker.
        out: The run's folder; made if absent.
        progress: Called after each episode.
        details: More to put into run.json, such as the policy bundle's hash and licence.
        cluster: Address of a Ray cluster, or `cluster.LOCAL`; processes of our own without.

    Returns:
        The summaries by task.

    Raises:
        RunError: the folder holds another run, or a scene cannot be had.
        KeyboardInterrupt: Ctrl-C; finished episodes and the record are on disk.
    """
    folder = RunFolder(out)
    record = describe(config, factory.name, details or {})
    _check_same_run(folder, record)
    write_atomically(folder.record, _dump({**record, 'complete': False}))
    started = time.monotonic()
    done: list[Finished] = []
    retried: list[str] = []
    complete = False
    try:
        for finished in _episodes(config, factory, out, retried, cluster):
            done.append(finished)
            if progress is not None:
                progress(finished)
        complete = True
    finally:
        record['run'] = _account(done, retried, time.monotonic() - started)
        write_atomically(folder.record, _dump({**record, 'complete': complete}))
    return by_task(scored(done))


def scored(done: list[Finished]) -> list[Scored]:
    """Return the episodes that were driven, ordered by scene, task and index."""
    driven = [
        Scored(item.spec, item.scores) for item in done
        if item.spec is not None and item.scores is not None
    ]
    return sorted(driven, key=lambda item: item.spec.id)


def describe(config: RunConfig, policy: str, details: dict[str, Any]) -> dict[str, Any]:
    """Return what a run is: everything that decides its episodes, and the versions in use."""
    return {
        'version': RUN_VERSION,
        'policy': policy,
        'robot': config.robot,
        'locomotion': load_robot(config.robot).locomotion,
        'seed': config.seed,
        'scenes': list(config.scenes),
        'tasks': list(config.tasks),
        'episodes': config.episodes,
        'mode': 'lockstep',
        'inputs': str(details.get('inputs', 'RGB, odometry, goal')),
        'backend': config.backend,
        'conditions': config.conditions.changed(),
        'protocol': {'hash': config.protocol.hash, 'values': to_mapping(config.protocol)},
        'versions': versions(),
        'details': details,
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


def _episodes(
    config: RunConfig, factory: PolicyFactory, out: Path, retried: list[str],
    cluster: str | None,
) -> Iterator[Finished]:
    items = config.items()
    if cluster is None and config.workers == 1:
        from navbench_gs.runner.bench import Bench

        bench = Bench(config, factory, out, None)
        for item in items:
            yield bench.run(item)
        return
    pool: Pool | Cluster
    if cluster is None:
        pool = Pool(config, factory, out, items)
    else:
        pool = Cluster(config, factory, out, items, cluster)
    yield from pool.run()
    retried += [f'{item.scene} {item.task} {item.index}' for item in pool.retried]


def _check_same_run(folder: RunFolder, record: dict[str, Any]) -> None:
    """Refuse to mix two runs in one folder; more scenes or episodes of the same may be added."""
    if not folder.record.is_file():
        return
    try:
        old = json.loads(folder.record.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise RunError(f'{folder.record}: cannot be read: {error}') from error
    for key in ('policy', 'robot', 'seed', 'backend'):
        if old.get(key) != record[key]:
            raise RunError(
                f'{folder.record}: holds a run with {key} {old.get(key)!r}, asked for '
                f'{record[key]!r}; choose another folder'
            )
    # Runs from before there were conditions say nothing of them.
    if old.get('conditions', {}) != record['conditions']:
        raise RunError(f'{folder.record}: holds a run under other conditions; choose another '
                       'folder')
    if old.get('protocol', {}).get('hash') != record['protocol']['hash']:
        raise RunError(f'{folder.record}: holds a run by another protocol; choose another folder')


def _account(done: list[Finished], retried: list[str], seconds: float) -> dict[str, Any]:
    """Summarise how the run went; wall-clock values live here and nowhere in the episodes."""
    driven = [item for item in done if item.scores is not None and not item.kept]
    simulated = sum(item.scores.duration for item in driven if item.scores is not None)
    return {
        'finished': sum(1 for item in done if item.scores is not None),
        'kept': sum(1 for item in done if item.kept),
        'wall_seconds': round(seconds, 1),
        'simulated_seconds': round(simulated, 2),
        'real_time_factor': round(simulated / seconds, 2) if seconds > 0 else None,
        'retried': retried,
        'skipped': [
            {'scene': item.item.scene, 'task': item.item.task, 'index': item.item.index,
             'reason': item.detail}
            for item in done if item.scores is None
        ],
    }


def _dump(mapping: dict[str, Any]) -> str:
    return json.dumps(mapping, indent=2, sort_keys=True) + '\n'
