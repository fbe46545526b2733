"""Why a scene has no episode: what the routes it offers lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from navbench_gs.tasks.geodesic import geodesic_field
from navbench_gs.tasks.protocol import RouteRules
from s2e_core.robot import RobotProfile

if TYPE_CHECKING:
    from navbench_gs.scenes.bundle import SceneBundle

STARTS = 24
"""Spawn points from which routes are measured; each costs some milliseconds."""


def why_no_route(bundle: SceneBundle, rules: RouteRules, robot: RobotProfile) -> str:
    """Say what keeps the spawn points of a scene from being starts and goals.

    Args:
        bundle: The scene.
        rules: Which routes are wanted.
        robot: Its footprint.
    """
    radius = robot.radius + rules.inflation
    spawn = np.asarray(bundle.spawn, np.float64).reshape(-1, 2)
    clear = spawn[bundle.collision.clearance(spawn) >= radius]
    lengths, straights = np.zeros(0), np.zeros(0)
    for start in clear[:: max(1, len(clear) // STARTS)]:
        field = geodesic_field(
            bundle.collision, (float(start[0]), float(start[1])), radius,
            reach=rules.geodesic_high + 2.0,
        )
        found = np.array([field.at(xy) for xy in clear])
        reached = np.isfinite(found)
        lengths = np.append(lengths, found[reached])
        straights = np.append(straights, np.hypot(*(clear - start).T)[reached])
    wanted = f'{rules.geodesic_low:g} to {rules.geodesic_high:g} m are wanted'
    text = (
        f'{robot.name} needs {radius:.2f} m around it, which {len(clear)} of {len(spawn)} spawn '
        f'points have; the longest route between them is {lengths.max(initial=0.0):.1f} m, '
        f'{wanted}'
    )
    fits = (lengths >= rules.geodesic_low) & (lengths <= rules.geodesic_high)
    if not fits.any():
        return text
    direct = fits & (lengths <= rules.detour * straights)
    if not direct.any():
        return f'{text} and no more than {rules.detour:g} times the straight line'
    return f'{text}, some with and some without a corner in the straight line'
