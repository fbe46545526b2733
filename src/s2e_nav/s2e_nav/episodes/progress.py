"""What the terminal shows: one line for each episode, with the running scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def episode_line(
    number: int, total: int, result: Mapping[str, Any], done: Sequence[Mapping[str, Any]],
    factor: float,
) -> str:
    """Write the line of an episode.

    Args:
        number: Its place in the run, from 1.
        total: Episodes of the run.
        result: The bridge's word on it.
        done: Scores of every episode so far, this one included.
        factor: Simulated over wall seconds.
    """
    scores = result['scores']
    why = [text for text in (scores['cause'], result.get('detail', '')) if text]
    cause = f' ({": ".join(why)})' if why else ''
    means = (np.mean([float(s[key]) for s in done]) for key in (
        'success', 'collision_free_success', 'route_completion', 'collisions'))
    sr, free, rc, ct = means
    return (
        f'[{number}/{total}] {result["id"]}: {result["outcome"]}{cause}, '
        f'{scores["duration"]:.1f} s, RC {scores["route_completion"]:.2f}, '
        f'CT {scores["collisions"]} | so far SR {sr:.2f} (collision-free {free:.2f}) '
        f'RC {rc:.2f} CT {ct:.2f} | {factor:.1f}x real time'
    )
