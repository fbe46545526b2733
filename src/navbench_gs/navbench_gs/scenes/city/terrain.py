"""Floor height, occupancy and static boxes of a city plan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.scenes.city.plan import BUILDING, CROSSING, KERB, RESOLUTION, ROAD, Plan

RAMP = 1.2
"""Length over which the road rises to a raised crossing, metres: a slope of 10 %."""


def road_height(plan: Plan) -> NDArray[np.float32]:
    """Return the floor z `[R, C]`: pavements at 0, roads a kerb lower, ramps to the crossings.

    Crossings are raised to the pavement's level, so that wheels cross without a step.
    """
    height = np.zeros(plan.labels.shape, dtype=np.float32)
    road = plan.labels == ROAD
    if not (plan.labels == CROSSING).any():
        height[road] = -KERB
        return height
    gap = ndimage.distance_transform_edt(plan.labels != CROSSING) * RESOLUTION
    height[road] = -KERB * np.clip(gap[road] / RAMP, 0.0, 1.0)
    return height


def kerb_cells(plan: Plan, height: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return `[R, C]` True on the pavement's outermost cells along a road.

    A step of 0.12 m stops or topples a small robot, so the line is an obstacle, from above and
    from below, except where the road has risen to within 0.02 m of the pavement.
    """
    deep = (plan.labels == ROAD) & (height < -0.02)
    near = ndimage.binary_dilation(deep, structure=np.ones((3, 3), dtype=bool))
    raised = (plan.labels != ROAD) & (plan.labels != BUILDING) & (plan.labels != CROSSING)
    return np.asarray(near & raised)
