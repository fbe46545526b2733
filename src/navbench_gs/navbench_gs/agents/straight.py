"""The agent that drives straight at the goal and sees nothing: the benchmark's floor."""

from __future__ import annotations

import math

import numpy as np

from s2e_core.camera import SMALL_CAMERA
from s2e_core.contract import WAYPOINT_DT, WAYPOINTS, Observation, PolicyOutput, PolicySpec


class StraightToGoal:
    """Plans an arc that ends its turn facing the goal, at top speed, braking for the goal."""

    needs_images = False

    def __init__(self, v_max: float = 1.5, deceleration: float = 1.0, turn: float = 1.0) -> None:
        """Take limits.

        Args:
            v_max: Top speed, m/s.
            deceleration: Braking for the goal, m/s^2.
            turn: Curvature of the turn towards the goal, 1/m.
        """
        self.spec = PolicySpec('straight', 1, SMALL_CAMERA, v_max, 3.0)
        self._deceleration = deceleration
        self._turn = turn

    def reset(self) -> None:
        """Nothing to forget."""

    def infer(self, observation: Observation) -> PolicyOutput:
        """Answer with one mode; without a goal it points straight ahead."""
        goal = observation.goal
        target = np.array([1e3, 0.0]) if goal is None else np.asarray(goal, np.float64)
        points = np.zeros((WAYPOINTS, 2))
        x = y = yaw = 0.0
        steps = 10
        dt = WAYPOINT_DT / steps
        for index in range(WAYPOINTS * steps):
            dx, dy = float(target[0]) - x, float(target[1]) - y
            distance = math.hypot(dx, dy)
            speed = min(self.spec.v_max, math.sqrt(2.0 * self._deceleration * distance))
            bearing = math.remainder(math.atan2(dy, dx) - yaw, 2.0 * math.pi)
            if distance > 0.05:
                limit = self._turn * speed * dt
                yaw += min(max(bearing, -limit), limit)
                step = min(speed * dt, distance)
                x, y = x + step * math.cos(yaw), y + step * math.sin(yaw)
            points[index // steps] = x, y
        return PolicyOutput(
            observation.stamp_ns, points[None].astype(np.float32), np.ones(1, np.float32)
        )
