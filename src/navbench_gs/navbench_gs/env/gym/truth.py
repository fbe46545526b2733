"""What a critic may know in training: where the way, the things and the people truly are.

A value head that sees the state of the world predicts returns that no image tells, so that
advantages are less noisy (asymmetric actor-critic, Pinto et al., 2018). It is thrown away with
the training; the policy never sees these numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from s2e_core.se2 import Pose2

BEAMS, BEAM_REACH = 16, 8.0
"""Beams all around, and metres they reach; map, obstacles and people."""
PEOPLE = 4
"""Nearest people told of."""
TRUTH = 4 + BEAMS + 4 * PEOPLE
"""Numbers of a state."""
_FADE = 3.0
"""Metres over which nearness falls to 1/e."""


def world_truth(
    pose: Pose2, goal: tuple[float, float], left: float, seconds: float,
    beams: NDArray[np.floating], people: NDArray[np.float64], velocities: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return numbers of order one that say where a robot stands in its episode.

    Args:
        pose: map <- base_link.
        goal: In map, metres.
        left: Way left to the goal, metres; inf off the map.
        seconds: Time left.
        beams: Distances from base_link, -pi to pi, inf where nothing is near. [BEAMS] m
        people: x, y in map; NaN for who is not there. [P, 2 or more] m
        velocities: In map. [P, 2] m/s

    Returns:
        Way left in 10 m, goal in base_link in 10 m, time left in 10 s; exp(-d / 3 m) of each
        beam; for each of the nearest people their direction in base_link and velocity relative to
        the ground in base_link, all four times exp(-d / 3 m), zeros where there is nobody. [TRUTH]
    """
    result = np.zeros(TRUTH, np.float32)
    inverse = pose.inverse()
    straight = np.asarray(inverse.transform(np.array(goal)))
    way = left if math.isfinite(left) else float(np.hypot(*straight))
    result[:4] = way / 10.0, straight[0] / 10.0, straight[1] / 10.0, seconds / 10.0
    result[4 : 4 + BEAMS] = np.exp(-np.asarray(beams, np.float64) / _FADE)
    there = np.isfinite(people[:, 0]) if len(people) else np.zeros(0, bool)
    if there.any():
        rows = _people(pose, people[there, :2], velocities[there])
        result[4 + BEAMS : 4 + BEAMS + rows.size] = rows.ravel()
    return result


def _people(
    pose: Pose2, places: NDArray[np.float64], velocities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return direction and velocity of the nearest people, faded by distance. [<= PEOPLE, 4]"""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    turn = np.array([[c, -s], [s, c]])  # a row in map times this is a row in base_link
    offset = (places - (pose.x, pose.y)) @ turn
    distance = np.linalg.norm(offset, axis=1)
    nearest = np.argsort(distance, kind='stable')[:PEOPLE]
    direction = offset[nearest] / np.maximum(distance[nearest], 1e-6)[:, None]
    moving = np.nan_to_num(velocities[nearest]) @ turn
    return np.hstack([direction, moving]) * np.exp(-distance[nearest] / _FADE)[:, None]
