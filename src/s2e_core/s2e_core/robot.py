"""Robot profiles: one YAML feeds physics, follower, gate and launch."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from s2e_core.camera import CameraModel, CameraMount
from s2e_core.config import check, from_yaml, option
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config, resource_roots

TOPIC = re.compile(r'[~/]?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')
ROUND_SLACK = 0.02
"""Metres by which length and width of a round robot differ at most: its bumper."""


@dataclass(frozen=True)
class CameraOptions:
    """The robot's forward camera."""

    x: float = option(0.3, unit='m', low=-5, high=5, help='Ahead of base_link.')
    y: float = option(0.0, unit='m', low=-5, high=5, help='To the left of base_link.')
    z: float = option(0.6, unit='m', low=0.02, high=5, help='Above the floor.')
    pitch: float = option(0.1, unit='rad', low=-1.2, high=1.2, help='Positive looks down.')
    width: int = option(320, unit='px', low=32, high=4096, help='Image width.')
    height: int = option(240, unit='px', low=32, high=4096, help='Image height.')
    hfov: float = option(
        1.5707963, unit='rad', low=0.3, high=2.8, help='Horizontal field of view.'
    )

    def model(self) -> CameraModel:
        """Return the pinhole intrinsics."""
        return CameraModel.from_fov(self.width, self.height, self.hfov)

    def mount(self) -> CameraMount:
        """Return the camera's place on the robot."""
        return CameraMount(self.x, self.y, self.z, self.pitch)


@dataclass(frozen=True)
class TopicOptions:
    """Where the robot's drivers speak and listen; a launch argument of the same name wins."""

    image: str = option('camera/image_raw', help='Raw images.')
    image_compressed: str = option('camera/image_raw/compressed', help='Compressed images.')
    camera_info: str = option('camera/camera_info', help='Intrinsics.')
    odom: str = option('odom', help='Odometry.')
    cmd_vel: str = option('cmd_vel', help='Velocity to the base.')
    scan: str = option('scan', help='Range scanner.')
    depth: str = option('depth/image_raw', help='Depth images, rectified.')
    depth_info: str = option('depth/camera_info', help='Their intrinsics.')

    def __post_init__(self) -> None:
        for name, topic in vars(self).items():
            if not TOPIC.fullmatch(topic):
                raise ConfigError(f'topics: {name} must be the name of a topic, got {topic!r}')


