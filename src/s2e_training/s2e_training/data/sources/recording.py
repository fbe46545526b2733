"""What every reader returns: an image sequence with stamps and, where they are known, poses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_training.data.sources.driving import Driving
from s2e_training.errors import TrainingError

Loader = Callable[[Sequence[int]], Iterator[tuple[int, np.ndarray]]]
"""Images by rising index: (index, RGB [H, W, 3] uint8); those that cannot be decoded are left
out."""


@dataclass(frozen=True)
class Track:
    """Planar poses of base_link in a level world, interpolated between them."""

    stamps_ns: np.ndarray
    """Strictly rising. [P] int64"""
    poses: np.ndarray
    """x, y (metres), yaw (radians, unwrapped). [P, 3] float64"""

    def __post_init__(self) -> None:
        if self.poses.shape != (len(self.stamps_ns), 3) or len(self.stamps_ns) < 2:
            raise TrainingError(
                f'a track needs 2 or more poses [P, 3], got {self.poses.shape} at '
                f'{len(self.stamps_ns)} stamps'
            )
        if not np.isfinite(self.poses).all():
            raise TrainingError('a track must be finite')
        if np.diff(self.stamps_ns).min() <= 0:
            raise TrainingError('the stamps of a track must rise')

    def at(self, stamps_ns: np.ndarray) -> np.ndarray:
        """Interpolate; beyond the ends the last pose stays. [N] -> [N, 3]"""
        # Nanoseconds since 1970 lose 100 ns as float64: count from the first pose.
        first = self.stamps_ns[0]
        known = (self.stamps_ns - first).astype(np.float64)
        asked = (np.asarray(stamps_ns, np.int64) - first).astype(np.float64)
        return np.stack([np.interp(asked, known, column) for column in self.poses.T], axis=-1)

    def velocity(self, stamps_ns: np.ndarray, half_ns: int = 100_000_000) -> np.ndarray:
        """Speed along the heading (m/s) and yaw rate (rad/s) by central difference. [N, 2]

        Args:
            stamps_ns: Times. [N]
            half_ns: Half of the span that is compared; 0.1 s averages over one policy period.
        """
        first, last = self.stamps_ns[0], self.stamps_ns[-1]
        before = np.clip(np.asarray(stamps_ns, np.int64) - half_ns, first, last)
        after = np.clip(np.asarray(stamps_ns, np.int64) + half_ns, first, last)
        a, b, here = self.at(before), self.at(after), self.at(stamps_ns)
        seconds = np.maximum((after - before) * 1e-9, 1e-3)
        forward = np.stack([np.cos(here[:, 2]), np.sin(here[:, 2])], axis=-1)
        v = ((b - a)[:, :2] * forward).sum(axis=1) / seconds
        return np.stack([v, (b[:, 2] - a[:, 2]) / seconds], axis=-1)

    def covers(self, stamps_ns: np.ndarray) -> np.ndarray:
        """Whether each time lies within the track. [N] bool"""
        stamps = np.asarray(stamps_ns, np.int64)
        return (stamps >= self.stamps_ns[0]) & (stamps <= self.stamps_ns[-1])

    def odometry(self, stamp_ns: int) -> Odometry:
        """Return pose and velocity at one time."""
        at = np.array([stamp_ns], np.int64)
        (x, y, yaw), (v, w) = self.at(at)[0], self.velocity(at)[0]
        return Odometry(stamp_ns, Pose2(float(x), float(y), float(yaw)), float(v), float(w))


@dataclass(frozen=True)
class Recording:
    """One continuous recording; images are decoded only when they are asked for."""

    name: str
    """Name of the file or folder, without its path."""
    kind: str
    """Format, such as `rosbag`."""
    stamps_ns: np.ndarray
    """Of every image, in the order of the file; may step back in a bad file. [N] int64"""
    load: Loader
    """Decodes images by rising index."""
    camera: CameraModel | None = None
    """Intrinsics, where they are known."""
    mount: CameraMount | None = None
    """The camera's place on the robot, where it is known."""
    track: Track | None = None
    """Poses of base_link, where they are known."""
    licence: str = ''
    """Of the images; empty when it is unknown."""
    notes: tuple[str, ...] = ()
    """Assumptions made by the reader, in words."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """What to keep of the source: topics, scale, dead reckoning."""
    driving: Driving | None = None
    """What a person did, where it was recorded."""

    def __len__(self) -> int:
        """Count the images."""
        return len(self.stamps_ns)

    def frames(self) -> Iterator[CameraFrame]:
        """Decode every image in the order of the file; broken ones are left out."""
        for index, rgb in self.load(range(len(self))):
            yield CameraFrame(int(self.stamps_ns[index]), rgb)

    def with_notes(self, *notes: str) -> Recording:
        """Return the recording with more notes."""
        return replace(self, notes=(*self.notes, *notes))
