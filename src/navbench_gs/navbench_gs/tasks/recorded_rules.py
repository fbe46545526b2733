"""The rules by which recorded people take the place of drawn ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from navbench_gs.errors import TaskError
from s2e_core.config import check, option

if TYPE_CHECKING:
    from navbench_gs.tasks.recording import Recording


@dataclass(frozen=True)
class RecordedRules:
    """Which recording is played in the tasks with people, and how it is put into a scene."""

    tracks: str = option(
        '', help='File of recorded tracks; none: people are drawn by the rules of `people`. '
        '$NAME is taken from the environment.'
    )
    digest: str = option(
        '', help='sha256 of the file: found when the protocol is loaded, held against the file '
        'where it is given.'
    )
    fps: float = option(
        0.0, unit='Hz', low=0, high=1000, help='Frames per second; 0: told from the file.'
    )
    scale: float = option(1.0, unit='m', low=1e-4, high=1e4, help='Metres per unit of the file.')
    most: int = option(40, low=0, high=500, help='Only so many, those who come nearest the route.')
    draws: int = option(48, low=1, high=10000, help='Placements tried.')
    free_share: float = option(
        0.5, low=0, high=1, help='Least part of the track length that lies on free ground.'
    )
    off_route: float = option(
        2.0, unit='m', low=0, high=50, help='Nobody appears or vanishes nearer to the route.'
    )
    shortest: float = option(
        3.0, unit='s', low=0.8, high=600, help='Pieces of tracks shorter than this are left out.'
    )

    def __post_init__(self) -> None:
        check(self, source='recorded')

    def pinned(self, folder: Path) -> RecordedRules:
        """Return the rules with the file's full path and digest; the file is read.

        Args:
            folder: Where a relative path begins; the working folder for one from the environment.

        Raises:
            TaskError: the file is absent, is another one than the digest says or none of tracks,
                or a variable is not set.
        """
        from navbench_gs.tasks.recording import file_digest

        if not self.tracks:
            return self
        text = os.path.expandvars(self.tracks)
        if '$' in text or not text:
            raise TaskError(
                f'recorded: tracks {self.tracks!r} need a variable that is not set: name the '
                'file, such as --tracks FILE'
            )
        path = (Path() if '$' in self.tracks else folder) / Path(text).expanduser()
        found = file_digest(path)
        if self.digest and self.digest != found:
            raise TaskError(
                f'{path}: tracks must have the sha256 {self.digest[:12]}, got {found[:12]}'
            )
        pinned = replace(self, tracks=str(path.resolve()), digest=found)
        # Before anything is driven: its first episode with people may be hours away.
        pinned.recording()
        return pinned

    def recording(self) -> Recording:
        """Return the recording; kept between calls.

        Raises:
            TaskError: the rules are not `pinned`, or the file is not one of tracks.
        """
        from navbench_gs.tasks.recording import load_recording

        if not self.digest:
            raise TaskError('recorded: the digest of the tracks must be known: use load_protocol')
        return load_recording(self.tracks, self.digest, self.fps, self.scale)
