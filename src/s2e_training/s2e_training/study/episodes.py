"""Episodes of a study, one line for each drive: what its table is made of."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from s2e_training.study.table import Measured

HEADS = ('place', 'variant', 'seed', 'steps', 'id', 'episode_seed', 'success',
         'collision_free_success', 'collisions', 'route_completion', 'duration')


def write_drives(measured: Sequence[Measured]) -> str:
    """Return all drives as CSV; a parent has no seed and no steps.

    Args:
        measured: Policies with their drives.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(HEADS)
    for item in measured:
        seed = '' if item.seed is None else item.seed
        for one in item.scored:
            s = one.scores
            writer.writerow([
                item.place, item.variant, seed, item.steps, one.spec.id, one.spec.seed,
                int(s.success), int(s.collision_free_success), s.collisions,
                f'{s.route_completion:.4g}', f'{s.duration:.4g}',
            ])
    return text.getvalue()
