"""Rates against steps of training: what a study with stops is made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from s2e_training.study.table import ALL, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = ('-', '--', ':', '-.')
"""Lines of the first places; more places begin again."""


def draw_stops(
    plot: Axes, rows: Sequence[Row], column: str, colours: Mapping[str, str]
) -> None:
    """Draw a line for each variant and place, from the parents on, with 95 % intervals.

    Args:
        plot: Axes to draw on.
        rows: Rows of one task; where a variant's seeds are also together, only these are drawn.
        column: Column of the table.
        colours: By variant.
    """
    places = list(dict.fromkeys(row.place for row in rows))
    for place, variant in dict.fromkeys((r.place, r.variant) for r in rows if r.seed):
        at = line_of(rows, place, variant)
        steps, means = [stop for stop, _ in at], [row.values[column].mean for _, row in at]
        below = [row.values[column].mean - row.values[column].low for _, row in at]
        above = [row.values[column].high - row.values[column].mean for _, row in at]
        plot.errorbar(
            steps, means, [below, above], color=colours.get(variant), capsize=3, marker='o',
            markersize=4, linestyle=STYLES[places.index(place) % len(STYLES)],
            label=f'{variant}, {place}' if len(places) > 1 else variant,
        )
    plot.set(xlabel='environment steps', ylim=(0.0, 1.0))


def line_of(rows: Sequence[Row], place: str, variant: str) -> list[tuple[int, Row]]:
    """Return the rows of a line by steps; a single parent is its beginning.

    Args:
        rows: Rows of one task.
        place: The place.
        variant: The variant.

    Returns:
        Steps and row, those of all seeds together where there are several.
    """
    own = [row for row in rows if (row.place, row.variant) == (place, variant)]
    together = {row.steps: row for row in own if row.seed == ALL}
    single = {row.steps: row for row in own if row.seed not in ('', ALL)}
    parents = [row for row in rows if row.place == place and not row.seed]
    begin = [(0, parents[0])] if len(parents) == 1 else []
    return [*begin, *sorted({**single, **together}.items())]
