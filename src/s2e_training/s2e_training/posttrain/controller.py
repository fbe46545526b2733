"""From waypoint to velocity, differentiable: the controller F_d of the paper.

The same law as `s2e_core.follower.Follower` at the stamp of the plan, in PyTorch and for a batch;
a test holds the two together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from s2e_core.contract import WAYPOINT_DT
from s2e_core.follower import FollowerConfig
from s2e_core.robot import RobotProfile

CREEP = 0.4
"""Speed towards a point behind a car, m/s; as in the follower."""


def executed_waypoint(config: FollowerConfig) -> int:
    """Index of the waypoint that lies one look-ahead time away; the third by default."""
    return round(config.lookahead / WAYPOINT_DT) - 1


def velocity(aim: Tensor, robot: RobotProfile, config: FollowerConfig) -> Tensor:
    """Return the velocity towards a point one look-ahead time away.

    Args:
        aim: Metres, base_link. [B, 2]
        robot: Limits.
        config: Look-ahead and thresholds.

    Returns:
        Speed (m/s) and yaw rate (rad/s). [B, 2]
    """
    x, y = aim[:, 0], aim[:, 1]
    # The gradient of a norm is not finite at zero, where the robot stands anyway.
    square = (x**2 + y**2).clamp(min=1e-12)
    distance = torch.sqrt(square)
    limit = robot.max_curvature
    curvature = (2.0 * y / square).clamp(-limit, limit)
    speed = distance / config.lookahead
    if robot.min_turn_radius > 0:
        # No point behind: tightest turn, slowly.
        behind = x <= 0
        tightest = torch.copysign(torch.full_like(y, limit), y)
        curvature = torch.where(behind, tightest, curvature)
        speed = torch.where(behind, speed.clamp(max=CREEP), speed)
    speed = torch.minimum(speed, robot.w_max / curvature.abs().clamp(min=1e-9))
    speed = speed.clamp(max=robot.v_max)
    result = torch.stack([speed, speed * curvature], dim=-1)
    if robot.min_turn_radius == 0:
        bearing = torch.atan2(y, torch.where(square > 1e-12, x, torch.ones_like(x)))
        turn = torch.copysign((2.0 * bearing.abs()).clamp(max=robot.w_max), bearing)
        spot = torch.stack([torch.zeros_like(turn), turn], dim=-1)
        result = torch.where((bearing.abs() > config.turn_on_spot)[:, None], spot, result)
    still = distance < config.still_speed * config.lookahead
    return torch.where(still[:, None], torch.zeros_like(result), result)


def executed_aim(
    trajectory: Tensor, goal: Tensor, present: Tensor, waypoint: int, tolerance: float
) -> Tensor:
    """Return the point that the controller aims at, as the navigator ends a path at the goal.

    Args:
        trajectory: Waypoints, metres, base_link. [B, T, 2]
        goal: Metres, base_link. [B, 2]
        present: Whether there is a goal. [B] bool
        waypoint: Index of the executed waypoint.
        tolerance: The navigator's arrival distance, metres.

    Returns:
        The goal where a waypoint up to the executed one comes within the tolerance; else the
        executed waypoint. [B, 2]
    """
    way = trajectory[:, :waypoint + 1]
    near = ((way - goal[:, None]).norm(dim=-1) < tolerance).any(dim=1) & present
    return torch.where(near[:, None], goal, way[:, -1])


def arrived(goal: Tensor, present: Tensor, tolerance: float) -> Tensor:
    """Return where the navigator would stop for good. [B] bool"""
    return (goal.norm(dim=-1) < tolerance) & present
