"""The terminal during a run: a bar with SR, RC and CT as they stand, then the table."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from navbench_gs.metrics.estimate import Estimate
from navbench_gs.metrics.paired import Comparison
from navbench_gs.metrics.summary import Summary
from navbench_gs.report.cells import width_note
from navbench_gs.runner.plan import Finished, RunFolder
from navbench_gs.scenes.resolve import resolve_scene

_MOST_TOLD = 5
"""Different failures of a policy that are shown; the report has them all."""


class Console:
    """Shows progress on a stream."""

    def __init__(self, total: int, stream: TextIO) -> None:
        """Start the bar.

        Args:
            total: Episodes of the run.
            stream: Where it is drawn.
        """
        self._stream = stream
        self._bar: tqdm[None] | None = None
        self._total = total
        self._done: list[Finished] = []
        self._told: set[str] = set()

    def prepare(self, scenes: Sequence[str]) -> None:
        """Import captures before the workers start, with progress; cities are made by workers.

        Raises:
            SceneError: a scene cannot be had.
        """
        for scene in scenes:
            if not scene.startswith('city:') or scene == scenes[0]:
                with tqdm(total=100, desc=scene[-40:], file=self._stream, leave=False,
                          bar_format='{desc}: {postfix} {percentage:3.0f}%') as bar:
                    resolve_scene(scene, progress=functools.partial(_show, bar))

    def finished(self, episode: Finished) -> None:
        """Count an episode."""
        if self._bar is None:
            # In a file each drawing stays.
            interval = 0.1 if self._stream.isatty() else 30.0
            self._bar = tqdm(total=self._total, unit='ep', file=self._stream,
                             smoothing=0.1, dynamic_ncols=True, mininterval=interval)
        self._done.append(episode)
        scores = [item.scores for item in self._done if item.scores is not None]
        text = self._line(episode)
        if text:
            self._bar.write(
                f'{episode.item.scene} {episode.item.task} {episode.item.index}: {text}',
                file=self._stream,
            )
        if scores:
            count = len(scores)
            self._bar.set_postfix_str(
                f'SR {sum(s.success for s in scores) / count:.2f} '
                f'clean {sum(s.collision_free_success for s in scores) / count:.2f} '
                f'RC {sum(s.route_completion for s in scores) / count:.2f} '
                f'CT {sum(s.collisions for s in scores) / count:.2f}', refresh=False,
            )
        self._bar.update(1)

    def _line(self, episode: Finished) -> str:
        """Return why there is no result, or how the policy failed; each failure once."""
        if episode.scores is None:
            return f'skipped: {episode.detail}'
        detail = episode.detail
        if not detail or detail in self._told or len(self._told) >= _MOST_TOLD:
            return ''
        self._told.add(detail)
        return f'{episode.scores.cause.value}: {detail}'

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()


def print_retried(out: Path) -> None:
    """Say on stderr which episodes of a run's last call were tried again, and where that stands.

    Args:
        out: The run's folder.
    """
    record = RunFolder(out).record
    for episode in json.loads(record.read_text(encoding='utf-8'))['run']['retried']:
        print(f'{episode}: its worker died, tried again (noted in {record})', file=sys.stderr)


def print_table(summaries: Sequence[Summary]) -> None:
    """Print the results, a line for each summary."""
    _print_rows('n', '.2f', [(part.name, part.episodes, part.metrics) for part in summaries])
    note = width_note(summaries)
    if note:
        print(note)


def print_differences(parts: Sequence[Comparison]) -> None:
    """Print how one run differs from another, a line for each task."""
    _print_rows('pairs', '+.2f', [(part.name, part.pairs, part.differences) for part in parts])


def _print_rows(
    count: str, form: str, rows: Sequence[tuple[str, int, Mapping[str, Estimate]]]
) -> None:
    """Print means and intervals of the four headline metrics, a line for each row."""
    titles = ''.join(title.ljust(23) for title in ('SR', 'clean SR', 'RC', 'CT'))
    print(f'{"task":<34}{count:>5}  {titles}')
    for name, episodes, metrics in rows:
        cells = []
        for metric in ('success', 'collision_free_success', 'route_completion', 'collisions'):
            value = metrics[metric]
            low, high = format(value.low, form), format(value.high, form)
            cells.append(f'{format(value.mean, form)} [{low}, {high}]'.ljust(23))
        print(f'{name:<34}{episodes:>5}  {"".join(cells)}')


def _show(bar: tqdm[None], what: str, share: float) -> None:
    bar.set_postfix_str(what, refresh=False)
    bar.update(max(0.0, 100.0 * share - bar.n))
