"""How long after an image the base is told what it led to, measured where the command leaves."""

from __future__ import annotations

import threading

from s2e_nav.runtime.stages import StageTimes

REMEMBERED = 64
"""Images whose time is kept until their plan comes: two seconds of a camera of 30 Hz."""


class CommandLatency:
    """Follows images from their stamps to the first command that was made from their plans.

    All times are of the steady clock, to which the gate moves stamps as they arrive: with
    camera_info, which comes before the image, and so before anything is waited for.
    """

    def __init__(self) -> None:
        """Start without an image."""
        self._lock = threading.Lock()
        self._images: dict[int, int] = {}
        self._plan: tuple[int, int] | None = None
        self._answered = False
        self._times = StageTimes()

    def camera(self, stamp_ns: int, local_ns: int) -> None:
        """Take the stamp of an image, as the camera gave it and on the steady clock."""
        with self._lock:
            self._images[stamp_ns] = local_ns
            while len(self._images) > REMEMBERED:
                del self._images[next(iter(self._images))]

    def plan(self, stamp_ns: int, now_ns: int) -> None:
        """Take the news that the plan of an image came."""
        with self._lock:
            image = self._images.get(stamp_ns)
            self._plan = None if image is None else (image, now_ns)
            self._answered = False

    def command(self) -> None:
        """Take the news that the follower sent a velocity; the first after a plan is of it."""
        with self._lock:
            self._answered = self._plan is not None

    def sent(self, now_ns: int) -> None:
        """Take the news that a command of the follower's went to the base."""
        with self._lock:
            if self._plan is None or not self._answered:
                return
            image, plan = self._plan
            self._plan = None
            self._times.add({
                'image_to_plan': (plan - image) * 1e-9, 'plan_to_command': (now_ns - plan) * 1e-9,
            })

    def facts(self, now_ns: int) -> dict[str, str]:
        """Return percentiles of the newest 200 in milliseconds, as text; the sum is `latency`."""
        with self._lock:
            return self._times.facts(now_ns * 1e-9)
