"""Feeds damaged inputs to a reader in a process with little memory, and judges each answer."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
import traceback
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from navbench_gs.errors import SplatFormatError
from navbench_gs.splats import GaussianCloud, load
from splat_fuzz.samples import KINDS, Source, source

MEMORY = 512 << 20
"""Bytes of address space that a reader may add to what the process starts with."""
SECONDS = 20
"""CPU time in which each input must be answered; a hundred times what the worst has taken."""


@dataclass(frozen=True)
class Verdict:
    """What became of the inputs of one kind."""

    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    """CPU seconds."""
    peak: int = 0
    """Most bytes of resident memory that one input took."""
    failure: str = ''
    """Trace of the first input that gave neither a sound cloud nor a SplatFormatError."""


def check(cloud: GaussianCloud) -> None:
    """Assert every promise that a loaded cloud makes."""
    assert len(cloud) > 0
    for array in (cloud.means, cloud.scales, cloud.sh, cloud.quats, cloud.opacities):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert (cloud.scales > 0.0).all()
    assert np.abs(cloud.means).max() <= 1e7
    assert ((cloud.opacities >= 0.0) & (cloud.opacities <= 1.0)).all()
    np.testing.assert_allclose(np.linalg.norm(cloud.quats, axis=1), 1.0, atol=1e-4)


def run(kind: str, count: int, folder: Path, first: int = 0) -> Verdict:
    """Try inputs number `first` and on in a process of their own.

    The input that fails is left below `folder`.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context('fork')
    worker = context.Process(target=_work, args=(kind, count, folder, first, sender))
    worker.start()
    sender.close()
    try:
        verdict: Verdict = receiver.recv()
    except EOFError:
        worker.join()
        verdict = Verdict(failure=f'{kind}: the process died with {worker.exitcode}')
    worker.join()
    return verdict


def _memory(key: str) -> int:
    """Return an entry of /proc/self/status, bytes."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise AssertionError(key)


def _stop(*_: object) -> None:
    raise TimeoutError(f'no answer within {SECONDS} s of CPU time')


def _work(kind: str, count: int, folder: Path, first: int, sender: Connection) -> None:
    warnings.simplefilter('error')
    signal.signal(signal.SIGPROF, _stop)
    inputs = source(kind, folder)
    limit = _memory('VmSize') + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    verdict, index = Verdict(), first
    try:
        for index in range(first, first + count):
            one = _try(inputs, np.random.default_rng([KINDS.index(kind), index]))
            verdict = Verdict(
                verdict.accepted + one.accepted,
                verdict.refused + one.refused,
                max(verdict.slowest, one.slowest),
                max(verdict.peak, one.peak),
            )
    except BaseException:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        verdict = Verdict(failure=f'{kind}, input {index}:\n{traceback.format_exc()}')
    sender.send(verdict)


def _try(inputs: Source, rng: np.random.Generator) -> Verdict:
    """Read one input, by its own reader or through `load`."""
    path = inputs.make(rng)
    direct = rng.random() < 0.5
    # Writing 5 sets the high-water mark to what is resident now.
    Path('/proc/self/clear_refs').write_text('5')
    start = _memory('VmRSS')
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    before = time.process_time()
    message = ''
    try:
        check(inputs.read(path) if direct else load(path))
    except SplatFormatError as error:
        message = str(error)
    seconds = time.process_time() - before
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    refused = bool(message)
    assert not refused or (path.name in message and len(message) < 1000), message
    return Verdict(1 - refused, int(refused), seconds, _memory('VmHWM') - start)