@dataclass(frozen=True)
class RobotProfile:
    """Shape, limits and camera of a robot; the lower of bundle and robot limits wins."""

    name: str = option(help='Name of the robot.')
    kinematics: str = option(
        choices=('differential', 'car', 'holonomic', 'legged'), help='How it moves.'
    )
    length: float = option(
        unit='m', low=0.05, high=5, help='Footprint along x, centred on base_link.'
    )
    width: float = option(unit='m', low=0.05, high=5, help='Footprint along y.')
    height: float = option(unit='m', low=0.05, high=3, help='Highest point above the floor.')
    mass: float = option(unit='kg', low=0.1, high=2000, help='Mass with load.')
    wheel_radius: float = option(
        unit='m', low=0, high=1, help='Driven wheels; 0 on legs.'
    )
    track: float = option(
        unit='m', low=0, high=5, help='Distance between left and right wheels; 0 on legs.'
    )
    v_max: float = option(
        unit='m/s', low=0.05, high=5, help='Top speed; the benchmark caps at 1.5.'
    )
    w_max: float = option(unit='rad/s', low=0.05, high=6, help='Top yaw rate.')
    vy_max: float = option(
        0.0, unit='m/s', low=0, high=5, help='Top speed to either side; 0 unless holonomic.'
    )
    wheelbase: float = option(
        0.0, unit='m', low=0, high=5, help='Axle distance of a car-like base.'
    )
    a_max: float = option(1.0, unit='m/s^2', low=0.05, high=10, help='Speeding up.')
    stop_deceleration: float = option(2.0, unit='m/s^2', low=0.2, high=10, help='Stop ramp.')
    w_acceleration: float = option(3.0, unit='rad/s^2', low=0.1, high=50, help='Yaw acceleration.')
    footprint: str = option(
        'box', choices=('box', 'circle'),
        help='Shape seen from above; a circle sweeps nothing when it turns.',
    )
    min_turn_radius: float = option(0.0, unit='m', low=0, high=20, help='0 turns on the spot.')
    base_timeout: float | None = option(
        None,
        unit='s',
        low=0.01,
        high=5,
        help='Time after which the base stops by itself; unmeasured caps speed at 0.3 m/s.',
    )
    twist_stamped: bool = option(True, help='Whether the base takes TwistStamped.')
    camera: CameraOptions = CameraOptions()
    topics: TopicOptions = TopicOptions()

    def __post_init__(self) -> None:
        check(self, source=f'robot {self.name}')
        if self.kinematics != 'legged' and (self.wheel_radius < 0.01 or self.track < 0.05):
            raise ConfigError(
                f'robot {self.name}: wheels need wheel_radius of 0.01 m and track of 0.05 m or '
                f'more, got {self.wheel_radius} and {self.track}'
            )
        if (self.kinematics == 'holonomic') != (self.vy_max > 0):
            raise ConfigError(
                f'robot {self.name}: a holonomic base needs vy_max above 0 and no other has one, '
                f'got {self.kinematics} and {self.vy_max}'
            )
        if self.kinematics == 'holonomic' and self.min_turn_radius > 0:
            raise ConfigError(
                f'robot {self.name}: a holonomic base turns on the spot, got min_turn_radius '
                f'{self.min_turn_radius}'
            )
        if self.footprint == 'circle' and abs(self.length - self.width) > ROUND_SLACK:
            raise ConfigError(
                f'robot {self.name}: a circle is as long as wide, to {ROUND_SLACK:g} m, got '
                f'{self.length} and {self.width}'
            )
        if self.kinematics == 'car' and (self.wheelbase <= 0 or self.min_turn_radius <= 0):
            raise ConfigError(
                f'robot {self.name}: a car needs wheelbase and min_turn_radius above 0, got '
                f'{self.wheelbase} and {self.min_turn_radius}'
            )

    @property
    def locomotion(self) -> str:
        """How the benchmark moves it, for reports."""
        return {
            'legged': 'learned gait in physics',
            'holonomic': 'velocity tracking in physics',
        }.get(self.kinematics, 'wheels in physics')

    @property
    def radius(self) -> float:
        """Radius of the footprint's circumscribed circle, metres."""
        return math.hypot(self.length, self.width) / 2

    @property
    def swing(self) -> float:
        """How far corners reach beyond the sides in a turn on the spot, metres."""
        return 0.0 if self.footprint == 'circle' else self.radius - self.width / 2

    @property
    def tail(self) -> float:
        """How far the tail swings out at the start of the tightest forward curve, metres.

        A curve of which no part goes back: around a point beside the body or farther out.
        """
        return self.tail_swing(max(self.min_turn_radius, self.half_width))

    def tail_swing(self, radius: float) -> float:
        """Return how far the rear outer corner leaves the side's straight way in a curve, metres.

        It goes round on a circle of hypot(R + b, r), with b half the width and r from the axle
        that does not steer (base_link, if all wheels turn alike) to the tail.

        Args:
            radius: R, of the way of that axle's middle, metres.
        """
        if self.footprint == 'circle':
            return 0.0
        side = radius + self.half_width
        return math.hypot(side, self.length / 2 - self.axle) - side

    @property
    def axle(self) -> float:
        """How far behind base_link the point lies that moves straight ahead in a curve, metres."""
        return self.wheelbase / 2 if self.kinematics == 'car' else 0.0

    @property
    def half_width(self) -> float:
        """Half the footprint's width: what a straight corridor must clear, metres."""
        return self.width / 2

    @property
    def max_curvature(self) -> float:
        """Tightest curve, 1/m; infinite for a base that turns on the spot."""
        return math.inf if self.min_turn_radius == 0 else 1.0 / self.min_turn_radius


def robot_files() -> list[Path]:
    """Return the installed profiles by name; the best place wins where several hold one."""
    found: dict[str, Path] = {}
    for root in resource_roots():
        for path in (root / 'config' / 'robots').glob('*.yaml'):
            found.setdefault(path.stem, path)
    return [found[name] for name in sorted(found)]


def load_robot(name: str | Path) -> RobotProfile:
    """Load a profile by name from ``config/robots`` or by path.

    Raises:
        ConfigError: Missing, or breaks a rule.
    """
    path = Path(name)
    if path.suffix not in ('.yaml', '.yml'):
        path = find_config(f'robots/{name}.yaml')
    return from_yaml(RobotProfile, path)
