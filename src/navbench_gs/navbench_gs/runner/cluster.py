"""Spreads episodes over machines with Ray, which is installed only by who wants it.

Ray decides which worker gets what. Workers send their files home; the driver alone writes into
the run's folder, so that the machines need not share one and files are those of a local run.
"""

from __future__ import annotations

import importlib
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from navbench_gs.errors import RunError
from navbench_gs.runner.plan import (
    Finished,
    Item,
    PolicyFactory,
    RunConfig,
    RunFolder,
    write_atomically,
)
from s2e_core.errors import S2EError

LOCAL = 'local'
"""Instead of an address: a cluster of this machine alone, for the time of the run."""

_REACH = 10.0
"""Longest wait for a cluster's head to take a connection, seconds."""
_TOKEN = 'if its nodes run with RAY_AUTH_MODE=token, so must this'
"""Ray's own words for a missing token are that no cluster answers."""
_STARTS = 3
"""Times a cluster of this machine is started: its daemons wait 15 s for each other, which is too
short on a busy machine."""
Files = dict[str, bytes]
"""Content by path within a run's folder."""
_bench: Any = None
"""What this worker process keeps between episodes: (what it was made for, folder, bench)."""


class Cluster:
    """The episodes of one run on a Ray cluster; `pool.Pool` for many machines."""

    def __init__(
        self, config: RunConfig, factory: PolicyFactory, out: Path, items: Sequence[Item],
        address: str,
    ) -> None:
        """Connect.

        Args:
            config: Settings of the run; `workers` counts only on a local cluster.
            factory: Makes the policy in each worker.
            out: The run's folder.
            items: Episodes to run.
            address: Of the cluster's head, 'auto' for the one this machine belongs to, or
                `LOCAL`.

        Raises:
            RunError: Ray is not installed, or no cluster answers.
        """
        self._ray = _import_ray()
        self._config, self._factory, self._folder = config, factory, RunFolder(out)
        self._items = items
        self.retried: list[Item] = []
        """Episodes whose worker died and that were tried again."""
        self._connect(address)

    def _connect(self, address: str) -> None:
        local = {'num_cpus': self._config.workers, 'include_dashboard': False}
        place: dict[str, Any] = local if address == LOCAL else {'address': address}
        _refuse_unreachable(address)
        for attempt in range(1, _STARTS + 1):
            try:
                self._ray.init(**place, log_to_driver=False, configure_logging=False)
                return
            except Exception as error:
                # Of no class of its own where Ray's daemons start too slowly.
                self._ray.shutdown()
                if address == LOCAL and 'timed out' in str(error) and attempt < _STARTS:
                    continue
                hint = '' if address == LOCAL else f'; {_TOKEN}'
                raise RunError(
                    f'ray: no cluster at {address!r}: {str(error)[:300]}{hint}'
                ) from error

    def run(self) -> Iterator[Finished]:
        """Yield each episode as it finishes, in the order of finishing; its files are written.

        Raises:
            RunError: a worker reports an error that no other episode would escape.
        """
        try:
            # Ray would try a dead worker's episode again without telling; it must be noted.
            task = self._ray.remote(num_cpus=1, max_retries=0)(drive)
            config, factory = self._ray.put(self._config), self._ray.put(self._factory)

            def submit(item: Item) -> Any:
                return task.remote(config, factory, item, self._kept(item))

            waiting = {submit(item): item for item in self._items}
            while waiting:
                done, _ = self._ray.wait(list(waiting), num_returns=1)
                item = waiting.pop(done[0])
                finished = self._collect(done[0], item)
                if finished is None:
                    waiting[submit(item)] = item
                else:
                    yield finished
        finally:
            self._ray.shutdown()

    def _collect(self, reference: Any, item: Item) -> Finished | None:
        """Write an episode's files; None if its worker died for the first time."""
        try:
            finished, files = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError as error:
            if item in self.retried:
                return Finished(item, None, None, f'two workers died: {type(error).__name__}')
            self.retried.append(item)
            return None
        if isinstance(finished, str):
            raise RunError(finished)
        for name, content in sorted(files.items()):
            write_atomically(self._folder.root / name, content)
        return finished

    def _kept(self, item: Item) -> Files:
        """Return the files of earlier runs that may hold an item; the worker looks into them."""
        pattern = f'*_{item.task}_{item.index:03d}.json'
        if item.scene.startswith('city:'):
            # Others are told by a name that only their bundle knows.
            pattern = item.scene.replace(':', '-') + pattern[1:]
        return {
            path.relative_to(self._folder.root).as_posix(): path.read_bytes()
            for path in sorted(self._folder.episodes.glob(pattern))
        }


def _refuse_unreachable(address: str) -> None:
    """Say at once that nobody listens at HOST:PORT; Ray itself tries for minutes.

    Raises:
        RunError: Nobody does.
    """
    host, colon, port = address.rpartition(':')
    if not colon or '/' in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip('[]'), int(port)), _REACH).close()
    except (OSError, OverflowError) as error:
        raise RunError(f'ray: nobody listens at {address!r}: {error}') from error


def drive(
    config: RunConfig, factory: PolicyFactory, item: Item, kept: Files
) -> tuple[Finished | str, Files]:
    """Run one episode; the body of a task, in a worker that keeps the scene for the next one.

    Args:
        config: Settings of the run.
        factory: Makes the policy.
        item: The episode.
        kept: Files of an earlier run.

    Returns:
        What became of it, or an error that ends the run, and the files it left.
    """
    try:
        folder, bench = _bench_of(config, factory)
        for name, content in kept.items():
            write_atomically(folder / name, content)
        finished = bench.run(item)
    except S2EError as error:
        return str(error), {}
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob('*')) if path.is_file()
    }
    for name in files:
        (folder / name).unlink()
    # What was there already need not travel back.
    return finished, {name: data for name, data in files.items() if kept.get(name) != data}


def _bench_of(config: RunConfig, factory: PolicyFactory) -> tuple[Path, Any]:
    """Return this process's bench for a run and the folder it writes to."""
    global _bench
    key = (config, factory.name)
    if _bench is None or _bench[0] != key:
        from navbench_gs.runner.bench import Bench

        if _bench is not None:
            shutil.rmtree(_bench[1], ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix='navbench-'))
        _bench = key, folder, Bench(config, factory, folder, 1)
    return _bench[1], _bench[2]


def _import_ray() -> Any:
    try:
        return importlib.import_module('ray')
    except ImportError as error:
        raise RunError(
            'ray: is not installed: pip install -r requirements/ray.txt, or run without --ray'
        ) from error
