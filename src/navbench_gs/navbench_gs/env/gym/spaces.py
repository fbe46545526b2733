"""What a learner sees and does, as Gymnasium spaces."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from navbench_gs.env.gym.setting import Setting
from s2e_core.contract import WAYPOINT_DT, WAYPOINTS

GOAL_LIMIT = 1000.0
"""Bound of the goal in the robot's frame, metres: no scene is as large."""
SPEED_LIMIT = 20.0
"""Bound of speed, m/s, and yaw rate, rad/s, also while being pushed."""


def observation_space(setting: Setting) -> spaces.Dict:
    """Return the space of one observation.

    `image` [H, W, 3] uint8 RGB; `goal` [2] metres in base_link by odometry, 0 where hidden;
    `goal_mask` [1], 1 where there is a goal; `speed` [2] m/s and rad/s by odometry.
    """
    shape = (setting.options.height, setting.options.width, 3)
    return spaces.Dict({
        'image': spaces.Box(0, 255, shape, np.uint8),
        'goal': spaces.Box(-GOAL_LIMIT, GOAL_LIMIT, (2,), np.float32),
        'goal_mask': spaces.MultiBinary(1),
        'speed': spaces.Box(-SPEED_LIMIT, SPEED_LIMIT, (2,), np.float32),
    })


def action_space(setting: Setting) -> spaces.Box:
    """Return the space of one action.

    `velocity`: [2] forward speed, m/s (no reverse: nothing looks back), and yaw rate, rad/s.
    `waypoints`: [10, 2] metres in base_link, 0.2 s apart, as far as top speed reaches in 2 s.
    """
    if setting.options.action == 'velocity':
        high = np.array([setting.v_max, setting.robot.w_max], np.float32)
        return spaces.Box(np.array([0.0, -high[1]], np.float32), high, dtype=np.float32)
    reach = setting.v_max * WAYPOINT_DT * WAYPOINTS
    return spaces.Box(-reach, reach, (WAYPOINTS, 2), np.float32)
