"""The HTML report of a run folder: one file that opens anywhere, without a network."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from navbench_gs.errors import ReportError, TaskError
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog, read_log
from navbench_gs.metrics.scores import EpisodeScores, evaluate
from navbench_gs.metrics.summary import Estimate, Scored, Summary, by_task
from navbench_gs.report.map import SceneMap, episode_svg, load_map
from navbench_gs.report.page import PAGE, STYLE
from navbench_gs.tasks.protocol import Protocol
from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError

MAX_CARDS = 120
"""Episodes shown one by one; more would make the page slow to open."""
MAX_STRIPS = 60
"""Episodes whose camera strip is embedded (about 120 kB each)."""
_MAX_STILL = 2_000_000
_COLUMNS = {
    'SR': ('success', 2), 'collision-free SR': ('collision_free_success', 2),
    'RC': ('route_completion', 2), 'CT': ('collisions', 2), 'SPL': ('spl', 2),
    'time s': ('duration', 1), 'clearance m': ('clearance', 2),
    'TTC s': ('ttc', 1), 'intrusion s': ('intrusion', 1), 'jerk': ('jerk', 1),
    'freezing': ('freezing', 2),
}
_TILES = {
    'Success rate': 'success', 'Collision-free success': 'collision_free_success',
    'Route completion': 'route_completion', 'Collisions per episode': 'collisions',
}


def write_report(run_dir: Path) -> Path:
    """Write `report.html` of a run.

    Args:
        run_dir: Folder with `episodes/` and, if there is one, `run.json`, `films/`, `stills/`
            and `maps/`.

    Returns:
        The file written.

    Raises:
        ReportError: there is no finished episode, or the folder cannot be written.
    """
    run_dir = Path(run_dir)
    record, logs, scored = read_run(run_dir)
    page = render(run_dir, record, logs, scored)
    path = run_dir / 'report.html'
    try:
        path.write_text(page, encoding='utf-8')
    except OSError as error:
        raise ReportError(f'{path}: cannot be written: {error.strerror}') from error
    return path


def read_run(run_dir: Path) -> tuple[dict[str, Any], list[EpisodeLog], list[Scored]]:
    """Read a run folder.

    Returns:
        **record**: Content of run.json; empty when there is none.
        **logs**: Its finished episodes.
        **scored**: Their metrics, in the same order.

    Raises:
        ReportError: there is no finished episode, or one cannot be read.
    """
    record = _read_record(run_dir / 'run.json')
    logs = _read_logs(run_dir / 'episodes')
    protocol = _protocol(record)
    return record, logs, [Scored(log.spec, evaluate(log, protocol.judge)) for log in logs]


def render(
    run_dir: Path, record: Mapping[str, Any], logs: list[EpisodeLog], scored: list[Scored]
) -> str:
    """Return the page.

    Args:
        run_dir: Where films, stills and maps lie.
        record: Content of run.json.
        logs: Episodes.
        scored: Their metrics, in the same order.
    """
    summaries = by_task(scored)
    overall = summaries[-1]
    order = sorted(range(len(logs)), key=lambda i: (_rank(scored[i].scores), scored[i].spec.id))
    maps: dict[str, SceneMap | None] = {}
    cards = []
    for place, index in enumerate(order[:MAX_CARDS]):
        scene = logs[index].spec.scene
        if scene not in maps:
            maps[scene] = load_map(scene, run_dir / 'maps')
        cards.append(_card(run_dir, logs[index], scored[index].scores, maps[scene],
                           strip=place < MAX_STRIPS))
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    policy = record.get('policy', logs[0].policy)
    return environment.from_string(PAGE).render(
        title=f'NavBench-GS: {policy}',
        subtitle=_subtitle(record, logs, overall),
        style=STYLE,
        tiles=[_tile(name, overall.metrics[metric]) for name, metric in _TILES.items()],
        columns=list(_COLUMNS),
        rows=[_row(part) for part in summaries],
        interval_note=_interval_note(overall),
        latency=_latency(record.get('latency')),
        cards=cards,
        hidden=_hidden(len(logs)),
        sections=_sections(record, logs),
    )


def _read_record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ReportError(f'{path}: cannot be read: {error}') from error
    if not isinstance(record, dict):
        raise ReportError(f'{path}: must hold a JSON object, got {type(record).__name__}')
    return record


def _read_logs(folder: Path) -> list[EpisodeLog]:
    paths = sorted(folder.glob('*.json')) if folder.is_dir() else []
    if not paths:
        raise ReportError(f'{folder}: holds no finished episode')
    try:
        return [read_log(path) for path in paths]
    except TaskError as error:
        raise ReportError(str(error)) from error


def _protocol(record: Mapping[str, Any]) -> Protocol:
    values = record.get('protocol', {}).get('values')
    if values is None:
        return Protocol('default', 1)
    try:
        return from_mapping(Protocol, values, source='run.json: protocol')
    except ConfigError as error:
        raise ReportError(str(error)) from error


def _rank(scores: EpisodeScores) -> int:
    """Failures first, then successes with contacts."""
    return 0 if not scores.success else 1 if not scores.collision_free_success else 2


def _subtitle(record: Mapping[str, Any], logs: list[EpisodeLog], overall: Summary) -> str:
    scenes = 'scene' if overall.scenes == 1 else 'scenes'
    inputs = record.get('inputs', 'RGB, odometry, goal')
    inputs = record.get('details', {}).get('inputs', inputs)
    parts = [
        f'{overall.episodes} episodes in {overall.scenes} {scenes}',
        f'robot {record.get("robot", logs[0].spec.robot)}',
        f'seed {record.get("seed", "?")}',
        str(record.get('mode', 'lockstep')),
        f'inputs: {inputs}',
        f'protocol {logs[0].protocol[:12]}',
    ]
    if record.get('complete') is False:
        parts.append('run not complete')
    return ' · '.join(parts)


def _tile(name: str, value: Estimate) -> dict[str, Any]:
    share = name != 'Collisions per episode'
    low, high = 100 * max(value.low, 0.0), 100 * min(value.high, 1.0)
    return {
        'name': name, 'value': _number(value.mean, 2), 'range': _range(value, 2) + ' (95 %)',
        'track': share and math.isfinite(value.mean), 'low': round(low, 1),
        'span': round(max(high - low, 0.5), 1), 'at': round(100 * value.mean, 1),
    }


def _row(part: Summary) -> dict[str, Any]:
    cells = [
        {'mean': _number(part.metrics[m].mean, digits), 'range': _range(part.metrics[m], digits)}
        for m, digits in _COLUMNS.values()
    ]
    causes = ', '.join(f'{count} {cause}' for cause, count in part.causes.items())
    return {
        'name': part.name.replace('_', ' + '), 'kind': part.name if part.name == 'all' else '',
        'episodes': part.episodes, 'cells': cells, 'causes': causes,
    }


def _interval_note(overall: Summary) -> str:
    if overall.scenes == 1:
        return (
            'Small print below each mean: 95 % interval; Wilson for rates, bootstrap over '
            'episodes for the rest. One scene: the intervals say nothing about other scenes.'
        )
    return (
        'Small print below each mean: 95 % interval by hierarchical bootstrap over scenes, then '
        'episodes.'
    )


def _latency(latency: Any) -> dict[str, Any] | None:
    """Turn {'stage': {'p50': ms, ...}} into a table."""
    if not isinstance(latency, Mapping) or not latency:
        return None
    stages = {name: value for name, value in latency.items() if isinstance(value, Mapping)}
    columns = list(dict.fromkeys(key for value in stages.values() for key in value))
    rows = [
        {'name': name, 'cells': [_plain(value.get(key, '')) for key in columns]}
        for name, value in stages.items()
    ]
    return {'columns': columns, 'rows': rows} if rows else None


def _hidden(count: int) -> str:
    if count <= MAX_CARDS:
        return ''
    return f'{MAX_CARDS} of {count} episodes shown, failures first; all are in episodes/.'


def _card(
    run_dir: Path, log: EpisodeLog, scores: EpisodeScores, scene: SceneMap | None, strip: bool
) -> dict[str, Any]:
    spec = log.spec
    film = Path('films') / f'{spec.id}.mp4'
    facts = [
        ('CT', str(scores.collisions)), ('RC', _number(scores.route_completion, 2)),
        ('SPL', _number(scores.spl, 2)),
        ('time', f'{scores.duration:.1f} / {spec.time_limit:.0f} s'),
        ('path', f'{scores.path_length:.1f} m of {spec.geodesic:.1f} m'),
        ('clearance', f'{scores.clearance:.2f} m'),
        ('corner in the way', 'yes' if spec.corner_blocked else 'no'),
    ]
    if spec.people:
        facts.append(('nearest person', f'{_number(scores.person_gap, 2)} m'))
    stills = _stills(run_dir / 'stills', spec.id) if strip else []
    return {
        'id': spec.id, 'map': episode_svg(log, scene), 'facts': facts, 'detail': log.detail,
        'verdict': _verdict(log, scores), 'kind': ('bad', 'warn', 'good')[_rank(scores)],
        'stills': stills, 'poster': stills[len(stills) // 2] if stills else '',
        'film': film.as_posix() if (run_dir / film).is_file() else '',
    }


def _verdict(log: EpisodeLog, scores: EpisodeScores) -> str:
    if log.outcome == Outcome.SUCCESS.value:
        return 'success' if scores.collision_free_success else 'success with contact'
    return scores.cause.value


def _stills(folder: Path, identity: str) -> list[str]:
    """Return the camera strip as base64, in order."""
    found = []
    for number in range(16):
        path = folder / f'{identity}_{number}.jpg'
        if path.is_file() and path.stat().st_size < _MAX_STILL:
            found.append(base64.b64encode(path.read_bytes()).decode())
    return found


def _sections(record: Mapping[str, Any], logs: list[EpisodeLog]) -> list[tuple[str, str]]:
    known = dict(record)
    protocol = known.pop('protocol', {})
    versions = known.pop('versions', {})
    account = known.pop('run', {})
    identity = {'protocol hash': logs[0].protocol, 'policy': logs[0].policy, **known}
    sections = [('Run', _yaml(identity))]
    if account:
        sections.append(('How it went', _yaml(account)))
    if versions:
        sections.append(('Versions', _yaml(versions)))
    if protocol:
        sections.append(('Protocol', _yaml(protocol)))
    return sections


def _yaml(mapping: Any) -> str:
    import yaml

    return str(yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, width=96)).strip()


def _number(value: float, digits: int) -> str:
    return f'{value:.{digits}f}' if math.isfinite(value) else '-'


def _range(value: Estimate, digits: int) -> str:
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return ''
    return f'{value.low:.{digits}f} to {value.high:.{digits}f}'


def _plain(value: Any) -> str:
    return f'{value:.1f}' if isinstance(value, float) else str(value)
