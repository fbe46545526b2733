"""What a person did in a recording: commands, and the moments in which somebody stepped in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from s2e_core.interventions import Intervention

HELD_NS = 300_000_000
"""A command older than that drives nothing: the gate has stopped by then."""


@dataclass(frozen=True)
class Driving:
    """Commands and interventions by time."""

    stamps_ns: np.ndarray
    """Of the commands, rising. [C] int64"""
    commands: np.ndarray
    """What the person asked for: v (m/s), w (rad/s). [C, 2]"""
    interventions: tuple[Intervention, ...] = ()
    """In the order of their times."""

    def at(self, stamps_ns: np.ndarray) -> np.ndarray:
        """Return the newest command at each time, NaN where nobody drove. [N] -> [N, 2]"""
        stamps = np.asarray(stamps_ns, np.int64)
        found = np.full((len(stamps), 2), np.nan)
        if len(self.stamps_ns) == 0:
            return found
        newest = np.searchsorted(self.stamps_ns, stamps, side='right') - 1
        known = np.maximum(newest, 0)
        fresh = (newest >= 0) & (stamps - self.stamps_ns[known] <= HELD_NS)
        found[fresh] = self.commands[known[fresh]]
        return found

    def within(self, first_ns: int, end_ns: int) -> list[Intervention]:
        """List the interventions from a time up to, but not at, another."""
        return [item for item in self.interventions if first_ns <= item.stamp_ns < end_ns]

    def stretched(self, origin_ns: int, factor: float) -> Driving:
        """Return the same at a clock that runs slower: `origin_ns` becomes 0.

        Args:
            origin_ns: Nanoseconds.
            factor: By how much longer everything takes; speeds fall by it.
        """
        stamps = np.round((self.stamps_ns - origin_ns) * factor).astype(np.int64)
        moments = tuple(
            replace(item, stamp_ns=round((item.stamp_ns - origin_ns) * factor))
            for item in self.interventions
        )
        return Driving(stamps, self.commands / factor, moments)
