"""Profiles of links that are worse than the one at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2e_core.config import check, from_yaml, option
from s2e_core.paths import find_config

NONE = 'none'
"""Name of the link that changes nothing."""
REFERENCE_AGE = 0.4
"""Age up to which commands drive at full speed, seconds (docs/teleop.md)."""


@dataclass(frozen=True)
class Direction:
    """What happens to messages one way."""

    delay: float = option(0.0, unit='s', low=0, high=3, help='Time on the way.')
    jitter: float = option(0.0, unit='s', low=0, high=1, help='Standard deviation of the delay.')
    loss: float = option(0.0, low=0, high=0.5, help='Share of packets that is lost.')
    bandwidth: float = option(
        0.0, unit='Mbit/s', low=0, high=10000, help='Bytes queue up behind it; 0: without limit.'
    )
    queue: float = option(
        1.0, unit='s', low=0.01, high=10, help='What would wait longer is lost: a full router.'
    )

    def __post_init__(self) -> None:
        check(self, source='direction')


@dataclass(frozen=True)
class VideoLimits:
    """What is sent of the video."""

    width: int = option(1280, unit='px', low=64, high=4096, help='Widest picture.')
    rate: float = option(30.0, unit='Hz', low=1, high=60, help='Most pictures a second.')
    quality: int = option(75, low=10, high=95, help='JPEG quality of pictures that are resized.')
    bitrate: float = option(
        2.0, unit='Mbit/s', low=0.05, high=20,
        help='Most that a WebRTC video aims at; for a far page it comes to twice or thrice that.',
    )

    def __post_init__(self) -> None:
        check(self, source='video')


@dataclass(frozen=True)
class LinkProfile:
    """A link between driver and robot."""

    name: str = option(NONE, help='Name of the profile.')
    description: str = option('The link as it is.', help='One sentence.')
    to_robot: Direction = Direction()
    to_driver: Direction = Direction()
    video: VideoLimits = VideoLimits()
    ordered: bool = option(
        True, help='Messages arrive in order, as over TCP; false: as jitter has it.'
    )
    retransmit: float = option(
        0.2, unit='s', low=0, high=3,
        help='A lost message comes so much later, as over TCP; 0: it never comes.',
    )
    max_age: float = option(
        REFERENCE_AGE, unit='s', low=0.1, high=3, help='Older commands are dropped.'
    )
    v_max: float = option(5.0, unit='m/s', low=0.05, high=5, help='Top speed over this link.')

    def __post_init__(self) -> None:
        check(self, source=f'link {self.name}')

    @property
    def speed_cap(self) -> float:
        """Top speed, m/s: a longer age allowed costs speed in proportion.

        The way driven while a command grows old stays what it is at `REFERENCE_AGE`.
        """
        return self.v_max * min(1.0, REFERENCE_AGE / self.max_age)

    @property
    def transparent(self) -> bool:
        """Whether messages pass as they are."""
        return self.to_robot == Direction() and self.to_driver == Direction()


def load_link(name: str | Path) -> LinkProfile:
    """Load a profile by name from ``config/teleop/links`` or by path; `none` is built in.

    Raises:
        ConfigError: Missing, or breaks a rule.
    """
    if str(name) == NONE:
        return LinkProfile()
    path = Path(name)
    if path.suffix not in ('.yaml', '.yml'):
        path = find_config(f'teleop/links/{name}.yaml')
    return from_yaml(LinkProfile, path)
