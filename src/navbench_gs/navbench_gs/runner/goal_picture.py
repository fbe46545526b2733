"""The picture of the goal, for policies that drive to a picture instead of a point."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from navbench_gs.env.simulation import Simulation
from navbench_gs.runner.judge import goal_field
from navbench_gs.tasks.protocol import Protocol as Rules
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.camera import CameraModel
from s2e_core.se2 import Pose2

LAST_STRETCH = 1.0
"""Metres of the shortest way over which the heading of arrival is taken."""


def arrival(spec: EpisodeSpec, world: Simulation, protocol: Rules) -> Pose2:
    """Return the goal with the heading in which the shortest way reaches it, map <- base_link."""
    field = goal_field(spec, world.bundle, protocol, world.robot)
    way = field.path((spec.start.x, spec.start.y), step=0.1)
    far = np.hypot(*(way - spec.goal).T) >= LAST_STRETCH
    before = way[np.nonzero(far)[0][-1]] if far.any() else way[0]
    dx, dy = np.asarray(spec.goal) - before
    return Pose2(spec.goal[0], spec.goal[1], math.atan2(dy, dx))


def goal_picture(
    spec: EpisodeSpec, world: Simulation, protocol: Rules, camera: CameraModel
) -> NDArray[np.uint8]:
    """Draw what the camera would see at the goal, without people and obstacles.

    Args:
        spec: The episode.
        world: Its world, reset to it.
        protocol: The rules.
        camera: The policy's, a pinhole.

    Returns:
        RGB. [H, W, 3]
    """
    return world.picture(arrival(spec, world, protocol), camera).rgb
