"""What is replayed: the images of a recording at the policy's rate, with pose and goal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.contract import POLICY_PERIOD_NS, WAYPOINT_DT, WAYPOINTS
from s2e_core.records import Odometry

SLACK_NS = 15_000_000
"""A camera of 10 Hz jitters; an image that is this much early still counts as the next."""
Loader = Callable[[Sequence[int]], Iterator[tuple[int, np.ndarray]]]


class Way(Protocol):
    """Poses of base_link over time."""

    def at(self, stamps_ns: np.ndarray) -> np.ndarray:
        """x, y, yaw in a level world. [N] -> [N, 3]"""

    def covers(self, stamps_ns: np.ndarray) -> np.ndarray:
        """Whether each time lies within it. [N] bool"""

    def odometry(self, stamp_ns: int) -> Odometry:
        """Pose and velocity at one time."""


class Footage(Protocol):
    """A recording; `s2e_training.data.sources` reads them."""

    @property
    def name(self) -> str:
        """Name of the file or folder."""

    @property
    def kind(self) -> str:
        """Format."""

    @property
    def stamps_ns(self) -> np.ndarray:
        """Of every image. [N] int64"""

    @property
    def load(self) -> Loader:
        """Decodes images by rising index."""

    @property
    def camera(self) -> CameraModel | None:
        """Intrinsics, where they are known."""

    @property
    def mount(self) -> CameraMount | None:
        """The camera's place, where it is known."""

    @property
    def track(self) -> Way | None:
        """Poses, where they are known."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader assumed."""


@dataclass(frozen=True)
class Look:
    """One image of the replay."""

    index: int
    """Of the image in the recording."""
    stamp_ns: int
    rgb: np.ndarray
    """[H, W, 3] uint8"""
    decode_ms: float
    """Time to read it."""
    ahead: np.ndarray | None
    """The image some seconds later, for policies that drive to a picture. [H, W, 3] uint8"""


def pick(stamps_ns: np.ndarray, seconds: float = 0.0) -> np.ndarray:
    """Choose images at most once a policy period; stamps that step back are left out.

    Args:
        stamps_ns: Of every image. [N]
        seconds: Length of the replay; all when 0.

    Returns:
        Rising indices. [K]
    """
    chosen: list[int] = []
    for index, stamp in enumerate(stamps_ns):
        if chosen:
            if stamp - stamps_ns[chosen[-1]] < POLICY_PERIOD_NS - SLACK_NS:
                continue
            if seconds and stamp - stamps_ns[chosen[0]] > seconds * 1e9:
                break
        chosen.append(index)
    return np.array(chosen, np.int64)


def looks(
    footage: Footage, indices: np.ndarray, ahead: float | None, clock: Callable[[], float]
) -> Iterator[Look]:
    """Decode the chosen images in order.

    Args:
        footage: The recording.
        indices: From `pick`.
        ahead: Seconds to the image that is given along as goal; None for none.
        clock: Seconds.
    """
    later = _Later(footage, indices, ahead) if ahead is not None else None
    images = iter(footage.load([int(i) for i in indices]))
    while True:
        begin = clock()
        try:
            index, rgb = next(images)
        except StopIteration:
            return
        spent = 1e3 * (clock() - begin)
        goal = None if later is None else later.image(index)
        yield Look(index, int(footage.stamps_ns[index]), rgb, spent, goal)


def truth(way: Way, stamp_ns: int) -> np.ndarray | None:
    """Return where the robot really went: our waypoints, base_link, metres. [10, 2]

    None where the poses end within the next 2 s.
    """
    step = round(WAYPOINT_DT * 1e9)
    stamps = stamp_ns + step * np.arange(WAYPOINTS + 1, dtype=np.int64)
    if not way.covers(stamps).all():
        return None
    here = way.odometry(stamp_ns).pose
    return here.inverse().transform(way.at(stamps[1:])[:, :2])


def wall() -> float:
    """Seconds on a clock that never steps."""
    return time.perf_counter()


class _Later:
    """Images some seconds on, decoded once each by a second pass."""

    def __init__(self, footage: Footage, indices: np.ndarray, seconds: float) -> None:
        stamps = footage.stamps_ns[indices]
        place = np.searchsorted(stamps, stamps + round(seconds * 1e9)).clip(max=len(stamps) - 1)
        self._wanted = {int(i): int(indices[p]) for i, p in zip(indices, place, strict=True)}
        self._images = iter(footage.load(sorted(set(self._wanted.values()))))
        self._newest: tuple[int, np.ndarray] | None = None

    def image(self, index: int) -> np.ndarray | None:
        """Return the image that lies ahead of this one."""
        wanted = self._wanted[index]
        while self._newest is None or self._newest[0] < wanted:
            found = next(self._images, None)
            if found is None:
                break
            self._newest = found
        return None if self._newest is None else self._newest[1]
