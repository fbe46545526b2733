"""Whether the picture turns as odometry says: a mirrored, a swapped or a held picture does not."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from s2e_core.camera import CameraModel

Floats = NDArray[np.float32]
COLUMNS, ROWS = 96, 24
"""Size of the strip: 0.9 degrees a column for a view of 90."""
ELEVATION = math.radians(18.0)
"""The strip reaches so far above and below the horizon: what is near the robot lies lower."""
LEAST_TURN = 0.1
"""Radians between two pictures that are compared: six columns."""
MOST_TURN = 0.4
"""Radians past which too little of the one picture is in the other."""
SPAN_NS = 1_050_000_000
"""Command, odometry and pictures must agree within a second; cameras jitter."""
LEAST_CONTRAST = 3.0
"""Grey levels of 255 below which a strip shows nothing but the sensor's noise."""
LEAST_MATCH = 0.4
"""Correlation below which neither way of turning is to be seen."""
CLEAR = 0.1
"""Correlation by which another turn must explain two pictures better than odometry's."""
WITNESSES = 4
"""Pictures in a row that must contradict. Of 2212 that were compared in 15 minutes of drawn drives
among people and 47 s of a model car's track 5 did, never three in a row (docs/safety.md)."""
LEAST_SHARE = 3
"""At least one column in so many must be in both pictures."""


@dataclass(frozen=True)
class _Look:
    """One picture."""

    stamp_ns: int
    strip: Floats
    """[ROWS, COLUMNS], without its slow changes; zero where the camera sees nothing."""
    seen: NDArray[np.bool_]
    """[COLUMNS]"""
    yaw: float
    """Unwrapped, radians."""


@dataclass(frozen=True)
class Fit:
    """How well three turns explain two pictures: correlations, -1 to 1."""

    turn: float
    """Odometry's between them, radians; positive to the left."""
    agrees: float
    """As odometry says."""
    mirrored: float
    """The other way."""
    held: float
    """Not at all."""

    @property
    def says(self) -> str:
        """Which of them it was: agrees, mirrored, held, or unclear."""
        other = max(self.mirrored, self.held)
        if other >= LEAST_MATCH and other > self.agrees + CLEAR:
            return 'mirrored' if self.mirrored > self.held else 'held'
        return 'agrees' if self.agrees >= max(other, LEAST_MATCH) else 'unclear'


