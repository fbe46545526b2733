"""Success against delay: the operator's points, the policy's level as a band."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from navbench_gs.metrics.estimate import Estimate
from s2e_cli.teleop.drives import Driver, mean_of

PANELS = {'success': 'success', 'clean': 'success without contact', 'collisions': 'collisions'}
_AFAR, _ON_BOARD = '#d4588f', '#4a6fd8'


def draw_curves(drivers: Sequence[Driver]) -> str:
    """Return an SVG of each panel's metric over the delay, with 95 % intervals."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.4), layout='constrained')
    for plot, (metric, title) in zip(figure.subplots(1, len(PANELS)), PANELS.items(),
                                     strict=True):
        _panel(plot, drivers, metric)
        plot.set(title=title, xlabel='from the world to the wheels, s')
        plot.set_ylim(0.0, 1.02 if metric != 'collisions' else None)
        plot.set_xlim(left=0.0)
        plot.grid(alpha=0.25)
        plot.spines[['top', 'right']].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncols=4, frameon=False)
    text = io.StringIO()
    with mpl.rc_context({'svg.hashsalt': 's2e'}):
        figure.savefig(text, format='svg', metadata={'Date': None})
    return text.getvalue()


def _panel(plot: Any, drivers: Sequence[Driver], metric: str) -> None:
    afar: list[tuple[float, Estimate]] = []
    for driver in drivers:
        value = mean_of(driver.rows, metric)
        if driver.delay is None:
            plot.axhline(value.mean, color=_ON_BOARD, label=f'{driver.name.partition("@")[0]}, '
                         'on board')
            plot.axhspan(value.low, value.high, color=_ON_BOARD, alpha=0.12, linewidth=0)
        else:
            afar.append((driver.delay, value))
    afar.sort(key=lambda item: item[0])
    x, values = [delay for delay, _ in afar], [value for _, value in afar]
    bars = [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]
    plot.errorbar(x, [v.mean for v in values], yerr=bars, fmt='o-', color=_AFAR, capsize=3,
                  markersize=4, label='scripted operator, far away')
