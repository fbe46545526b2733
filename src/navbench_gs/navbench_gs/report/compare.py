"""Runs beside each other: leaderboard, tasks, differences of the same episodes, one page."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.metrics.paired import PAIRED, Comparison, compare
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.metrics.summary import Scored, Summary, by_route, by_task
from navbench_gs.report.cautions import Differences, warnings
from navbench_gs.report.cells import COLUMNS, bounds, interval_note, latency_table, number, row
from navbench_gs.report.command import command
from navbench_gs.report.compare_page import PAGE
from navbench_gs.report.ecdf import COLOURS, distributions, legend
from navbench_gs.report.html import template
from navbench_gs.report.map import load_map
from navbench_gs.report.overview import overview_svg
from navbench_gs.report.page import STYLE
from navbench_gs.report.read import inputs_of, read_run
from navbench_gs.report.tables import (
    comparison_values,
    summary_values,
    write_episodes,
    write_json,
)
from navbench_gs.runner.plan import write_atomically

HEADS = {'success': 'SR', 'collision_free_success': 'collision-free SR',
         'route_completion': 'RC', 'collisions': 'CT', 'spl': 'SPL'}
"""Metrics of differences by their usual names."""


@dataclass(frozen=True)
class ComparedRun:
    """One run among several."""

    name: str
    """Policy, with the folder where two runs have the same."""
    folder: Path
    record: dict[str, Any]
    protocol: str
    """Hash of the protocol its episodes were driven by."""
    logs: list[EpisodeLog]
    scored: list[Scored]
    """Metrics of `logs`, in the same order."""

    @property
    def inputs(self) -> str:
        """What the policy saw."""
        return inputs_of(self.record)

    @functools.cached_property
    def parts(self) -> list[Summary]:
        """Each task, and all together last; with thousands of episodes that takes seconds."""
        return by_task(self.scored)

    @functools.cached_property
    def routes(self) -> list[Summary]:
        """Each task by whether a corner blocks the straight line."""
        return by_route(self.scored)

    @property
    def overall(self) -> Summary:
        """All tasks together."""
        return self.parts[-1]


def read_runs(folders: Sequence[Path]) -> list[ComparedRun]:
    """Read run folders.

    Raises:
        ReportError: a folder has no finished episode, or one that cannot be read.
    """
    read = [(Path(folder), *read_run(Path(folder))) for folder in folders]
    names = [_policy(record, logs) for _, record, logs, _ in read]
    return [
        ComparedRun(
            name if names.count(name) == 1 else f'{name} ({folder.name})', folder, record,
            logs[0].protocol, logs, scored,
        )
        for name, (folder, record, logs, scored) in zip(names, read, strict=True)
    ]


def differences(runs: Sequence[ComparedRun]) -> Differences:
    """Compare every run with the first, episode by episode.

    Returns:
        Names of the runs with their comparisons by task; none where no episode is shared.
    """
    return [(run.name, compare(runs[0].scored, run.scored)) for run in runs[1:]]


def write_comparison(
    runs: Sequence[ComparedRun], out: Path, found: Differences | None = None
) -> Path:
    """Write `compare.html`, `compare.json` and a CSV of each run's episodes.

    Args:
        runs: The runs, the first of which others are compared with.
        out: Folder.
        found: Of `differences`, where they are known already.

    Returns:
        The page.

    Raises:
        RunError: the folder cannot be written.
    """
    found = differences(runs) if found is None else found
    write_json({
        'baseline': runs[0].name,
        'runs': [
            {'name': run.name, 'inputs': run.inputs, 'folder': str(run.folder),
             'protocol': run.protocol, 'seed': run.record.get('seed'),
             'versions': run.record.get('versions', {}),
             'summaries': [summary_values(part) for part in [*run.parts, *run.routes]]}
            for run in runs
        ],
        'differences': [
            {'run': name, 'tasks': [comparison_values(part) for part in parts]}
            for name, parts in found
        ],
    }, out / 'compare.json')
    for index, run in enumerate(runs):
        write_episodes(run.scored, out / f'episodes_{index}.csv')
    write_atomically(out / 'compare.html', render(runs, found))
    return out / 'compare.html'


def render(runs: Sequence[ComparedRun], found: Differences) -> str:
    """Return the page."""
    names = [run.name for run in runs]
    tasks = list(dict.fromkeys(part.name for run in runs for part in run.parts))
    return template(PAGE).render(
        style=STYLE, title=f'NavBench-GS: {len(runs)} runs', subtitle=_subtitle(runs),
        warnings=warnings(runs, found), columns=list(COLUMNS),
        leaderboard=_leaderboard(runs),
        tables=[{'name': task.replace('_', ' + '), 'rows': _task_rows(runs, task)}
                for task in tasks if task != 'all'],
        note=interval_note([part for run in runs for part in run.parts]),
        heads=[HEADS[metric] for metric in PAIRED],
        baseline=names[0], differences=[
            {'name': name, 'rows': [_difference_row(part) for part in parts]}
            for name, parts in found
        ],
        maps=_maps(runs),
        charts=distributions({run.name: run.scored for run in runs}), legend=legend(names),
        latencies=[
            {'name': run.name, 'table': table} for run in runs
            if (table := latency_table(run.record.get('latency'))) is not None
        ],
        origins=[_origin(run) for run in runs],
    )


def _policy(record: Mapping[str, Any], logs: Sequence[EpisodeLog]) -> str:
    return str(record.get('policy') or logs[0].policy)


def _subtitle(runs: Sequence[ComparedRun]) -> str:
    hashes = sorted({run.protocol[:12] for run in runs})
    seeds = sorted({str(run.record.get('seed', '?')) for run in runs})
    return (
        f'{sum(len(run.scored) for run in runs)} episodes · protocol {", ".join(hashes)} · '
        f'seed {", ".join(seeds)}'
    )


def _leaderboard(runs: Sequence[ComparedRun]) -> list[dict[str, Any]]:
    """Order by collision-free success, then success."""
    ranked = sorted(runs, key=lambda run: tuple(
        -run.overall.metrics[name].mean for name in ('collision_free_success', 'success')))
    return [{**row(run.overall), 'name': run.name, 'inputs': run.inputs, 'kind': ''}
            for run in ranked]


def _task_rows(runs: Sequence[ComparedRun], task: str) -> list[dict[str, Any]]:
    rows = []
    for run in runs:
        part = next((part for part in run.parts if part.name == task), None)
        if part is not None:
            rows.append({**row(part), 'name': run.name, 'inputs': run.inputs})
    return rows


def _difference_row(part: Comparison) -> dict[str, Any]:
    return {
        'name': part.name.replace('_', ' + '), 'pairs': part.pairs,
        'wins': f'{part.only_b} to {part.only_a}', 'chance': _chance(part.chance),
        'cells': [_signed(part.differences[metric], metric) for metric in PAIRED],
    }


def _chance(value: float) -> str:
    return 'p < 0.001' if value < 0.001 else f'p {value:.2g}'


def _signed(value: Estimate, metric: str) -> dict[str, str]:
    """Mark a difference whose interval leaves out zero as better or worse.

    One without width, as where all pairs differ alike, says nothing of chance.
    """
    better = -1.0 if metric == 'collisions' else 1.0
    kind = ''
    if (value.low > 0.0 or value.high < 0.0) and value.low < value.high:
        kind = 'plus' if value.mean * better > 0.0 else 'minus'
    sign = '+' if value.mean > 0.0 else ''
    return {'mean': f'{sign}{number(value.mean, 2)}', 'range': bounds(value, 2), 'kind': kind}


def _maps(runs: Sequence[ComparedRun]) -> list[dict[str, str]]:
    """Draw each scene with the drives of every run in its colour."""
    drawn = []
    for scene in sorted({log.spec.scene for run in runs for log in run.logs}):
        pictures = (load_map(scene, run.folder / 'maps') for run in runs)
        picture = next((found for found in pictures if found is not None), None)
        drives = [
            (log, COLOURS[index % len(COLOURS)])
            for index, run in enumerate(runs) for log in run.logs if log.spec.scene == scene
        ]
        drawn.append({'name': scene, 'svg': overview_svg(drives, picture)})
    return drawn


def _origin(run: ComparedRun) -> dict[str, Any]:
    account = run.record.get('run', {})
    facts = {
        'command': command(run.record) or 'not recorded',
        'folder': str(run.folder), 'protocol': run.protocol,
        'seed': run.record.get('seed', '?'), 'robot': run.record.get('robot', '?'),
        'locomotion': run.record.get('locomotion', '?'),
        'scenes': ' '.join(map(str, run.record.get('scenes', []))),
        'mode': run.record.get('mode', '?'), 'times real time': account.get('real_time_factor'),
        'conditions': run.record.get('conditions') or 'none',
        'constants': run.record.get('constants', {}).get('hash', 'not recorded'),
        **{f'code of {name}': value for name, value in run.record.get('code', {}).items()},
        **{f'version of {name}': value
           for name, value in run.record.get('versions', {}).items()},
    }
    return {'name': run.name, 'facts': [(name, str(value)) for name, value in facts.items()]}
