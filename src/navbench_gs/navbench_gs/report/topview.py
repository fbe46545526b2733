"""The small view from above, robot at the bottom, where there is no map of the place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navbench_gs.report import ink
from s2e_core.contract import PolicyOutput

TRUTH: ink.Rgb = (255, 96, 170)
"""Colour of the way that was really driven."""
_GROUND: ink.Rgb = (30, 36, 44)
_RING: ink.Rgb = (66, 76, 90)
_LOW = 0.22
"""The robot stands this share above the lower edge."""


def draw_topview(
    output: PolicyOutput, chosen: int, goal: NDArray[np.floating] | None,
    truth: NDArray[np.floating] | None, size: int,
) -> NDArray[np.uint8]:
    """Draw modes, goal and truth in base_link, x up.

    Args:
        output: The policy's answer.
        chosen: Index of its top mode.
        goal: Metres, or None; one out of view is put on the edge. [2]
        truth: Way really driven, metres, or None. [T, 2]
        size: Edge of the picture, pixels.

    Returns:
        [size, size, 3] uint8
    """
    picture = np.empty((size, size, 3), np.uint8)
    picture[:] = _GROUND
    reach = max(3.0, float(np.abs(output.modes[chosen]).max()) * 1.2)
    scale = size * (1.0 - _LOW - 0.04) / reach
    foot = np.array([0.5 * size, (1.0 - _LOW) * size])

    def place(points: NDArray[np.floating]) -> NDArray[np.float64]:
        xy = np.asarray(points, np.float64).reshape(-1, 2)
        return np.stack([foot[0] - xy[:, 1] * scale, foot[1] - xy[:, 0] * scale], axis=1)

    turn = np.linspace(0.0, 2 * np.pi, 64)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rings = [r for r in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0) if 0.2 * reach <= r <= reach]
    for radius in rings:
        ink.polyline(picture, place(radius * circle), _RING, 1)
    best = max(float(output.scores.max()), 1e-9)
    for index in np.argsort(output.scores, kind='stable'):
        share = float(output.scores[index]) / best
        way = np.concatenate([np.zeros((1, 2)), output.modes[index]])
        if index != chosen and share > 0.01 and np.isfinite(way).all():
            ink.polyline(picture, place(way), ink.score_colour(share), 1, 0.3 + 0.6 * share)
    if truth is not None:
        ink.polyline(picture, place(np.concatenate([np.zeros((1, 2)), truth])), TRUTH, 2)
    top = np.concatenate([np.zeros((1, 2)), output.modes[chosen]])
    ink.polyline(picture, place(top), ink.CHOSEN, max(2, size // 70))
    if goal is not None:
        mark = np.clip(place(goal)[0], 7, size - 8)
        ink.disc(picture, (float(mark[0]), float(mark[1])), max(4.0, size / 40), ink.GOAL)
    nose = np.array([[0.28, 0.0], [-0.2, 0.18], [-0.1, 0.0], [-0.2, -0.18]])
    ink.polygon(picture, place(nose * reach / 4), ink.INK)
    labels = [(f'{r:g} m', (foot[0] + 4, foot[1] - r * scale - 2), max(9, size // 20), _LABEL,
               False) for r in rings[-2:]]
    return ink.texts(picture, labels)


_LABEL: ink.Rgb = (150, 160, 174)
