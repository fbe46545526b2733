"""From a depth image to what stands up from the ground along each bearing.

The ground is walked outwards from the robot, bearing by bearing, as it climbs and falls, so that
slopes are no obstacles; what rises or drops by more than a slope could is one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.compiled import compiled
from s2e_core.camera import CameraModel, CameraMount
from s2e_core.config import check, option

Floats = NDArray[np.float64]
NEAR = 1.0
"""Ground nearer to the camera's foot is not looked at, metres: it was when it lay farther off."""
ALIKE = 0.5
"""Distances of one thing along neighbouring bearings differ by less, metres."""
SMOOTH = 0.5
"""Ground is averaged over this way, metres: the last stones of a kerb are drawn rounded."""


@dataclass(frozen=True)
class DepthScanConfig:
    """What counts as ground."""

    bearings: int = option(96, low=8, high=1024, help='Shares of the field of view.')
    reach: float = option(8.0, unit='m', low=1, high=30, help='Farther points are not looked at.')
    # Kerbs are 0.12 m high. Drawn paving wavers by 0.02 m from a metre on; nearer it is seen up to
    # 0.18 m too high, since all of a stone has the depth of its middle.
    step: float = option(0.06, unit='m', low=0.01, high=0.5, help='Step that wheels do not take.')
    near_step: float = option(0.2, unit='m', low=0.01, high=0.5, help='The same within 1 m.')
    grade: float = option(0.12, low=0.0, high=1.0, help='Steepest change of the ground.')
    headroom: float = option(0.2, unit='m', low=0, high=2, help='Kept free above the robot.')

    def __post_init__(self) -> None:
        check(self, source='depth scan')


@dataclass(frozen=True)
class DepthScan:
    """Distances along bearings from the camera's foot, base_link."""

    foot: tuple[float, float]
    """The point of base_link below the camera, metres."""
    bearings: Floats
    """Middles of the shares, radians. [B]"""
    blocked: Floats
    """Metres to the nearest obstacle; inf where none is seen. [B]"""
    seen: Floats
    """Metres up to which the ground is seen to be free. [B]"""

    @property
    def ranges(self) -> Floats:
        """`blocked`, and NaN where neither obstacle nor ground shows. [B]"""
        return np.where(np.isinf(self.blocked) & (self.seen <= 0.0), np.nan, self.blocked)


class DepthScanner:
    """Reads the depth images of one camera on one robot."""

    def __init__(
        self, camera: CameraModel, mount: CameraMount, height: float,
        config: DepthScanConfig | None = None,
    ) -> None:
        """Prepare the rays.

        Args:
            camera: Its pinhole intrinsics.
            mount: Its place on the robot.
            height: Of the robot, metres.
            config: What counts as ground.
        """
        self.config = config or DepthScanConfig()
        self._top = height + self.config.headroom
        pose = mount.base_from_optical()
        v, u = np.indices((camera.height, camera.width)) + 0.5
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy,
                         np.ones_like(u)], axis=-1)
        self._rays = rays @ pose[:3, :3].T
        self._eye = pose[:3, 3]
        # Level ground 1 m ahead is this far apart in neighbouring rows; it grows by the square.
        self._spacing = 1.0 / (camera.fy * mount.z)
        half = math.atan(min(camera.cx, camera.width - camera.cx) / camera.fx)
        count = self.config.bearings
        self._share = 2.0 * half / count
        self._bearings: Floats = np.asarray(self._share * (np.arange(count) + 0.5) - half)

    def scan(self, depth: NDArray[np.floating]) -> DepthScan:
        """Measure one image.

        Args:
            depth: z along the optical axis, metres; not finite where nothing is. [H, W]
        """
        seen = np.isfinite(depth)
        offset = self._rays[seen] * depth[seen].astype(np.float64)[:, None]
        distance = np.hypot(offset[:, 0], offset[:, 1])
        turn = np.arctan2(offset[:, 1], offset[:, 0])
        share = np.floor((turn - self._bearings[0]) / self._share + 0.5).astype(np.int64)
        height = offset[:, 2] + self._eye[2]
        count = len(self._bearings)
        near = (distance < self.config.reach) & (share >= 0) & (share < count)
        near &= height < self._top + self.config.grade * distance
        share, distance, height = share[near], distance[near], height[near]
        order = np.lexsort((distance, share))
        starts = np.searchsorted(share[order], np.arange(count + 1))
        blocked, free = np.full(count, np.inf), np.zeros(count)
        _walk(distance[order], height[order], starts, self.config.near_step,
              self.config.step, self.config.grade, self._spacing, self._top, blocked, free)
        blocked[_lonely(blocked)] = np.inf
        return DepthScan((float(self._eye[0]), float(self._eye[1])), self._bearings, blocked, free)


def _lonely(blocked: Floats) -> NDArray[np.bool_]:
    """Whether neither neighbour of a bearing is blocked at the like distance: noise. [B]

    Anything wider than 0.1 m covers two bearings up to 5 m away.
    """
    near = np.concatenate([[np.inf], np.minimum(blocked, 1e6), [np.inf]])
    steps = np.abs(np.diff(near)) > ALIKE
    return steps[:-1] & steps[1:]


@compiled
def _walk(
    distance: Floats, height: Floats, starts: NDArray[np.int64], near_step: float, step: float,
    grade: float, spacing: float, top: float, blocked: Floats, free: Floats,
) -> None:
    """Follow the ground along each bearing to the first obstacle.

    Args:
        distance: Of the points, ascending within each bearing, metres. [N]
        height: Over the plane the robot stands on, metres. [N]
        starts: First point of each bearing, and the end. [B + 1]
        near_step: Height of an obstacle over ground right before it, within 1 m, metres.
        step: The same farther away.
        grade: Change of height that ground may have on its way.
        spacing: Of ground points 1 m away, metres.
        top: Height over ground below which things are in the robot's way, metres.
        blocked: Filled with metres to the obstacle. [B]
        free: Filled with metres up to which ground is seen. [B]
    """
    for b in range(blocked.size):
        ground = last = firm = 0.0
        rises = drops = 0
        for k in range(starts[b], starts[b + 1]):
            away = distance[k] - last
            over = height[k] - ground
            # Behind an edge nothing is seen for a while: that gap is no slope.
            fall = grade * min(away, spacing * last * last)
            if over > top:
                continue
            if over > (near_step if distance[k] < NEAR else step) + grade * away:
                # Two points: a single one may be an edge of the image or a stray splat.
                rises += 1
                if rises == 2:
                    blocked[b] = distance[k]
                    break
            elif distance[k] < NEAR:
                continue
            elif last == 0.0:
                ground, last, firm = height[k], distance[k], distance[k]
            elif over < -step - fall:
                drops += 1
                if drops == 2:
                    blocked[b] = firm
                    break
            else:
                # A face is no ground: it gains height without going on.
                change = (1.0 - math.exp(-away / SMOOTH)) * over
                ground += min(max(change, -grade * away), grade * away)
                last = distance[k]
                if over > -0.5 * step:
                    firm = last
                rises = drops = 0
        free[b] = min(last, blocked[b])
