"""Means of drivers and differences between them, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from navbench_gs.metrics.estimate import Estimate, estimate
from s2e_cli.teleop.drives import PROPORTIONS, Driver, Form, Row
from s2e_teleop.study.effect import cohens_d, win_share


@dataclass(frozen=True)
class Difference:
    """How one driver differs from another in a metric."""

    estimate: Estimate
    d: float
    """Cohen's d of the pairs."""
    more: float
    """Share of the pairs in which the other has more."""


def cluster_of(rows: Sequence[Row]) -> Callable[[Row], str]:
    """Say what is drawn first by the bootstrap: people where there are several, else scenes.

    Drives of one person are alike, and so are drives in one scene: what there is less of bounds
    what can be known. With several people that is how many people there are.
    """
    people = {row.participant for row in rows if row.participant is not None}
    if len(people) > 1:
        return lambda row: str(row.participant)
    return lambda row: row.scene


def mean_of(rows: Sequence[Row], metric: str) -> Estimate:
    """Return a metric's mean over drives."""
    cluster = cluster_of(rows)
    values = ((cluster(row), row.values[metric]) for row in rows)
    return estimate(values, proportion=metric in PROPORTIONS)


def pairs_of(a: Driver, b: Driver, metric: str) -> list[tuple[Row, float]]:
    """Return driver b's drives with b's value less a's on the same episode.

    A person's drive is paired with that of the same person; where they have none, with the mean
    of everyone's.
    """
    own: dict[tuple[str, int | None], list[float]] = {}
    everyone: dict[str, list[float]] = {}
    for row in a.rows:
        value = row.values[metric]
        if math.isfinite(value):
            own.setdefault((row.spec, row.participant), []).append(value)
            everyone.setdefault(row.spec, []).append(value)
    found = []
    for row in b.rows:
        base = own.get((row.spec, row.participant)) or everyone.get(row.spec)
        if base and math.isfinite(row.values[metric]):
            found.append((row, row.values[metric] - float(np.mean(base))))
    return found


def difference(a: Driver, b: Driver, metric: str) -> Difference:
    """Return how driver b differs from a over the episodes that both drove."""
    pairs = pairs_of(a, b, metric)
    cluster = cluster_of([row for row, _ in pairs])
    changes = np.array([change for _, change in pairs])
    return Difference(
        estimate((cluster(row), change) for row, change in pairs), cohens_d(changes),
        win_share(changes),
    )


def load_of(forms: Sequence[Form], name: str) -> Estimate:
    """Return the mean of a scale, or of `raw_tlx`, over participants."""
    return estimate((str(form.participant), form.answers[name]) for form in forms)


def load_difference(a: Driver, b: Driver) -> Difference:
    """Return how driver b's raw load differs from a's, by the participants who felt both."""
    known = {form.participant: form.answers['raw_tlx'] for form in a.forms}
    pairs = [
        (str(form.participant), form.answers['raw_tlx'] - known[form.participant])
        for form in b.forms if form.participant in known
    ]
    changes = np.array([change for _, change in pairs])
    return Difference(estimate(pairs), cohens_d(changes), win_share(changes))
