"""The figures of docs/results.md are those of the episodes beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / 'test' / 'benchmark'))

from results_tables import AGENTS, difference, read, table_row  # noqa: E402

from navbench_gs.tasks.spec import TASKS  # noqa: E402

LINES = (ROOT / 'docs/results.md').read_text(encoding='utf-8').splitlines()
WORDS = ' '.join(LINES)


@pytest.mark.parametrize('agent', AGENTS)
def test_the_table_shows_every_episode_of_an_agent(agent: str) -> None:
    """26 scenes, 25 episodes of each task; its four rows follow on its name."""
    episodes = read(agent)
    assert len(episodes) == 26 * 25 * len(TASKS)
    first = next(index for index, line in enumerate(LINES)
                 if line.startswith((f'| `{agent}` ', f'| **`{agent}`** ')))
    for line, task in zip(LINES[first:], TASKS, strict=False):
        assert line.endswith(table_row(episodes, task))


@pytest.mark.parametrize(('base', 'other', 'metric', 'tasks'), [
    ('straight', 's2e-small', 'collision_free_success', TASKS),
    ('depth', 's2e-small', 'success', TASKS),
    ('depth', 's2e-small', 'collision_free_success', TASKS),
    ('s2e-small', 's2e-small-lens', 'success', ('all', 'obstacle_pedestrian')),
    ('s2e-small', 's2e-small-lens', 'collision_free_success', ('all', 'empty', 'obstacle')),
    ('privileged', 'onlooker', 'success', ('pedestrian', 'obstacle_pedestrian')),
    ('privileged', 'onlooker', 'collision_free_success', ('pedestrian', 'obstacle_pedestrian')),
    ('onlooker', 's2e-small', 'collision_free_success', TASKS),
    ('s2e-small', 's2e-small-careful', 'success', ('all', *TASKS)),
    ('s2e-small', 's2e-small-careful', 'collision_free_success', ('all', *TASKS)),
])
def test_differences_are_told_as_they_are(
    base: str, other: str, metric: str, tasks: tuple[str, ...]
) -> None:
    """Each with its interval, as the text writes it."""
    first, second = read(base), read(other)
    for task in tasks:
        assert difference(first, second, metric, task) in WORDS


def test_differences_are_those_of_the_same_episodes() -> None:
    """(1 - 0) and (0 - 1) in one scene: mean 0, and what only one drove does not count."""
    def row(success: int, seed: str = '7') -> dict[str, str]:
        return {'scene': 'city:0', 'task': 'empty', 'seed': seed, 'success': str(success)}

    base = {'a': row(0), 'b': row(1), 'only here': row(1)}
    assert difference(base, {'a': row(1), 'b': row(0)}, 'success', 'all').startswith('0.00 [')
    with pytest.raises(ValueError, match='different seeds'):
        difference(base, {'a': row(1, seed='8')}, 'success', 'all')
