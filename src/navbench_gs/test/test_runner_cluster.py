"""Runs on a Ray cluster: the same files as at home, crashes retried and noted, runs continued."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.errors import RunError
from navbench_gs.runner import cluster
from navbench_gs.runner.cluster import LOCAL
from navbench_gs.runner.plan import RunConfig
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol


@dataclass(frozen=True)
class Straight:
    """Makes the agent; kills its process the first time if a file is named."""

    name: str = 'straight'
    marker: str = ''
    always: bool = False

    def __call__(self):
        if self.marker:
            fresh = not Path(self.marker).exists()
            Path(self.marker).touch()
            if fresh or self.always:
                os.kill(os.getpid(), signal.SIGKILL)
        return StraightToGoal()


def config(hurry, episodes=2, workers=2):
    return RunConfig(('city:101',), ('empty',), load_protocol(hurry), 'coco', episodes=episodes,
                     workers=workers)


def files(out):
    return {path.name: path.read_bytes() for path in (out / 'episodes').iterdir()}


def test_without_ray_one_line_says_how_to_get_it(tmp_path, hurry, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(RunError, match='is not installed: pip install -r requirements'):
        run_benchmark(config(hurry), Straight(), tmp_path, cluster=LOCAL)


class SlowRay:
    """Starts only after some tries."""

    def __init__(self, error: Exception, failures: int) -> None:
        self.error, self.left, self.asked, self.ended = error, failures, 0, 0

    def init(self, **options: object) -> None:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise self.error

    def shutdown(self) -> None:
        self.ended += 1


@pytest.mark.parametrize(('failures', 'asked', 'starts'), [(0, 1, True), (2, 3, True),
                                                           (3, 3, False)])
def test_a_local_cluster_that_starts_too_slowly_is_started_again(
    hurry, tmp_path, monkeypatch, failures, asked, starts
):
    ray = SlowRay(Exception('The current node timed out during startup.'), failures)
    monkeypatch.setattr(cluster, '_import_ray', lambda: ray)
    expected = contextlib.nullcontext() if starts else pytest.raises(RunError, match='timed out')
    with expected:
        cluster.Cluster(config(hurry), Straight(), tmp_path, [], LOCAL)
    assert (ray.asked, ray.ended) == (asked, failures)


def test_a_cluster_that_does_not_answer_is_asked_once(hurry, tmp_path, monkeypatch):
    ray = SlowRay(ConnectionError('timed out'), 1)
    monkeypatch.setattr(cluster, '_import_ray', lambda: ray)
    with socket.create_server(('127.0.0.1', 0)) as head:
        address = f'127.0.0.1:{head.getsockname()[1]}'
        with pytest.raises(RunError, match=rf"no cluster at '{address}': .* RAY_AUTH_MODE"):
            cluster.Cluster(config(hurry), Straight(), tmp_path, [], address)
    assert ray.asked == 1
    with pytest.raises(RunError, match=f"nobody listens at '{address}'"):
        cluster.Cluster(config(hurry), Straight(), tmp_path, [], address)
    assert ray.asked == 1


def test_a_cluster_gives_the_same_files_and_goes_on(tmp_path, hurry, monkeypatch):
    ray = pytest.importorskip('ray', reason='ray is not installed (requirements/ray.txt)')
    # Workers find the sources as pytest does; this module travels as it is.
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(sys.path))
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    monkeypatch.setenv('RAY_USAGE_STATS_ENABLED', '0')
    home, away = tmp_path / 'home', tmp_path / 'away'
    run_benchmark(config(hurry, workers=1), Straight(), home)
    # Its first worker dies: the episode is tried again by another one.
    crashing = Straight(marker=str(tmp_path / 'died'))
    run_benchmark(config(hurry), crashing, away, cluster=LOCAL)
    assert files(away) == files(home)
    maps = [sorted(path.name for path in (out / 'maps').iterdir()) for out in (home, away)]
    assert maps[0] == maps[1]
    record = json.loads((away / 'run.json').read_text())
    assert record['complete'] is True
    assert 1 <= len(record['run']['retried']) <= 2
    assert record['run']['finished'] == 2
    # Cut off and asked again, with one episode more: what is there is kept.
    lost = sorted((away / 'episodes').iterdir())[0]
    lost.unlink()
    before = {p: p.stat().st_mtime_ns for p in (away / 'episodes').iterdir()}
    run_benchmark(config(hurry), Straight(), away, cluster=LOCAL)
    assert files(away) == files(home)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert json.loads((away / 'run.json').read_text())['run']['kept'] == 1