class TurnWatch:
    """Compares the turn between pictures with odometry's.

    Of each picture a strip around the horizon is drawn in bearings, where a turn of the camera is
    a shift to the side whatever stands how far away. Two pictures between which odometry turned
    are laid over each other as odometry says, mirrored, and unmoved; the best fit must be
    odometry's. A view of the wrong side of the same robot turns alike and is not found.
    """

    def __init__(self, camera: CameraModel, pitch: float) -> None:
        """Prepare the strip.

        Args:
            camera: Pinhole that the pictures come in.
            pitch: It looks down by, radians.
        """
        half = math.atan(min(camera.cx, camera.width - camera.cx) / camera.fx)
        bearing = half * (1.0 - (2.0 * np.arange(COLUMNS) + 1.0) / COLUMNS)
        elevation = ELEVATION * (1.0 - (2.0 * np.arange(ROWS) + 1.0) / ROWS)
        b, e = np.meshgrid(bearing, elevation)
        x, y, z = np.cos(e) * np.cos(b), np.cos(e) * np.sin(b), np.sin(e)
        # From base_link's axes to the optical frame of a camera that looks down by the pitch.
        ahead = x * math.cos(pitch) - z * math.sin(pitch)
        down = -x * math.sin(pitch) - z * math.cos(pitch)
        self._u = (camera.cx - camera.fx * y / ahead - 0.5).astype(np.float32)
        self._v = (camera.cy + camera.fy * down / ahead - 0.5).astype(np.float32)
        self._column = 2.0 * half / COLUMNS
        self._looks: deque[_Look] = deque()
        self._against = 0
        self.fit: Fit | None = None
        """What the newest picture and an older one say, where they were compared."""

    def clear(self) -> None:
        """Forget; what comes next belongs to another drive."""
        self._looks.clear()
        self._against = 0

    def add(self, stamp_ns: int, rgb: np.ndarray, yaw: float) -> str:
        """Take a picture; say how it contradicts odometry, or nothing.

        Args:
            stamp_ns: Nanoseconds.
            rgb: In the camera's view; black where the lens does not reach. [H, W, 3] uint8
            yaw: Odometry's at the stamp, radians.
        """
        looks = self._looks
        if looks and not 0 < stamp_ns - looks[-1].stamp_ns <= SPAN_NS:
            self.clear()
        if looks:
            yaw = looks[-1].yaw + math.remainder(yaw - looks[-1].yaw, 2.0 * math.pi)
        strip, seen = self._strip(rgb)
        new = _Look(stamp_ns, strip, seen, yaw)
        while looks and stamp_ns - looks[0].stamp_ns > SPAN_NS:
            looks.popleft()
        # The youngest picture that is far enough turned away: between them the least has moved.
        old = next((o for o in reversed(looks) if abs(yaw - o.yaw) >= LEAST_TURN), None)
        looks.append(new)
        self.fit = None
        if old is None or abs(yaw - old.yaw) > MOST_TURN:
            return ''
        return self._judge(old, new)

    def _judge(self, old: _Look, new: _Look) -> str:
        turn = new.yaw - old.yaw
        told = turn / self._column
        # A turn to the left moves the picture to the right. Distance between camera and wheels'
        # centre, and stamps that are some milliseconds off, stretch what is seen.
        wide, narrow = max(3.0, 0.4 * abs(told)), max(1.0, 0.3 * abs(told))
        agrees = _match(old, new, told, wide)
        mirrored, held = _match(old, new, -told, wide), _match(old, new, 0.0, narrow)
        self.fit = fit = Fit(turn, agrees, mirrored, held)
        if fit.says in ('mirrored', 'held'):
            self._against += 1
        elif agrees >= max(mirrored, held):
            self._against = 0
        if self._against < WITNESSES:
            return ''
        self.clear()
        how = 'turns the other way' if fit.says == 'mirrored' else 'does not turn'
        return (f'the picture {how} while odometry turns by {turn:.2f} rad: '
                'mirrored, or of another camera')

    def _strip(self, rgb: np.ndarray) -> tuple[Floats, NDArray[np.bool_]]:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        drawn = cv2.remap(grey, self._u, self._v, cv2.INTER_LINEAR).astype(np.float32)
        lit = cv2.remap((grey > 0).astype(np.uint8), self._u, self._v, cv2.INTER_NEAREST)
        seen = lit.mean(axis=0) > 0.8
        strip = _blurred(drawn, seen, 0.8) - _blurred(drawn, seen, 6.0)
        if not seen.any() or float(strip[:, seen].std()) < LEAST_CONTRAST:
            seen = np.zeros(COLUMNS, np.bool_)
        # Each place counts alike: somebody in a bright coat is not the whole street.
        strip /= _blurred(np.abs(strip), seen, 6.0) + LEAST_CONTRAST
        return np.asarray(strip * seen, np.float32), seen


def _blurred(strip: Floats, seen: NDArray[np.bool_], sigma: float) -> Floats:
    """Blur what is seen; the edge of what is not would stand still in every picture. [R, C]"""
    weight = np.repeat(seen[None].astype(np.float32), len(strip), axis=0)
    total = cv2.GaussianBlur(strip * weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3))


def _match(old: _Look, new: _Look, shift: float, slack: float) -> float:
    """Return the best correlation of two strips with the newer one moved right by about a shift.

    Args:
        old: Earlier picture.
        new: Later picture.
        shift: Columns.
        slack: Columns that it may be off.

    Returns:
        -1 to 1; -1 where too little is in both.
    """
    best = -1.0
    low, high = math.ceil(shift - slack), math.floor(shift + slack)
    for move in range(max(low, 1 - COLUMNS), min(high, COLUMNS - 1) + 1):
        a = slice(max(0, -move), COLUMNS - max(0, move))
        b = slice(max(0, move), COLUMNS - max(0, -move))
        both = old.seen[a] & new.seen[b]
        if LEAST_SHARE * int(both.sum()) < COLUMNS:
            continue
        first, second = old.strip[:, a] * both, new.strip[:, b] * both
        norm = math.sqrt(float(np.vdot(first, first)) * float(np.vdot(second, second)))
        if norm > 0.0:
            best = max(best, float(np.vdot(first, second)) / norm)
    return best
