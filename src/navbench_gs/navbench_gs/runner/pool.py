"""Spreads episodes over processes; a crashed worker's episode is tried once more."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from navbench_gs.errors import RunError
from navbench_gs.runner.plan import Finished, Item, PolicyFactory, RunConfig
from s2e_core.errors import S2EError

CHUNK = 5
"""Episodes handed out at once: one scene stays with one worker for a while."""
_EXIT_WAIT = 2.0


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    pending: deque[Item]


class Pool:
    """Worker processes of one run."""

    def __init__(
        self, config: RunConfig, factory: PolicyFactory, out: Path, items: Sequence[Item]
    ) -> None:
        """Start nothing yet.

        Args:
            config: Settings of the run.
            factory: Makes the policy in each worker.
            out: The run's folder.
            items: Episodes to run.
        """
        self._config, self._factory, self._out = config, factory, out
        self._chunks = deque(chunks(items, config.workers))
        self._workers: list[_Worker] = []
        self._crashed: set[Item] = set()
        self.retried: list[Item] = []
        """Episodes whose worker died and that were tried again."""

    def run(self) -> Iterator[Finished]:
        """Yield each episode as it finishes, in the order of finishing.

        Raises:
            RunError: a worker reports an error that no other episode would escape.
        """
        try:
            for _ in range(min(self._config.workers, len(self._chunks))):
                self._start()
            while self._workers:
                yield from self._collect()
        finally:
            self.stop()

    def stop(self) -> None:
        """End every worker; finished episodes are on disk already."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_EXIT_WAIT)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers = []

    def _start(self) -> None:
        context = multiprocessing.get_context('spawn')
        ours, theirs = context.Pipe()
        threads = max(1, (os.cpu_count() or 1) // self._config.workers)
        process = context.Process(
            target=serve, args=(theirs, self._config, self._factory, self._out, threads),
            daemon=True,
        )
        process.start()
        theirs.close()
        worker = _Worker(process, ours, deque())
        self._workers.append(worker)
        self._feed(worker)

    def _feed(self, worker: _Worker) -> None:
        """Hand out the next chunk, or send the worker home."""
        if not self._chunks:
            worker.pipe.send(None)
            return
        chunk = self._chunks.popleft()
        worker.pending.extend(chunk)
        worker.pipe.send(chunk)

    def _collect(self) -> Iterator[Finished]:
        ready = wait([worker.pipe for worker in self._workers])
        for worker in [w for w in self._workers if w.pipe in ready]:
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                failed = self._bury(worker)
                if failed is not None:
                    yield failed
                continue
            if isinstance(message, str):
                raise RunError(message)
            worker.pending.popleft()
            yield message
            if not worker.pending:
                self._feed(worker)

    def _bury(self, worker: _Worker) -> Finished | None:
        """Take a dead worker's episodes back; give up on one that killed two workers."""
        worker.process.join(_EXIT_WAIT)
        code = worker.process.exitcode
        self._workers.remove(worker)
        worker.pipe.close()
        failed = None
        pending = list(worker.pending)
        if pending and pending[0] in self._crashed:
            failed = Finished(pending.pop(0), None, None, f'two workers died, last exit {code}')
        elif pending:
            self._crashed.add(pending[0])
            self.retried.append(pending[0])
        if pending:
            self._chunks.appendleft(pending)
        if self._chunks:
            self._start()
        return failed


def chunks(items: Sequence[Item], workers: int) -> list[list[Item]]:
    """Cut the episodes into pieces of one scene, small enough to keep every worker busy."""
    size = max(1, min(CHUNK, -(-len(items) // max(workers, 1))))
    pieces: list[list[Item]] = []
    for item in items:
        if pieces and len(pieces[-1]) < size and pieces[-1][-1].scene == item.scene:
            pieces[-1].append(item)
        else:
            pieces.append([item])
    return pieces


def serve(
    pipe: Connection, config: RunConfig, factory: PolicyFactory, out: Path, threads: int
) -> None:
    """Run what comes through the pipe; the body of a worker process."""
    # Ctrl-C reaches the whole group; the parent ends the workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from navbench_gs.runner.bench import Bench

        bench: Any = Bench(config, factory, out, threads)
        while (chunk := _hear(pipe)) is not None:
            for item in chunk:
                _tell(pipe, bench.run(item))
    except S2EError as error:
        _tell(pipe, str(error))


def _hear(pipe: Connection) -> Any:
    """Return what comes through the pipe; None when the run was killed, as when it is over."""
    try:
        return pipe.recv()
    except (EOFError, OSError):
        return None


def _tell(pipe: Connection, message: Any) -> None:
    """Report to the run; where it was killed, nobody is left to work for."""
    try:
        pipe.send(message)
    except OSError:
        raise SystemExit(0) from None
