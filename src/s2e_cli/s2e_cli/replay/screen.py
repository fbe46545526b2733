"""The film of a replay: the camera, what the policy proposed, and a view from above."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from navbench_gs.report.film import EpisodeFilm
from navbench_gs.report.topview import draw_topview
from s2e_cli.replay.player import Step
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.records import CameraFrame
from s2e_core.reprojection import Reprojector

FPS = round(1e9 / POLICY_PERIOD_NS)
WIDEST = 16 / 9
"""Flatter pictures get a floor below."""
FLOOR = (22, 27, 34)
"""Its colour."""


def film_rate(stamps_ns: np.ndarray) -> int:
    """Frames per second that play the images in real time; photos far apart, one a second."""
    steps = np.diff(stamps_ns)
    return FPS if not len(steps) else int(np.clip(round(1e9 / float(np.median(steps))), 1, FPS))


class Screen:
    """Draws steps into a film."""

    def __init__(
        self, path: Path, camera: CameraModel, mount: CameraMount, title: str, width: int,
        fps: int = FPS,
    ) -> None:
        """Open the film.

        Args:
            path: The film; stills go to `stills/` beside it.
            camera: Of the images; distortion is taken out before they are drawn.
            mount: Where the camera sat.
            title: Written into each picture.
            width: Of the film, pixels.
            fps: Frames per second.
        """
        straight = replace(camera, model='pinhole', distortion=())
        self._straighten = Reprojector(camera, straight)
        # A flat picture does not show the ground where the next 2 s lie: from 1.65 m up, with
        # KITTI's 29 degrees, it begins 5 m ahead. A dark floor below it has room for the lines.
        self._height = max(camera.height, round(camera.width * camera.fy / camera.fx / WIDEST))
        straight = replace(straight, height=self._height)
        self._title, self._inset = title, round(width * 0.22)
        self._film = EpisodeFilm(
            path, straight, mount, fps, width=width, stills=path.parent / 'stills'
        )
        self._first: int | None = None

    def add(self, step: Step) -> None:
        """Add one step."""
        stamp = step.look.stamp_ns
        self._first = stamp if self._first is None else self._first
        caption: dict[str, Any] = {
            'title': self._title, 'time': (stamp - self._first) / 1e9, 'status': _status(step),
            'inset': draw_topview(step.output, step.top, step.goal, step.truth, self._inset),
            'truth': step.truth,
        }
        if step.odometry is not None:
            caption['speed'] = step.odometry.v
        if step.goal is not None:
            caption['goal'] = step.goal
            caption['distance'] = float(np.hypot(*step.goal))
            caption['bearing'] = math.atan2(step.goal[1], step.goal[0])
        picture = np.empty((self._height, step.look.rgb.shape[1], 3), np.uint8)
        picture[:] = FLOOR
        picture[:step.look.rgb.shape[0]] = self._straighten(step.look.rgb)
        frame = CameraFrame(stamp, picture)
        self._film.add(frame, step.output, step.top, caption)

    def close(self) -> None:
        """Finish the film."""
        self._film.close()


def _status(step: Step) -> str:
    words = [f'{key} {value:.1f}' for key, value in step.notes.items()]
    if step.errors:
        words.insert(0, f'off by {step.errors["fde_1.0"]:.1f} m after 1 s')
    return '   '.join(words)
