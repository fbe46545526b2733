"""What a user says about a recording that does not say it itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.config import check, option
from s2e_core.errors import ConfigError

Format = Literal['auto', 'rosbag', 'gnm', 'kitti', 'tum', 'colmap', 'video', 'donkeycar']
FORMATS: tuple[Format, ...] = (
    'auto', 'rosbag', 'gnm', 'kitti', 'tum', 'colmap', 'video', 'donkeycar',
)
Body = Literal['camera', 'base']
BODIES: tuple[Body, ...] = ('camera', 'base')


@dataclass(frozen=True)
class SourceOptions:
    """Facts about a source; all optional, and what the source says itself comes second."""

    format: Format = option('auto', choices=FORMATS, help='Format; found out when auto.')
    camera: CameraModel | None = option(None, help='Intrinsics.')
    hfov: float | None = option(
        None, unit='deg', low=10, high=170, help='Field of view of a pinhole, without camera.'
    )
    mount: CameraMount | None = option(None, help='Where the camera sits on base_link.')
    licence: str = option('', help='Licence of the images.')
    rate: float | None = option(
        None, unit='Hz', low=0.01, high=1000, help='Images per second, where stamps are absent.'
    )
    speed: float | None = option(
        None, unit='m/s', low=0.01, high=50,
        help='Speed that is assumed where neither stamps nor rate are known.',
    )
    poses: str = option('', help='Pose file (TUM or KITTI form), instead of the usual place.')
    body: Body = option('camera', choices=BODIES, help='What the pose file holds poses of.')
    scale: float = option(1.0, low=1e-6, high=1e6, help='Metres per unit of the poses.')
    offset: float = option(
        0.0, unit='s', low=-1e10, high=1e10, help='Added to the stamps of the pose file.'
    )
    image_topic: str = option('', help='Topic of the images; the only one when left out.')
    pose_source: str = option(
        '', help="Topic of the odometry, or 'tf'; the first odometry, else TF, when left out."
    )
    base_frame: str = option('base_link', help="Frame of the robot's body in TF.")
    world_frame: str = option('', help='Frame the poses are in; odom, else map, when left out.')
    wheelbase: float = option(0.25, unit='m', low=0.01, high=10, help='Of a car without poses.')
    steering: float = option(
        23.0, unit='deg', low=-80, high=80,
        help='Wheel angle to the right at full steering; negative when +1 steers left.',
    )
    full_speed: float = option(
        1.5, unit='m/s', low=0.01, high=50, help='Speed at full throttle of a car without poses.'
    )

    def __post_init__(self) -> None:
        check(self, source='source')
        if self.camera is not None and self.hfov is not None:
            raise ConfigError('source: give camera or hfov, not both')

    def camera_for(self, width: int, height: int, own: CameraModel | None) -> CameraModel | None:
        """Choose the intrinsics: the user's, scaled to the image's size, else the source's own.

        Raises:
            ConfigError: The user's camera has another aspect ratio than the images.
        """
        if self.hfov is not None:
            return CameraModel.from_fov(width, height, math.radians(self.hfov))
        if self.camera is None:
            return own
        given = self.camera
        if (given.width, given.height) == (width, height):
            return given
        if abs(given.width * height - given.height * width) > max(given.width, width):
            raise ConfigError(
                f'source: camera is {given.width}x{given.height}, but the images are '
                f'{width}x{height}, which is no scaled form of it'
            )
        return given.scaled(width, height)

    def path(self) -> Path | None:
        """Return the pose file, or None."""
        return Path(self.poses).expanduser() if self.poses else None


def plain(options: SourceOptions) -> dict[str, Any]:
    """Return what differs from the defaults, for provenance."""
    default = SourceOptions()
    names = (
        'rate', 'speed', 'scale', 'offset', 'image_topic', 'pose_source', 'body', 'hfov',
    )
    return {
        name: getattr(options, name) for name in names
        if getattr(options, name) != getattr(default, name)
    }
