"""Errors against the way that was driven, and how sure the policy was."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from s2e_core.contract import WAYPOINT_DT, PolicyOutput

TIMES = (0.4, 1.0, 2.0)
"""Seconds at which errors are reported."""
BEST_OF = 6
STILL = 0.2
"""Shorter ways have no direction worth comparing, metres."""


def errors(output: PolicyOutput, truth: np.ndarray) -> dict[str, float]:
    """Errors of one answer.

    Args:
        output: The policy's.
        truth: Waypoints really reached, base_link, metres. [T, 2]

    Returns:
        `ade_*`, `fde_*` of the top mode, `best_ade_*`, `best_fde_*` of the best of six, metres;
        `direction`, degrees between the ends at 2 s, NaN where either stands still.
    """
    order = np.argsort(-output.scores, kind='stable')[:BEST_OF]
    away = np.linalg.norm(output.modes[order] - truth, axis=2)
    result: dict[str, float] = {}
    for time in TIMES:
        k = round(time / WAYPOINT_DT)
        ade, fde = away[:, :k].mean(axis=1), away[:, k - 1]
        result[f'ade_{time}'], result[f'fde_{time}'] = float(ade[0]), float(fde[0])
        result[f'best_ade_{time}'] = float(ade.min())
        result[f'best_fde_{time}'] = float(fde.min())
    a, b = output.modes[order[0], -1], truth[-1]
    turn = math.remainder(math.atan2(a[1], a[0]) - math.atan2(b[1], b[0]), 2 * math.pi)
    still = min(float(np.hypot(*a)), float(np.hypot(*b))) < STILL
    result['direction'] = math.nan if still else abs(math.degrees(turn))
    return result


def entropy(scores: np.ndarray) -> float:
    """Entropy of the scores, nats."""
    p = scores[scores > 0]
    return float(-(p * np.log(p)).sum())


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99, rounded to microseconds of a millisecond."""
    return {
        f'p{q}': round(float(np.percentile(values, q)), 3) for q in (50, 95, 99)
    } if len(values) else {}


def mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each key over rows, NaN left out."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    result = {}
    for key in keys:
        known = [row[key] for row in rows if key in row and math.isfinite(row[key])]
        if known:
            result[key] = round(float(np.mean(known)), 4)
    return result
