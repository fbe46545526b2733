"""What keeps runs from being compared as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from navbench_gs.metrics.paired import Comparison
from navbench_gs.runner.identity import changed_constants

if TYPE_CHECKING:
    from navbench_gs.report.compare import ComparedRun

Differences = Sequence[tuple[str, Sequence[Comparison]]]
"""Names of runs with how they differ from the first, by task."""


def warnings(runs: Sequence[ComparedRun], compared: Differences) -> list[str]:
    """Say what keeps the runs from being compared as they stand.

    Args:
        runs: The runs, the first of which others are compared with.
        compared: Of `compare.differences`.
    """
    return [*_drives(runs), *_records(runs), *_episodes(runs, compared)]


def _drives(runs: Sequence[ComparedRun]) -> list[str]:
    """What was driven differs."""
    found = []
    if len({run.protocol for run in runs}) > 1:
        found.append('The runs were driven by different protocols: numbers are not comparable.')
    for what, key in (('robots', 'robot'), ('conditions', 'conditions')):
        if len({str(run.record.get(key) or '') for run in runs}) > 1:
            found.append(f'The runs differ in their {what}.')
    if len({run.record['camera'] for run in runs if 'camera' in run.record}) > 1:
        found.append('The runs differ in their cameras: the one a policy was made for, or the '
                     "robot's.")
    if len({run.record.get('mode', 'lockstep') for run in runs}) > 1:
        found.append('Some runs waited for the policy (lockstep), some did not (realtime).')
    if len({run.inputs for run in runs}) > 1:
        seen = '; '.join(f'{run.name}: {run.inputs}' for run in runs)
        found.append(f'The runs differ in their inputs ({seen}).')
    return found


def _records(runs: Sequence[ComparedRun]) -> list[str]:
    """What stands behind a drive differs, or it is not over."""
    found = []
    for run in runs[1:]:
        changed = changed_constants(runs[0].record, run.record)
        if changed and run.record.get('robot') == runs[0].record.get('robot'):
            found.append(f'{run.name} differs from {runs[0].name} in constants: '
                         f'{"; ".join(changed)[:400]}.')
    if len({str(run.record['code']) for run in runs if 'code' in run.record}) > 1:
        found.append('The runs were driven by different versions of the code.')
    found += [f'{run.name} is not complete.' for run in runs
              if run.record.get('complete') is False]
    return found


def _episodes(runs: Sequence[ComparedRun], compared: Differences) -> list[str]:
    """The runs are not over the same episodes."""
    found, first = [], runs[0]
    for run, (name, parts) in zip(runs[1:], compared, strict=True):
        pairs = parts[-1].pairs if parts else 0
        if not pairs:
            found.append(f'{name} and {first.name} share no episode.')
        elif pairs < max(len(run.scored), len(first.scored)):
            found.append(
                f'{name} drove {len(run.scored)} episodes and {first.name} {len(first.scored)}, '
                f'{pairs} of them the same: only the differences are over the same ones.'
            )
    return found
