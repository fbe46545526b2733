"""What the importer may assume about a capture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from navbench_gs.errors import SceneError

Up = Literal['auto', '+z', '-z', '+y', '-y']
UPS = ('auto', '+z', '-z', '+y', '-y')
Point = tuple[float, float, float]


@dataclass(frozen=True)
class ImportOptions:
    """Settings of one import; the defaults suit a walk through a garden, street or flat.

    Raises:
        SceneError: a value is out of range.
    """

    up: Up = 'auto'
    """Axis of the capture that points up; auto asks where the largest floor lies."""
    scale: float | None = None
    """Metres per unit; without it, and without the two below, 1 is assumed and the bundle says
    that the scale is not known."""
    distance: tuple[Point, Point, float] | None = None
    """Two points of the capture and the metres between them."""
    camera_height: float | None = None
    """Metres over the ground at which the capture's photos were taken."""
    walked: float | None = None
    """Metres over the ground at which whoever walked held the camera: the ground below the photos
    is floor and free, see `walked.py`. With `camera_height` the same height may be given."""
    cameras: Path | None = None
    """Poses of the photos, for `camera_height` and `walked`; sought beside the capture when left
    out."""
    robot_radius: float = 0.3
    """Radius of the disc that must fit through, metres."""
    robot_height: float = 1.2
    """Height up to which things count as obstacles, metres."""
    step: float = 0.15
    """Height that wheels or grass may have over the floor, metres."""
    resolution: float = 0.1
    """Edge of a cell, metres."""
    gaussians: int | None = None
    """Level of detail: neighbours are merged until the picture has at most this many, the sky
    aside; floor and obstacles are always found in all of them. None keeps every one."""
    licence: str = 'unknown'
    """Licence of the capture, carried into the bundle."""
    source: str = ''
    """Where the capture comes from; the name of its file when empty."""

    def __post_init__(self) -> None:
        if self.up not in UPS:
            raise SceneError(f'up must be one of {UPS}, got {self.up!r}')
        ways = {'scale': self.scale, 'distance': self.distance,
                'camera height': self.camera_height}
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise SceneError(f'only one of scale, distance and camera height may be given, got '
                             f'{" and ".join(given)}')
        held = self.camera_height
        metres = 1.0 if self.distance is None else self.distance[2]
        bounds = {
            'distance': (metres, 0.01, 1e4),
            'camera height': (1.0 if held is None else held, 0.05, 100.0),
            'walked': (1.0 if self.walked is None else self.walked, 0.05, 100.0),
            'scale': (1.0 if self.scale is None else self.scale, 1e-3, 1e3),
            'robot_radius': (self.robot_radius, 0.05, 2.0),
            'robot_height': (self.robot_height, 0.2, 3.0),
            'step': (self.step, 0.02, 0.4),
            'resolution': (self.resolution, 0.05, 0.5),
            'gaussians': (1e6 if self.gaussians is None else self.gaussians, 1e3, 1e8),
        }
        for name, (value, low, high) in bounds.items():
            if not (np.isfinite(value) and low <= value <= high):
                raise SceneError(f'{name} must lie in {low}..{high}, got {value}')

    @property
    def metric(self) -> bool:
        """Whether a unit's length is known."""
        return any(x is not None for x in (self.scale, self.distance, self.camera_height))
