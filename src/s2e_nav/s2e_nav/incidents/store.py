"""The folder of incidents: writes a file, keeps the newest, never fills the disk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rosbags.rosbag2.errors import WriterError

from s2e_nav.errors import NavError, StartError
from s2e_nav.incidents.ring import Sample
from s2e_nav.incidents.watch import Incident
from s2e_nav.recorded import RecordedTopic
from s2e_nav.recording import Recording

PATTERN = re.compile(r'incident-\d{8}T\d{6}Z-[a-z0-9_]{1,40}\.mcap')
RESERVE = 256 * 2**20
"""Bytes of the disk that are left to others."""


class IncidentError(NavError):
    """An incident could not be written; the text says why."""


class IncidentStore:
    """Files `incident-<UTC>-<reason>.mcap` in a folder."""

    def __init__(self, folder: Path, keep: int) -> None:
        """Name the folder.

        Args:
            folder: Where the files go; other files in it are left alone.
            keep: Files kept.
        """
        self.folder, self._keep = folder, keep

    def open(self) -> None:
        """Make the folder, and tidy what a killed process left half written.

        Raises:
            IncidentError: It cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob('.incident-*.mcap.partial'):
                shutil.rmtree(left, ignore_errors=True)
        except OSError as error:
            raise IncidentError(f'incidents {self.folder}: {error.strerror}') from error

    def files(self) -> list[Path]:
        """List the incidents, oldest first."""
        return sorted(path for path in self.folder.iterdir() if PATTERN.fullmatch(path.name))

    def write(
        self,
        incident: Incident,
        samples: Sequence[Sample],
        stamp_of: Callable[[int], int],
        full_name: Callable[[str], str],
    ) -> Path:
        """Write an incident; the file appears complete or not at all.

        Args:
            incident: Gives the name.
            samples: In the order of their arrival.
            stamp_of: From the steady clock to the time in the file, nanoseconds.
            full_name: From a topic's name in the node to the one in the graph.

        Raises:
            IncidentError: The disk is full, gone or read-only.
        """
        target = self.folder / file_name(incident)
        partial = self.folder / f'.{target.name}.partial'
        try:
            self._make_room(sum(sample.size for sample in samples))
            if target.exists():
                raise IncidentError(f'incidents {target}: exists already')
            fill(partial, samples, stamp_of, full_name)
            next(partial.glob('*.mcap')).replace(target)
        except (OSError, WriterError, StartError) as error:
            raise IncidentError(f'incidents {self.folder}: {error}') from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    def _make_room(self, size: int) -> None:
        files = self.files()
        for path in files[: max(0, len(files) + 1 - self._keep)]:
            path.unlink()
        free = shutil.disk_usage(self.folder).free
        if free < size + RESERVE:
            raise IncidentError(
                f'incidents {self.folder}: {size >> 20} MB and {RESERVE >> 20} MB of reserve do '
                f'not fit into {free >> 20} MB'
            )


def file_name(incident: Incident) -> str:
    """Return the name; the reason comes from a topic and may be anything."""
    reason = re.sub(r'[^a-z0-9_]+', '_', incident.reason.lower())[:40] or 'unknown'
    return f'incident-{incident.utc:%Y%m%dT%H%M%SZ}-{reason}.mcap'


def fill(
    folder: Path,
    samples: Sequence[Sample],
    stamp_of: Callable[[int], int],
    full_name: Callable[[str], str],
) -> None:
    """Write samples as a rosbag2 folder.

    Raises:
        StartError: The folder cannot be made.
        OSError: The disk failed.
    """
    recording = Recording(folder)
    channels: dict[RecordedTopic, Any] = {}
    try:
        for sample in samples:
            topic = sample.topic
            if topic not in channels:
                channels[topic] = recording.channel(
                    full_name(topic.name), topic.kind, topic.latched
                )
            recording.write(channels[topic], stamp_of(sample.steady_ns), sample.data)
        recording.close()
    except BaseException:
        recording.abort()
        raise
