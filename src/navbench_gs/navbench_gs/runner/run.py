"""A whole run: many episodes, its record, and going on where it was cut off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from navbench_gs.metrics.summary import Scored, Summary, by_task
from navbench_gs.runner.cluster import Cluster
from navbench_gs.runner.identity import describe
from navbench_gs.runner.latency import latency_table
from navbench_gs.runner.plan import (
    Finished,
    PolicyFactory,
    RunConfig,
    RunFolder,
    write_atomically,
)
from navbench_gs.runner.pool import Pool
from navbench_gs.runner.resume import go_on, refuse_namesakes

Progress = Callable[[Finished], None]


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
    refuse_namesakes(config.scenes)
    record, whole = go_on(folder, describe(config, factory.name, details or {}))
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
        complete = whole
    finally:
        record['run'] = _account(done, retried, time.monotonic() - started)
        record['latency'] = latency_table(
            (item.latency for item in done), record.get('latency')
        )
        write_atomically(folder.record, _dump({**record, 'complete': complete}))
    return by_task(scored(done))


def scored(done: list[Finished]) -> list[Scored]:
    """Return the episodes that were driven, ordered by scene, task and index."""
    driven = [
        Scored(item.spec, item.scores) for item in done
        if item.spec is not None and item.scores is not None
    ]
    return sorted(driven, key=lambda item: item.spec.id)


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


def _account(done: list[Finished], retried: list[str], seconds: float) -> dict[str, Any]:
    """Summarise how the run went; wall-clock values live here and nowhere in the episodes."""
    driven = [item for item in done if item.scores is not None and not item.kept]
    simulated = sum(item.scores.duration for item in driven if item.scores is not None)
    return {
        'finished': sum(1 for item in done if item.scores is not None),
        'kept': sum(1 for item in done if item.kept),
        'wall_seconds': round(seconds, 1),
        'simulated_seconds': round(simulated, 2),
        'real_time_factor': round(simulated / seconds, 2) if driven and seconds > 0 else None,
        'retried': retried,
        'skipped': [
            {'scene': item.item.scene, 'task': item.item.task, 'index': item.item.index,
             'reason': item.detail}
            for item in done if item.scores is None
        ],
    }


def _dump(mapping: dict[str, Any]) -> str:
    return json.dumps(mapping, indent=2, sort_keys=True) + '\n'
