"""The HTML report of a run folder: one file that opens anywhere, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from navbench_gs.errors import ReportError
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.metrics.summary import Scored, Summary, by_task
from navbench_gs.report.cards import MAX_CARDS, MAX_STRIPS, episode_card, hidden_note, rank
from navbench_gs.report.cells import COLUMNS, TILES, interval_note, latency_table, row, tile
from navbench_gs.report.command import command
from navbench_gs.report.ecdf import distributions, legend
from navbench_gs.report.exemplars import exemplars
from navbench_gs.report.map import SceneMap, load_map
from navbench_gs.report.overview import outcome_colour, overview_svg
from navbench_gs.report.page import PAGE, STYLE
from navbench_gs.report.read import inputs_of, read_run
from navbench_gs.report.tables import summary_values, write_episodes, write_json


def write_report(run_dir: Path) -> Path:
    """Write `report.html`, `episodes.csv` and `summary.json` of a run.

    Args:
        run_dir: Folder with `episodes/` and, if there is one, `run.json`, `films/`, `stills/`
            and `maps/`.

    Returns:
        The page.

    Raises:
        ReportError: there is no finished episode, or the folder cannot be written.
        RunError: the tables cannot be written.
    """
    run_dir = Path(run_dir)
    record, logs, scored = read_run(run_dir)
    summaries = by_task(scored)
    page = render(run_dir, record, logs, scored, summaries)
    write_episodes(scored, run_dir / 'episodes.csv')
    write_json({
        'run': {**record, 'protocol': logs[0].protocol, 'policy': logs[0].policy},
        'summaries': [summary_values(part) for part in summaries],
    }, run_dir / 'summary.json')
    path = run_dir / 'report.html'
    try:
        path.write_text(page, encoding='utf-8')
    except OSError as error:
        raise ReportError(f'{path}: cannot be written: {error.strerror}') from error
    return path


def render(
    run_dir: Path, record: Mapping[str, Any], logs: list[EpisodeLog], scored: list[Scored],
    summaries: list[Summary],
) -> str:
    """Return the page.

    Args:
        run_dir: Where films, stills and maps lie.
        record: Content of run.json.
        logs: Episodes.
        scored: Their metrics, in the same order.
        summaries: By task, all together last.
    """
    overall = summaries[-1]
    maps = {scene: load_map(scene, run_dir / 'maps')
            for scene in sorted({log.spec.scene for log in logs})}
    tasks = {part.name: [item for item in scored if item.spec.task == part.name]
             for part in summaries if part.name != 'all'}
    policy = record.get('policy', logs[0].policy)
    return template(PAGE).render(
        title=f'NavBench-GS: {policy}',
        subtitle=_subtitle(record, logs, overall),
        style=STYLE,
        tiles=[tile(name, overall.metrics[metric]) for name, metric in TILES.items()],
        columns=list(COLUMNS),
        rows=[row(part) for part in summaries],
        interval_note=interval_note(summaries),
        charts=distributions(tasks),
        chart_legend=legend([name.replace('_', ' + ') for name in tasks]),
        latency=latency_table(record.get('latency')),
        overviews=_overviews(logs, maps),
        cards=_cards(run_dir, logs, scored, maps),
        hidden=hidden_note(len(logs)),
        command=command(record),
        sections=_sections(record, logs),
    )


def template(text: str) -> jinja2.Template:
    """Return a page whose texts are escaped and whose names must all be known."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(text)


def _cards(
    run_dir: Path, logs: list[EpisodeLog], scored: list[Scored],
    maps: Mapping[str, SceneMap | None],
) -> list[dict[str, Any]]:
    """Show what stands for each task first, then failures, then successes with contacts."""
    tags = exemplars(scored)
    rest = sorted(set(range(len(logs))) - set(tags),
                  key=lambda i: (rank(scored[i].scores), scored[i].spec.id))
    return [
        episode_card(
            run_dir, logs[index], scored[index].scores, maps[logs[index].spec.scene],
            strip=place < MAX_STRIPS, tag=tags.get(index, ''),
        )
        for place, index in enumerate([*tags, *rest][:MAX_CARDS])
    ]


def _overviews(
    logs: list[EpisodeLog], maps: Mapping[str, SceneMap | None]
) -> list[dict[str, str]]:
    """Draw each scene with all its drives."""
    drawn = []
    for scene, picture in maps.items():
        drives = [(log, outcome_colour(log)) for log in logs if log.spec.scene == scene]
        drawn.append({
            'name': f'{scene}, {len(drives)} episodes', 'svg': overview_svg(drives, picture)
        })
    return drawn


def _subtitle(record: Mapping[str, Any], logs: list[EpisodeLog], overall: Summary) -> str:
    scenes = 'scene' if overall.scenes == 1 else 'scenes'
    parts = [
        f'{overall.episodes} episodes in {overall.scenes} {scenes}',
        ', '.join(filter(None, [f'robot {record.get("robot", logs[0].spec.robot)}',
                                record.get('locomotion')])),
        f'seed {record.get("seed", "?")}',
        str(record.get('mode', 'lockstep')),
        f'inputs: {inputs_of(record)}',
        f'protocol {logs[0].protocol[:12]}',
    ]
    if record.get('conditions'):
        worse = ', '.join(f'{name} {value if isinstance(value, str) else format(value, "g")}'
                          for name, value in record['conditions'].items())
        parts.append(f'conditions: {worse}')
    if record.get('complete') is False:
        parts.append('run not complete')
    return ' · '.join(parts)


def _sections(record: Mapping[str, Any], logs: list[EpisodeLog]) -> list[tuple[str, str]]:
    known = dict(record)
    protocol = known.pop('protocol', {})
    constants = known.pop('constants', {})
    versions = {**known.pop('versions', {}),
                **{f'{name}, code': value for name, value in known.pop('code', {}).items()}}
    account = known.pop('run', {})
    known.pop('latency', None)
    identity = {'protocol hash': logs[0].protocol, 'policy': logs[0].policy, **known}
    sections = [('Run', _yaml(identity))]
    if account:
        sections.append(('How it went', _yaml(account)))
    if versions:
        sections.append(('Versions', _yaml(versions)))
    if protocol:
        sections.append(('Protocol', _yaml(protocol)))
    if constants:
        sections.append(('Robot, navigator, follower, gate and crowd', _yaml(constants)))
    return sections


def _yaml(mapping: Any) -> str:
    import yaml

    return str(yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, width=96)).strip()


