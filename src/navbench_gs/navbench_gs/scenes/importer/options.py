"""What a user may say about a capture that its file does not."""

from __future__ import annotations

from dataclasses import dataclass

from s2e_core.config import check, option


@dataclass(frozen=True)
class ImportOptions:
    """Settings of one import."""

    up: str = option(
        'auto', choices=('auto', '+z', '-y', '+y'), help='Which axis of the file points up.'
    )
    scale: float | None = option(
        None,
        unit='m',
        low=1e-4,
        high=1e4,
        help='Metres per unit of the file; unset, a unit counts as a metre, marked unknown.',
    )
    resolution: float = option(0.1, unit='m', low=0.05, high=0.5, help='Edge of a map cell.')
    robot_height: float = option(
        1.2, unit='m', low=0.2, high=3.0, help='What hangs lower than this is an obstacle.'
    )
    step: float = option(
        0.12, unit='m', low=0.02, high=0.3, help='Highest edge that a robot drives over.'
    )
    licence: str = option('unknown', help='Licence of the capture.')

    def __post_init__(self) -> None:
        check(self, source='import')
