"""What is kept of one run beside its recording: link, interventions, how fast the world ran."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from typing import Any

from s2e_core.interventions import Intervention, InterventionWatch
from s2e_nav.errors import ConversionError
from s2e_teleop.journal import LinkSample
from s2e_teleop.study.link_summary import summarise_link


class RunRecord:
    """Collects while a run is driven."""

    def __init__(self) -> None:
        """Begin; the world stands still."""
        self._began = math.nan
        self._first_ns = 0
        self._watch = InterventionWatch()
        self._interventions: list[Intervention] = []
        self._links: list[LinkSample] = []

    @property
    def began(self) -> bool:
        """Whether the world moves."""
        return math.isfinite(self._began)

    def gate(self, stamp_ns: int, status: Mapping[str, str]) -> None:
        """Take the gate's status.

        Args:
            stamp_ns: ROS time, nanoseconds.
            status: Its words.
        """
        self._interventions += self._watch.update(stamp_ns, status)

    def world_began(self, stamp_ns: int, now: float) -> None:
        """The world moves from now on; times count from here.

        Args:
            stamp_ns: ROS time, nanoseconds.
            now: Steady clock, seconds.
        """
        self._first_ns, self._began = stamp_ns, now

    def link(self, values: Mapping[str, str]) -> None:
        """Take a sample of the link.

        Raises:
            ConversionError: It is none.
        """
        self._links.append(sample_from(values))

    def summary(self, ended: float, simulated: float) -> dict[str, Any]:
        """Return what is kept.

        Args:
            ended: Steady clock, seconds.
            simulated: Simulated seconds; NaN on a robot.
        """
        wall, first = max(ended - self._began, 1e-6), self._first_ns
        link = dataclasses.asdict(summarise_link(self._links))
        return {
            'wall_seconds': _number(wall), 'real_time_factor': _number(simulated / wall),
            'link': {name: _number(value) for name, value in link.items()},
            'interventions': [
                {'time': round((item.stamp_ns - first) * 1e-9, 3), 'kind': item.kind.value,
                 'reason': item.reason} for item in self._interventions
            ],
        }


def sample_from(values: Mapping[str, str]) -> LinkSample:
    """Read a sample from the words of a status.

    Raises:
        ConversionError: A value is missing or no number.
    """
    hints = typing.get_type_hints(LinkSample)
    found: dict[str, Any] = {}
    for field in dataclasses.fields(LinkSample):
        text = values.get(field.name)
        kind = hints[field.name]
        try:
            if text is None:
                raise ValueError('is missing')
            found[field.name] = text == 'True' if kind is bool else kind(text)
        except ValueError as error:
            raise ConversionError(f'link sample: {field.name}: {error}') from error
    return LinkSample(**found)


def _number(value: float) -> float | None:
    """Round for storage; JSON has no NaN."""
    return round(value, 4) if math.isfinite(value) else None
