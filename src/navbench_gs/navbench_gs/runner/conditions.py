"""What is worse than the protocol's ideal camera, link and goal, for studies of robustness."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.config import check, option
from s2e_core.gate_config import GateConfig
from s2e_core.obstacle_veto import SOURCES, ObstacleConfig


@dataclass(frozen=True)
class Conditions:
    """Differences from the protocol; the policy is told of none of them but the lens.

    Images of another lens are re-projected into the policy's view, as on a robot. So are those
    of the robot's camera mount; what `height` and `pitch` add to it is not known to anyone.
    """

    hfov: float = option(
        0.0, unit='deg', low=0, high=150, help="Horizontal field of view; 0 is the policy's own."
    )
    height: float = option(0.0, unit='m', low=-2, high=2, help='Camera higher by this.')
    pitch: float = option(0.0, unit='deg', low=-45, high=45, help='Camera looks down by this.')
    exposure: float = option(0.0, unit='EV', low=-6, high=6, help='Brightness factor 2^this.')
    blur: float = option(0.0, unit='px', low=0, high=20, help="Blur of the policy's image.")
    frame_drop: float = option(0.0, low=0, high=1, help='Share of images that never arrive.')
    latency: float = option(
        0.0, unit='s', low=0, high=2, help='Delay of commands on their way to the base.'
    )
    jitter: float = option(
        0.0, unit='s', low=0, high=2,
        help='More delay of each command: the size of a normal number with this deviation.',
    )
    command_loss: float = option(0.0, low=0, high=0.9, help='Share of commands that is lost.')
    retransmit: float = option(
        0.0, unit='s', low=0, high=3,
        help='A lost command comes so much later, and all behind it wait; 0: it never comes.',
    )
    goal_noise: float = option(
        0.0, unit='m', low=0, high=20, help='Standard deviation of the goal along each axis.'
    )

    gate_source: str = option(
        'none', choices=SOURCES,
        help='Where the gate knows free distance from; headline results have none.',
    )
    gate_cap: float = option(
        0.0, unit='m/s', low=0, high=5, help="Cap of the gate on autonomy; 0 is the protocol's."
    )

    def __post_init__(self) -> None:
        check(self, source='conditions')

    def gate(self) -> GateConfig:
        """Return the gate's settings."""
        obstacles = ObstacleConfig(source=self.gate_source)
        if not self.gate_cap:
            return GateConfig(obstacles=obstacles)
        return GateConfig(obstacles=obstacles, speed_cap=self.gate_cap)

    def changed(self) -> dict[str, Any]:
        """Return the fields that differ from none, for records of runs."""
        return {
            field.name: getattr(self, field.name) for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    @property
    def uneven(self) -> bool:
        """Whether commands arrive otherwise than all equally late."""
        return self.jitter > 0.0 or self.command_loss > 0.0

    def lens(self, camera: CameraModel) -> CameraModel:
        """Return the camera with this field of view and the same aspect."""
        if not self.hfov:
            return camera
        focal = 0.5 * camera.width / math.tan(0.5 * math.radians(self.hfov))
        return CameraModel(
            camera.width, camera.height, focal, focal * camera.fy / camera.fx, camera.cx,
            camera.cy,
        )

    def place(self, mount: CameraMount) -> CameraMount:
        """Return the camera's true place on the robot."""
        return CameraMount(
            mount.x, mount.y, mount.z + self.height, mount.pitch + math.radians(self.pitch)
        )

    def goal_offset(self, spec: EpisodeSpec) -> NDArray[np.float64]:
        """Return how far off the goal is said to be, odom, metres; the same in each run. [2]"""
        rng = np.random.default_rng(np.random.SeedSequence([spec.seed, 0x60A1]))
        return self.goal_noise * rng.standard_normal(2)
