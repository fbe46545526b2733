"""The command that makes a run again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from navbench_gs.tasks.spec import TASKS
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config

_LATER = 'gate_source', 'gate_cap'
"""Conditions that have an option of their own."""


def command(record: Mapping[str, Any]) -> str:
    """Return what to type for the run of a record, or nothing where it says too little.

    Args:
        record: Content of run.json.
    """
    try:
        values = record['protocol']['values']
        words = {
            'policy': _policy(record), 'scenes': _scenes(record['scenes']),
            'tasks': _tasks(record['tasks']), 'episodes': [str(record['episodes'])],
            'seed': [str(record['seed'])], 'robot': [str(record['robot'])],
            'protocol': [_protocol(str(values['name']))],
        }
        conditions = dict(record.get('conditions', {}))
        through_ros = 'gate' not in record['constants']['values']
        recorded = values.get('recorded', {})
        if recorded.get('tracks'):
            words['tracks'] = [str(recorded['tracks'])]
            if not through_ros:
                usual = {'fps': 0.0, 'scale': 1.0}
                words['tracks'] += [
                    f'{name}={recorded[name]:g}' for name, value in usual.items()
                    if recorded.get(name, value) != value
                ]
        return (_launch if through_ros else _bench)(record, words, conditions)
    except (KeyError, TypeError, AttributeError):
        return ''


def sweep_command(facts: Mapping[str, Any], axes: Mapping[str, Sequence[float]]) -> str:
    """Return what to type for a sweep, or nothing where its facts say too little.

    Args:
        facts: Of `runner.sweep_record.SweepRecord`.
        axes: Values of each axis.
    """
    try:
        words = {
            'policy': _policy(facts), 'scenes': _scenes(facts['scenes']),
            'tasks': _tasks(facts['tasks']),
            'episodes': [str(facts['episodes per scene and task'])],
            'seed': [str(facts['seed'])], 'robot': [str(facts['robot'])],
            'protocol': [_protocol(str(facts['protocol']['name']))],
            'axes': [f'{name}={",".join(f"{value:g}" for value in values)}'
                     for name, values in axes.items()],
        }
    except (KeyError, TypeError, AttributeError):
        return ''
    return ' '.join(['s2e bench sweep', *(f'--{k} {shlex.join(v)}' for k, v in words.items())])


def _bench(
    record: Mapping[str, Any], words: dict[str, list[str]], conditions: dict[str, Any]
) -> str:
    for name in _LATER:
        if name in conditions:
            words[name.replace('_', '-')] = [str(conditions.pop(name))]
    if conditions:
        words['conditions'] = [f'{name}={value}' for name, value in conditions.items()]
    if record.get('backend', 'cpu') != 'cpu':
        words['backend'] = [str(record['backend'])]
    options = [f'--{name} {shlex.join(value)}' for name, value in words.items()]
    return ' '.join(['s2e bench run', *options])


def _launch(
    record: Mapping[str, Any], words: dict[str, list[str]], conditions: dict[str, Any]
) -> str:
    words['mode'] = [str(record['mode'])]
    camera, _, size = str(record['camera']).partition(' ')
    words['camera'] = [camera]
    if size:
        words['image_width'], words['image_height'] = ([part] for part in size.split('x'))
    if 'latency' in conditions:
        words['latency'] = [str(conditions['latency'])]
    options = [f'{name}:={shlex.quote(" ".join(value))}' for name, value in words.items()]
    return ' '.join(['ros2 launch s2e_nav navbench_sim.launch.py', *options])


def _policy(record: Mapping[str, Any]) -> list[str]:
    source = record.get('details', {}).get('source')
    return [str(source or str(record['policy']).partition('@')[0])]


def _protocol(name: str) -> str:
    """Return a name that is known here, or a file name: where one's own lay is not kept."""
    try:
        find_config(f'navbench/{name}.yaml')
    except ConfigError:
        return f'{name}.yaml'
    return name


def _tasks(tasks: Sequence[str]) -> list[str]:
    return ['all'] if set(tasks) == set(TASKS) else list(tasks)


def _scenes(scenes: Sequence[str]) -> list[str]:
    """Join cities that follow each other: city:3 city:4 city:5 are city:3-5."""
    joined: list[tuple[int, int, str] | str] = []
    for scene in scenes:
        match = re.fullmatch(r'city:(\d+)(@[a-z-]+)?', scene)
        if match is None:
            joined.append(scene)
            continue
        seed, part = int(match[1]), match[2] or ''
        last = joined[-1] if joined else ''
        if isinstance(last, tuple) and last[1:] == (seed - 1, part):
            joined[-1] = last[0], seed, part
        else:
            joined.append((seed, seed, part))
    return [
        item if isinstance(item, str)
        else f'city:{item[0]}{item[2]}' if item[0] == item[1]
        else f'city:{item[0]}-{item[1]}{item[2]}'
        for item in joined
    ]
