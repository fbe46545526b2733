"""Print the figures of docs/results.md from the episodes in docs/results/*.csv.

Run: python test/benchmark/results_tables.py
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from navbench_gs.metrics.estimate import Estimate, estimate
from navbench_gs.tasks.spec import TASKS

FOLDER = Path(__file__).resolve().parents[2] / 'docs' / 'results'
AGENTS = ('straight', 's2e-small', 'privileged', 'onlooker', 's2e-small-lens',
          's2e-small-careful', 'depth')
PAIRS = (('straight', 's2e-small'), ('depth', 's2e-small'), ('s2e-small', 's2e-small-lens'),
         ('s2e-small', 's2e-small-careful'), ('privileged', 'onlooker'),
         ('onlooker', 's2e-small'))
"""Baseline first."""
RATES = ('success', 'collision_free_success', 'route_completion')

Episodes = dict[str, dict[str, str]]
"""Rows of a run's episodes.csv by the id of the episode."""


def read(agent: str) -> Episodes:
    """Return an agent's episodes."""
    with (FOLDER / f'{agent}.csv').open(encoding='utf-8') as file:
        return {row['id']: row for row in csv.DictReader(file)}


def bounded(value: Estimate, digits: int) -> str:
    """Write a mean with its interval."""
    return f'{value.mean:.{digits}f} [{value.low:.{digits}f}, {value.high:.{digits}f}]'


def table_row(episodes: Episodes, task: str) -> str:
    """Return the cells of a task: rates, contacts, SPL; no interval where all ended alike."""
    group = [row for row in episodes.values() if row['task'] == task]

    def cell(metric: str, digits: int) -> str:
        values = [(row['scene'], float(row[metric])) for row in group]
        if len({value for _, value in values}) == 1:
            return f'{values[0][1]:.{digits}f}'
        return bounded(estimate(values), digits)

    spl = sum(float(row['spl']) for row in group) / len(group)
    cells = [*(cell(metric, 2) for metric in RATES), cell('collisions', 1), f'{spl:.2f}']
    return f'| {task.replace("_", " + ")} | {" | ".join(cells)} |'


def difference(base: Episodes, other: Episodes, metric: str, task: str) -> str:
    """Return the mean of other minus base over the episodes of a task, or of `all`, both drove.

    Raises:
        ValueError: Episodes of one name were drawn from different seeds.
    """
    shared = [key for key in base if key in other and task in ('all', base[key]['task'])]
    if any(base[key]['seed'] != other[key]['seed'] for key in shared):
        raise ValueError('episodes of one name were drawn from different seeds')
    return bounded(estimate(
        (base[key]['scene'], float(other[key][metric]) - float(base[key][metric]))
        for key in shared
    ), 2).replace('-0.00', '0.00')


def main() -> None:
    """Print everything."""
    known = {agent: read(agent) for agent in AGENTS}
    for agent, episodes in known.items():
        print(f'{agent}, {len(episodes)} episodes')
        for task in TASKS:
            print(table_row(episodes, task))
        missed = Counter(row['cause'] for row in episodes.values() if row['success'] == '0')
        print(f'not finished: {missed.total()}, {dict(missed.most_common())}\n')
    for base, other in PAIRS:
        for metric in ('success', 'collision_free_success', 'collisions'):
            parts = (difference(known[base], known[other], metric, task)
                     for task in (*TASKS, 'all'))
            print(f'{other} minus {base}, {metric}: {", ".join(parts)}')


if __name__ == '__main__':
    main()
