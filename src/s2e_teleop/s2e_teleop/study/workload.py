"""NASA-TLX without weights: how loaded a person felt (Hart and Staveland 1988; Hart 2006)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from s2e_core.config import check, option
from s2e_core.errors import ConfigError

STEP = 5


def _scale(text: str) -> Any:
    return option(low=0, high=100, help=text)


@dataclass(frozen=True)
class Workload:
    """Six answers, each 0 to 100 in steps of 5; a higher one is always the heavier load."""

    mental: int = _scale('How mentally demanding was it? Very low to very high.')
    physical: int = _scale('How physically demanding was it? Very low to very high.')
    temporal: int = _scale('How hurried was the pace? Very low to very high.')
    performance: int = _scale(
        'How successful were you in what you were asked to do? Perfect to failure.'
    )
    effort: int = _scale('How hard did you have to work for it? Very low to very high.')
    frustration: int = _scale(
        'How insecure, discouraged, irritated or annoyed were you? Very low to very high.'
    )

    def __post_init__(self) -> None:
        check(self, source='workload')
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value % STEP:
                raise ConfigError(
                    f'workload: {field.name} must be a multiple of {STEP}, got {value}'
                )

    @property
    def raw(self) -> float:
        """Raw TLX: the mean of the six, 0 to 100."""
        values = dataclasses.astuple(self)
        return sum(values) / len(values)


SCALES: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Workload))

