"""What a bundle says about the data and the training behind it."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from s2e_core.config import from_yaml, to_mapping
from s2e_training.data.clip import CLIP_FILE, ClipInfo, find_clips
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.parent import load_parent

OURS = 'Apache-2.0'
CITY = 'city:'
NAMED = 12
"""Recordings that are named one by one; of more only the number is given."""


def clip_infos(config: PretrainConfig) -> list[ClipInfo]:
    """Read what the clips of a training say about themselves."""
    folders = [clip for root in config.clips for clip in find_clips(Path(root))]
    return [from_yaml(ClipInfo, clip / CLIP_FILE) for clip in folders]


def provenance(config: PretrainConfig, step: int) -> dict[str, Any]:
    """Say what went into a run.

    Args:
        config: Settings of the training.
        step: Step of the checkpoint.
    """
    before = load_parent(config.initial).provenance if config.initial else {}
    return {
        'data': data_summary(clip_infos(config)),
        'training': {
            'step': step, 'loss': 'AGDM, assignment by ' + config.loss.assignment,
            'exported_from_commit': commit(), 'config': to_mapping(config),
        },
        # A run that began from a bundle owes it most of what it knows.
        **({'initial': before} if before else {}),
    }


def data_summary(infos: Sequence[ClipInfo]) -> dict[str, Any]:
    """Count clips, frames and hours by where they come from."""
    drivers = Counter(_driver(info) for info in infos for _ in range(info.frames))
    tasks = Counter(str(info.provenance.get('task', 'unknown')) for info in infos)
    drawn = [info for info in infos if not is_recorded(info)]
    recorded = [info for info in infos if is_recorded(info)]
    names = sorted({info.source for info in recorded})
    return {
        'frames': sum(info.frames for info in infos), 'clips': len(infos),
        'hours_rendered': round(sum(map(hours, drawn)), 2),
        'hours_recorded': round(sum(map(hours, recorded)), 3),
        'scenes': _scenes(sorted({info.source for info in drawn}, key=lambda s: (len(s), s))),
        **({'recordings': ', '.join(names) if len(names) <= NAMED else len(names)}
           if names else {}),
        'frames_by_driver': dict(sorted(drivers.items())),
        'clips_by_task': dict(sorted(tasks.items())),
        'licences': ', '.join(sorted({info.licence for info in infos})),
    }


def all_data(origin: dict[str, Any]) -> dict[str, Any]:
    """Add up what went into a run and into those it began from.

    Args:
        origin: A bundle's provenance, of this form or that of earlier exports (`hours_real`).

    Returns:
        `hours_rendered`, `hours_recorded`, `scenes` and `licences`.
    """
    parts: list[dict[str, Any]] = []
    link: Any = origin
    while isinstance(link, dict):
        if isinstance(link.get('data'), dict):
            parts.append(link['data'])
        link = link.get('initial')
    named = {name for part in parts for name in str(part.get('licences', OURS)).split(', ')}
    return {
        'hours_rendered': sum(float(part.get('hours_rendered', 0.0)) for part in parts),
        'hours_recorded': sum(
            float(part.get('hours_recorded', part.get('hours_real', 0.0))) for part in parts
        ),
        'scenes': '; '.join(str(part.get('scenes', '')) for part in parts),
        'licences': ', '.join(sorted(named - {''})),
    }


def is_recorded(info: ClipInfo) -> bool:
    """Whether a clip was imported or labelled, not rendered by `s2e train record`."""
    return 'format' in info.provenance


def hours(info: ClipInfo) -> float:
    """Hours of video in a clip; of slowed clips those that were filmed."""
    slowed = float(info.provenance.get('time_stretched_by', 1.0))
    return info.frames * info.period / slowed / 3600


def description(data: dict[str, Any]) -> str:
    """Say in a sentence or two what a network learned from.

    Args:
        data: From `all_data`.
    """
    teacher = 'behaviour cloning of a planner that knows the map'
    scenes = 'generated city scenes'
    if 'other scenes' in data['scenes']:
        scenes = 'rendered scenes'
    recorded = data['hours_recorded']
    if not recorded:
        return (f'Pre-trained on rendered video only: {teacher}, in {scenes}. No real video went '
                'in.')
    if not data['hours_rendered']:
        return f'Pre-trained on {recorded:.3g} hours of recordings: behaviour cloning.'
    return (f'Pre-trained on rendered video ({data["hours_rendered"]:.3g} hours: {teacher}, in '
            f'{scenes}) and on {recorded:.3g} hours of recordings.')


def licence(data: dict[str, Any]) -> str:
    """Our licence where all data has it; else who exports has to judge.

    Args:
        data: From `all_data`.
    """
    found = set(data['licences'].split(', ')) - {''}
    if found <= {OURS, 'CC0', 'CC0-1.0'}:
        return OURS
    return 'to be judged by who exports; trained on data under ' + ', '.join(sorted(found))


def commit() -> str:
    """Name the commit of the working directory, where there is one."""
    try:
        answer = subprocess.run(
            ['git', 'rev-parse', '--short=12', 'HEAD'], capture_output=True, text=True, timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 'unknown'
    return answer.stdout.strip() or 'unknown'


def _driver(info: ClipInfo) -> str:
    if is_recorded(info):
        return 'recorded'
    return 'teacher' if info.provenance.get('driver') == 'teacher' else 'policy (DAgger)'


def _scenes(names: Sequence[str]) -> str:
    cities = [name for name in names if name.startswith(CITY)]
    others = [name for name in names if not name.startswith(CITY)]
    parts = [f'{len(cities)} generated cities, {cities[0]} to {cities[-1]}'] if cities else []
    parts += [f'other scenes: {", ".join(others[:NAMED])}'] if others else []
    return '; '.join(parts) or 'none'
