"""Driving a recorded episode again, and holding it against its record byte by byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from navbench_gs.errors import RunError
from navbench_gs.metrics.record import COLUMNS, TICK, EpisodeLog, read_log
from navbench_gs.runner.bench import Bench
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.identity import changed_constants, describe
from navbench_gs.runner.plan import PolicyFactory, RunConfig, RunFolder
from navbench_gs.scenes.resolve import resolve_scene
from navbench_gs.tasks.protocol import Protocol
from s2e_core.config import from_mapping

MAX_RECORD_BYTES = 16_000_000
"""A run.json has some kilobytes."""


@dataclass(frozen=True)
class Recorded:
    """An episode file and the run it belongs to."""

    path: Path
    log: EpisodeLog
    run: dict[str, Any]
    """Content of run.json."""
    protocol: Protocol

    @property
    def policy_source(self) -> str:
        """What to open the policy by: as the user named it then, else its name."""
        source = self.run.get('details', {}).get('source')
        return str(source or self.log.policy.split('@')[0])


@dataclass(frozen=True)
class Replayed:
    """The second drive."""

    log: EpisodeLog
    difference: str
    """Where it first differs from the record; empty when both are equal to the byte."""


def open_recorded(path: Path) -> Recorded:
    """Read an episode file and the run.json beside its folder.

    Raises:
        TaskError: the file is not an episode log.
        RunError: run.json is missing, not one, or does not fit the episode.
    """
    log = read_log(path)
    record_path = RunFolder(path.resolve().parent.parent).record
    try:
        if record_path.stat().st_size > MAX_RECORD_BYTES:
            raise RunError(f'{record_path}: has more than {MAX_RECORD_BYTES} bytes')
        run = json.loads(record_path.read_text(encoding='utf-8'))
        values = run['protocol']['values']
    except OSError as error:
        raise RunError(
            f'{record_path}: cannot be read: {error.strerror}; an episode is replayed in its '
            'run folder, whose run.json holds protocol, policy and conditions'
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f'{record_path}: is not the record of a run: {error}') from error
    protocol = from_mapping(Protocol, values, source=f'{record_path}: protocol')
    if protocol.hash != log.protocol:
        raise RunError(
            f'{path}: was driven by protocol {log.protocol[:12]}, {record_path} holds '
            f'{protocol.hash[:12]}'
        )
    if run.get('mode', 'lockstep') != 'lockstep':
        raise RunError(f'{record_path}: only lock-step runs repeat, this one is {run["mode"]!r}')
    return Recorded(path, log, run, protocol)


def changed_setting(recorded: Recorded) -> list[str]:
    """Say which constants of robot, control and crowd differ between a run and here."""
    if 'constants' not in recorded.run:
        # A run of before they were recorded.
        return []
    config = _config(recorded, recorded.log.spec.scene)
    return changed_constants(recorded.run, describe(config, recorded.log.policy, {}))


def replay(
    recorded: Recorded, factory: PolicyFactory, *, film: Path | None = None,
    stills: Path | None = None, scene: str | None = None,
) -> Replayed:
    """Drive the episode again.

    Args:
        recorded: The episode.
        factory: Makes the policy.
        film: Where a film goes, None for none.
        stills: Where stills of it go, None for none.
        scene: Where the scene lies now; as the run named it when left out.

    Raises:
        RunError: the policy is another one, or the scene cannot be told.
        SceneError: the scene cannot be had.
        SimulationError: the scene has changed since.
    """
    log = recorded.log
    if factory.name != log.policy:
        raise RunError(f'{recorded.path}: was driven by {log.policy!r}, got {factory.name!r}')
    place = scene or _scene(recorded)
    bench = Bench(_config(recorded, place), factory, recorded.path.parent.parent, None)
    again = bench.rerun(log.spec, place, film, stills)
    same = again.to_json().encode() == recorded.path.read_bytes()
    return Replayed(again, '' if same else first_difference(log, again))


def first_difference(recorded: EpisodeLog, again: EpisodeLog) -> str:
    """Say where two logs of one episode part."""
    old, new = json.loads(recorded.to_json()), json.loads(again.to_json())
    length = min(len(recorded.ticks['x']), len(again.ticks['x']))
    first: tuple[int, str] | None = None
    for name in COLUMNS:
        a, b = (np.array(side['ticks'][name][:length], dtype=object) for side in (old, new))
        rows = np.flatnonzero(a != b)
        if len(rows) and (first is None or rows[0] < first[0]):
            first = int(rows[0]), name
    if first is not None:
        tick, name = first
        values = [side['ticks'][name][tick] for side in (old, new)]
        return (
            f'tick {tick} ({tick * TICK:.2f} s): {name} was {values[0]}, is {values[1]}'
        )
    for name in sorted(old):
        if old[name] != new[name]:
            if name == 'ticks':
                return f'was {recorded.duration:.2f} s long, is {again.duration:.2f} s'
            return f'{name} was {str(old[name])[:80]}, is {str(new[name])[:80]}'
    return 'the same values, written differently'


def _config(recorded: Recorded, scene: str) -> RunConfig:
    """Return the settings the episode was driven with."""
    spec, run = recorded.log.spec, recorded.run
    conditions = from_mapping(Conditions, run.get('conditions', {}), source='conditions')
    return RunConfig(
        (scene,), (spec.task,), recorded.protocol, spec.robot, 1, int(run.get('seed', 0)),
        backend=run.get('backend', 'cpu'),
        answer_limit=float(run.get('answer_limit', 60.0)), conditions=conditions,
        camera=str(run.get('camera', '')),
    )


def _scene(recorded: Recorded) -> str:
    """Return what the run called the episode's scene."""
    spec = recorded.log.spec
    if spec.scene.startswith('city:'):
        return spec.scene
    for name in map(str, recorded.run.get('scenes', [])):
        if not name.startswith('city:') and resolve_scene(name).hash == spec.scene_hash:
            return name
    raise RunError(
        f'{recorded.path}: none of the scenes of its run is {spec.scene!r} with hash '
        f'{spec.scene_hash[:12]}; name it with --scene'
    )
