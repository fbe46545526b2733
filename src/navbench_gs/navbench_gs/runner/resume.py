"""Going on with a run in its folder, and refusing what would mix two runs in one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from navbench_gs.errors import RunError
from navbench_gs.runner.identity import changed_constants
from navbench_gs.runner.plan import RunFolder
from navbench_gs.scenes.resolve import resolve_scene
from navbench_gs.tasks.sampling import default_name
from navbench_gs.tasks.spec import TASKS


def go_on(folder: RunFolder, record: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Take over what a folder's run already consists of; more of the same may be added.

    Args:
        folder: The run's folder; may be new.
        record: What is asked for now.

    Returns:
        **record**: With the scenes, tasks and episodes of both, how earlier calls went, and the
        versions that drove them where they differ.
        **whole**: Whether the run is complete when what is asked for now is.

    Raises:
        RunError: the folder holds another run.
    """
    old = _read(folder)
    if old is None:
        return record, True
    _refuse_other(folder, old, record)
    merged = dict(record)
    for key in ('scenes', 'tasks'):
        merged[key] = list(dict.fromkeys([*_texts(old.get(key)), *record[key]]))
    merged['tasks'].sort(key=lambda task: TASKS.index(task) if task in TASKS else len(TASKS))
    merged['episodes'] = max(int(old.get('episodes') or 0), record['episodes'])
    earlier = list(old.get('earlier', []))
    then = {key: old.get(key) for key in ('versions', 'code')}
    if then != {key: record[key] for key in then} and then not in earlier:
        earlier.append(then)
    if earlier:
        merged['earlier'] = earlier
    if 'latency' in old:
        merged['latency'] = old['latency']
    merged['calls'] = [*old.get('calls', []), *_account(old)]
    asked = all(merged[key] == record[key] for key in ('scenes', 'tasks', 'episodes'))
    return merged, asked or old.get('complete') is True


def refuse_namesakes(scenes: Sequence[str]) -> None:
    """Refuse scenes that share a name: their episode files would overwrite each other.

    Raises:
        RunError: naming both.
        SceneError: a scene cannot be had.
    """
    others = [scene for scene in scenes if not scene.startswith('city:')]
    if len(others) < 2:
        return
    named: dict[str, str] = {}
    for scene in others:
        name = default_name(resolve_scene(scene))
        if name in named:
            raise RunError(
                f'scenes: {named[name]} and {scene} are both called {name!r}, and so would their '
                'episode files be: rename one, or run them into two folders'
            )
        named[name] = scene


def _read(folder: RunFolder) -> dict[str, Any] | None:
    if not folder.record.is_file():
        return None
    try:
        old = json.loads(folder.record.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f'{folder.record}: cannot be read: {error}') from error
    if not isinstance(old, dict):
        raise RunError(f'{folder.record}: cannot be read: is not the record of a run')
    return old


def _refuse_other(folder: RunFolder, old: dict[str, Any], record: dict[str, Any]) -> None:
    for key in ('policy', 'robot', 'seed', 'backend', 'camera', 'mode'):
        # Runs of before say nothing of some of them.
        if old.get(key, record[key]) != record[key]:
            raise RunError(
                f'{folder.record}: holds a run with {key} {old.get(key)!r}, asked for '
                f'{record[key]!r}; choose another folder'
            )
    if old.get('conditions', {}) != record['conditions']:
        raise RunError(f'{folder.record}: holds a run under other conditions; choose another '
                       'folder')
    if old.get('protocol', {}).get('hash') != record['protocol']['hash']:
        raise RunError(f'{folder.record}: holds a run by another protocol; choose another folder')
    changed = changed_constants(old, record)
    if changed:
        raise RunError(f'{folder.record}: holds a run with other constants: '
                       f'{"; ".join(changed)[:300]}; choose another folder')


def _account(old: dict[str, Any]) -> list[Any]:
    """Return how the last call went, unless it found everything done."""
    account = old.get('run')
    if not isinstance(account, dict):
        return []
    idle = account.get('finished') == account.get('kept') and not account.get('retried')
    return [] if idle else [account]


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []
