"""Which episodes stand for a task: the worst one and the one in the middle."""

from __future__ import annotations

from collections.abc import Sequence

from navbench_gs.metrics.summary import Scored
from navbench_gs.tasks.spec import TASKS


def exemplars(scored: Sequence[Scored]) -> dict[int, str]:
    """Pick worst and median episode of each task.

    Ranked by success, then collisions, then how far they came, then time; the lower of the two
    in the middle of an even number.

    Returns:
        What each stands for by its index, such as 'worst of obstacle', tasks in order.
    """
    found: dict[int, str] = {}
    for task in TASKS:
        order = sorted(
            (i for i, item in enumerate(scored) if item.spec.task == task),
            key=lambda i: (
                scored[i].scores.success, -scored[i].scores.collisions,
                scored[i].scores.route_completion, -scored[i].scores.duration,
                scored[i].spec.id,
            ),
        )
        if len(order) > 1:
            name = task.replace('_', ' + ')
            found[order[0]] = f'worst of {name}'
            found.setdefault(order[(len(order) - 1) // 2], f'median of {name}')
    return found
