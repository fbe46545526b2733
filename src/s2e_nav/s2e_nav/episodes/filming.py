"""The film of an episode, made from what goes over the topics."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from navbench_gs.report.film import EpisodeFilm
from s2e_core.camera import CameraModel
from s2e_core.contract import PolicyOutput
from s2e_core.records import CameraFrame, Odometry
from s2e_core.robot import RobotProfile
from s2e_nav.odometry_buffer import OdometryBuffer

PENDING = 200
"""Images that may wait for their modes and odometry; 10 to 60 KB each."""
ODOMETRY_HORIZON_NS = 120_000_000_000
"""Odometry arrives on another topic and may be far ahead of images that wait to be drawn."""


class TopicFilm:
    """Pairs images with the modes of the same stamp and draws them."""

    def __init__(self, folder: Path, robot: RobotProfile, width: int) -> None:
        """Prepare.

        Args:
            folder: The run's folder.
            robot: Camera place and width.
            width: Width of the films, pixels.
        """
        self._folder, self._robot, self._width = folder, robot, width
        self._camera: CameraModel | None = None
        self._film: EpisodeFilm | None = None
        self._odometry = OdometryBuffer(ODOMETRY_HORIZON_NS)
        self._images: dict[int, Callable[[], CameraFrame]] = {}
        self._modes: dict[int, tuple[PolicyOutput | None, int | None]] = {}
        self._goal: np.ndarray | None = None
        self._drawn_ns = 0
        self._title, self._name, self._base = '', '', 0

    def set_camera(self, camera: CameraModel) -> None:
        """Take the intrinsics of the images."""
        self._camera = camera

    def begin(self, name: str, title: str, goal: np.ndarray, base_ns: int) -> None:
        """Begin an episode.

        Args:
            name: Name of the file.
            title: First line of the caption.
            goal: Odom frame, metres. [2]
            base_ns: Stamp of the beginning, nanoseconds.
        """
        self.end()
        self._name, self._title, self._goal, self._base = name, title, goal, base_ns

    def add_odometry(self, odometry: Odometry) -> None:
        """Take odometry, for the caption."""
        self._odometry.add(odometry)

    def add_image(self, stamp_ns: int, decode: Callable[[], CameraFrame]) -> None:
        """Take an image; it is drawn once its modes and odometry are there."""
        if self._goal is None or stamp_ns < self._base:
            return
        self._images[stamp_ns] = decode
        self._draw_complete()

    def add_modes(self, output: PolicyOutput, chosen: int | None) -> None:
        """Take modes."""
        if output.stamp_ns >= self._base:
            self._modes[output.stamp_ns] = output, chosen
            self._draw_complete()

    def add_standstill(self, stamp_ns: int) -> None:
        """Take the word that no modes will come for an image: the policy was not asked."""
        if stamp_ns >= self._base and stamp_ns not in self._modes and stamp_ns > self._drawn_ns:
            self._modes[stamp_ns] = None, None
            self._draw_complete()

    def is_complete(self, image_ns: int) -> bool:
        """Whether the image of this stamp, the episode's last, is in the film."""
        return self._drawn_ns >= image_ns

    def end(self) -> None:
        """Draw what waits and close the file."""
        for stamp in list(self._images):
            self._draw(stamp)
        self._modes.clear()
        self._goal = None
        film, self._film = self._film, None
        if film is not None:
            film.close()

    def _draw_complete(self) -> None:
        """Draw, in order, images that have all they will get."""
        newest = max(self._modes, default=0)
        for stamp in sorted(self._images):
            crowded = len(self._images) > PENDING
            # Images of an idle policy have no modes; later modes say that none will come.
            complete = newest >= stamp and self._odometry.covers(stamp)
            if not complete and not crowded:
                return
            self._draw(stamp)

    def _draw(self, stamp: int) -> None:
        frame = self._images.pop(stamp)()
        output, chosen = self._modes.pop(stamp, (None, None))
        self._drawn_ns = stamp
        if self._camera is None:
            return
        if self._film is None:
            self._film = EpisodeFilm(
                self._folder / 'films' / f'{self._name}.mp4', self._camera,
                self._robot.camera.mount(), width=self._width, robot_width=self._robot.width,
                stills=self._folder / 'stills',
            )
        self._film.add(frame, output, chosen, self._caption(stamp))

    def _caption(self, stamp: int) -> dict[str, object]:
        caption: dict[str, object] = {'title': self._title, 'time': (stamp - self._base) * 1e-9}
        odometry = self._odometry.at(stamp, 200_000_000)
        if odometry is not None and self._goal is not None:
            goal = odometry.pose.inverse().transform(self._goal)
            caption.update(
                speed=odometry.v, distance=float(np.hypot(*goal)), goal=goal,
                bearing=math.atan2(goal[1], goal[0]),
            )
        return caption
