"""Camera side of the policy node: newest image, its camera, the odometry that goes with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from s2e_core.camera import CameraModel, CameraMount, Unseen
from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.records import CameraFrame, Odometry
from s2e_core.reprojection import Reprojector
from s2e_nav.errors import InputError
from s2e_nav.odometry_buffer import OdometryBuffer

STAMP_SLACK_NS = 15_000_000
"""Cameras jitter: a 15 Hz image that comes 15 ms early still opens the next period."""
ODOMETRY_SLACK_NS = 100_000_000
"""Two periods of 20 Hz odometry: older odometry does not say where the image was taken."""


@dataclass(frozen=True)
class Sample:
    """An image in the policy camera's view and the odometry of its time."""

    frame: CameraFrame
    odometry: Odometry
    timing: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage so far: waiting for the thread, decoding, the policy's view."""


class Intake:
    """A slot for the newest image; whoever takes it never sees an older one again.

    Nothing is decoded before it is taken: a decoder comes with the message. It may use the same
    memory each time.
    """

    def __init__(
        self, target: CameraModel, lockstep: bool,
        mounts: tuple[CameraMount, CameraMount] | None = None, coverage: float = 0.5,
        unseen: Unseen = 'black',
    ) -> None:
        """Start empty.

        Args:
            target: The policy's camera.
            lockstep: Take odometry of the very stamp only, however long it takes to come.
            mounts: Places of the robot's and the policy's camera, where they differ.
            coverage: Least share of the policy's view that a camera must see.
            unseen: What the rest of it shows.
        """
        self._target, self._lockstep, self._mounts = target, lockstep, mounts
        self._least, self._unseen = coverage, unseen
        self._condition = threading.Condition()
        self._slot: tuple[int, Callable[[], CameraFrame]] | None = None
        self._offered = 0.0
        self._last_taken: int | None = None
        self._camera: CameraModel | None = None
        self._reprojector: Reprojector | None = None
        self._odometry = OdometryBuffer()
        self._closed = False
        self.dropped = 0
        """Images that a newer one replaced before they were taken."""

    def close(self) -> None:
        """Wake whoever waits, with nothing."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def clear(self) -> None:
        """Forget the image that waits."""
        with self._condition:
            self._slot = None

    def set_camera(self, camera: CameraModel) -> str | None:
        """Take the camera's intrinsics; return what is wrong with them for this policy."""
        with self._condition:
            if camera == self._camera:
                return None
            self._camera = camera
            self._reprojector = Reprojector(camera, self._target, self._mounts, self._unseen)
            coverage = self._reprojector.coverage
            self._condition.notify_all()
        if coverage < self._least:
            return (
                f'the camera sees {coverage:.0%} of the view the policy was trained for, which '
                f'needs {self._least:.0%}'
            )
        return None

    def add_odometry(self, odometry: Odometry) -> None:
        """Take odometry."""
        with self._condition:
            self._odometry.add(odometry)
            if self._slot is not None:
                self._condition.notify_all()

    def odometry_now(self) -> Odometry | None:
        """Return the newest odometry."""
        with self._condition:
            return self._odometry.newest

    def odometry_at(self, stamp_ns: int) -> Odometry | None:
        """Return odometry at a time of the last seconds, or else the newest."""
        with self._condition:
            return self._odometry.at(stamp_ns, ODOMETRY_SLACK_NS) or self._odometry.newest

    def offer(self, stamp_ns: int, decode: Callable[[], CameraFrame]) -> None:
        """Put an image into the slot if its time has come."""
        with self._condition:
            last = self._last_taken
            if last is not None and not self._lockstep:
                step = stamp_ns - last
                if 0 <= step < POLICY_PERIOD_NS - STAMP_SLACK_NS:
                    return
            if self._slot is not None:
                self.dropped += 1
            self._slot, self._offered = (stamp_ns, decode), time.perf_counter()
            self._condition.notify_all()

    def take(self, timeout: float) -> Sample | None:
        """Wait for the next image with its camera and odometry.

        Args:
            timeout: Seconds.

        Returns:
            The image in the policy camera's view, or None after the time or a close.

        Raises:
            InputError: No odometry is near the image.
            ConversionError: The image cannot be read.
            ContractError: It does not have the size that camera_info says.
        """
        with self._condition:
            ready = self._condition.wait_for(self._is_ready, timeout)
            if self._closed or not ready or self._slot is None:
                return None
            (stamp, decode), self._slot = self._slot, None
            times = [self._offered, time.perf_counter()]
            self._last_taken = stamp
            odometry = self._odometry.at(stamp, 0 if self._lockstep else ODOMETRY_SLACK_NS)
            reproject = self._reprojector
        if odometry is None or reproject is None:
            slack = ODOMETRY_SLACK_NS / 1e6
            raise InputError(f'no odometry within {slack:.0f} ms of the image')
        frame = decode()
        times.append(time.perf_counter())
        view = reproject(frame.rgb)
        # What the policy remembers must not lie in memory that the next image is decoded into.
        seen = CameraFrame(frame.stamp_ns, view.copy() if view is frame.rgb else view)
        times.append(time.perf_counter())
        spans = (after - before for before, after in pairwise(times))
        return Sample(seen, odometry, dict(zip(('wait', 'decode', 'preprocess'), spans,
                                               strict=True)))

    def _is_ready(self) -> bool:
        if self._closed:
            return True
        if self._slot is None or self._reprojector is None:
            return False
        if self._lockstep:
            return self._odometry.at(self._slot[0]) is not None
        return self._odometry.newest is not None
