"""How a link was during a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2e_teleop.journal import LinkSample


@dataclass(frozen=True)
class LinkSummary:
    """Medians over the samples of whoever drove; NaN where nothing was measured."""

    round_trip: float
    """Seconds."""
    command_age: float
    """From page to robot, seconds."""
    glass_to_glass: float
    """From exposure to screen, seconds."""
    frame_rate: float
    """Pictures shown a second."""
    refused: float
    """Share of commands that were not accepted."""
    lost: int
    """Messages that the link profile lost, both ways."""

    @property
    def delay(self) -> float:
        """From the world to the wheels without the driver's reaction, seconds.

        A picture waits for half a picture's interval on average before it is taken; who asked
        for nothing, as beside autonomy, has no age of commands and no delay.
        """
        if not self.frame_rate > 0.0:
            return math.nan
        return 0.5 / self.frame_rate + self.glass_to_glass + self.command_age


def summarise_link(samples: Sequence[LinkSample]) -> LinkSummary:
    """Summarise the samples of a run.

    Counters run on over runs and begin anew with each page: their growth counts.

    Args:
        samples: In the order of their times; those of watchers are left out.
    """
    driven = [sample for sample in samples if sample.driver]
    accepted, refused = _growth(driven, 'commands'), _growth(driven, 'refused')
    return LinkSummary(
        round_trip=_median(driven, 'round_trip'), command_age=_median(driven, 'command_age'),
        glass_to_glass=_median(driven, 'glass_to_glass'),
        frame_rate=_median(driven, 'frame_rate'),
        refused=refused / (accepted + refused) if accepted + refused else math.nan,
        lost=_growth(driven, 'lost_up') + _growth(driven, 'lost_down'),
    )


def _median(samples: Sequence[LinkSample], name: str) -> float:
    values = np.array([getattr(sample, name) for sample in samples], np.float64)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else math.nan


def _growth(samples: Sequence[LinkSample], name: str) -> int:
    total, last = 0, {sample.client: getattr(sample, name) for sample in reversed(samples)}
    for sample in samples:
        value = int(getattr(sample, name))
        total += max(0, value - last[sample.client])
        last[sample.client] = value
    return total
