"""One picture per video: the path from above, confidence over time, what was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

COLOURS = {
    'cut': '#7b3294', 'blur': '#e08214', 'frozen': '#3182bd', 'scale': '#b2182b',
    'no pose': '#636363', 'other': '#969696',
}


def draw_summary(
    path: Path, title: str, records: Sequence[dict[str, Any]], fps: float, frames: int
) -> None:
    """Draw a video's labels.

    Args:
        path: PNG to write.
        title: Name of the video.
        records: Per chunk: `pieces` (numbers, xy, confidence) and `rejected` spans.
        fps: Frames per second of the video.
        frames: Frames of the video.
    """
    figure = Figure(figsize=(11, 8), dpi=100, layout='constrained')
    above, below = figure.subplots(2, 1, height_ratios=(3, 1))
    palette = matplotlib.colormaps['viridis']
    offset = 0.0
    for record in records:
        for piece in record['pieces']:
            xy, trust = np.array(piece['xy']), np.array(piece['confidence'])
            left = -xy[:, 1]
            place = offset - left.min()
            above.scatter(left + place, xy[:, 0], c=trust, cmap=palette, vmin=0, vmax=1, s=9)
            above.plot(left[0] + place, xy[0, 0], 'k^', markersize=6)
            short = '_'.join(piece['name'].split('_')[-2:])
            above.annotate(short, (left[0] + place, xy[0, 0]), fontsize=7,
                           xytext=(4, -10), textcoords='offset points')
            offset = place + left.max() + 3.0
            below.plot(np.array(piece['numbers']) / fps, trust, color='#1a9850', linewidth=1.5)
        for first, last, reason in record['rejected']:
            kind = next((name for name in COLOURS if reason.startswith(name)), 'other')
            below.axvspan(first / fps, (last + 1) / fps, color=COLOURS[kind], alpha=0.45, lw=0)
    for name, colour in COLOURS.items():
        below.plot([], [], color=colour, linewidth=6, alpha=0.45, label=name)
    above.set_aspect('equal', adjustable='datalim')  # A straight drive is no sliver.
    above.set(title=title, xlabel='clips side by side, metres to the right of each start',
              ylabel='metres ahead')
    above.grid(alpha=0.3)
    below.set(xlim=(0, frames / fps), ylim=(0, 1), xlabel='seconds', ylabel='confidence')
    below.legend(loc='upper center', bbox_to_anchor=(0.5, -0.3), ncols=len(COLOURS),
                 frameon=False, title='rejected')
    if not any(record['pieces'] for record in records):
        above.text(0.5, 0.5, 'nothing could be labelled', ha='center',
                   transform=above.transAxes)
    figure.savefig(path)
