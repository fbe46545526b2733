"""A piece of video with metric poses, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from s2e_training.label.config import PLAUSIBLE, LabelConfig
from s2e_training.label.ground import find_ground, metric_positions
from s2e_training.label.mapping import Model
from s2e_training.label.views import Views

STILL = 0.05
"""Slower than this is standing, m/s; it does not count in the median speed."""
LONGEST_STEP = 3.0
"""A step over this many times the neighbours' median is a jump."""


@dataclass(frozen=True)
class Piece:
    """Poses in a level frame: z up along the ground's normal, x ahead at the start."""

    views: np.ndarray
    """Consecutive indices into the views. [K] int64"""
    numbers: np.ndarray
    """Frame numbers in the video. [K] int64"""
    poses: np.ndarray
    """level <- optical, metres. [K, 4, 4]"""
    confidence: np.ndarray
    """0 to 1. [K]"""
    pitch: float
    """Mean pitch of the camera, radians, positive looks down."""
    spread: float
    """MAD of the logarithm of the windows' heights."""
    error: float
    """Mean reprojection error, pixels."""
    focal: float
    """Pixels, working image."""
    speed: float
    """Median speed while moving, m/s."""


def make_pieces(
    views: Views, model: Model, config: LabelConfig
) -> tuple[list[Piece], dict[int, str]]:
    """Give a model its scale and cut it where frames are missing or jump.

    Returns:
        Pieces and, for frames that fall away, frame number -> reason.
    """
    ground = find_ground(model, config.height)
    numbers = np.array(views.numbers)[model.frames]
    if isinstance(ground, str):
        return [], dict.fromkeys(numbers.tolist(), ground)
    poses = level(model.poses, ground.up)
    poses[:, :3, 3] = metric_positions(poses, ground.scale)
    trust = confidence(model, ground.support, ground.spread)
    pieces, rejected = [], {}
    for part in _runs(views, model, poses):
        low, high = PLAUSIBLE[config.kind]
        speed = median_speed(poses[part], np.array(views.seconds)[model.frames[part]])
        reason = ''
        if len(part) < config.shortest:
            reason = f'piece of {len(part)} frames is shorter than {config.shortest}'
        elif not low <= speed <= high:
            reason = f'speed {speed:.2f} m/s is outside {low}-{high} for {config.kind}'
        elif float(trust[part].mean()) < config.confidence:
            reason = f'confidence {trust[part].mean():.2f} is below {config.confidence}'
        if reason:
            rejected.update(dict.fromkeys(numbers[part].tolist(), reason))
            continue
        ahead = poses[part, :3, 2]
        pieces.append(Piece(
            model.frames[part], numbers[part], poses[part], trust[part],
            float(np.arcsin(np.clip(-ahead[:, 2].mean(), -1, 1))), ground.spread, model.error,
            model.focal, speed,
        ))
    return pieces, rejected


def level(poses: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Turn poses [K, 4, 4] so that `up` [3] is z and the first camera looks along x."""
    ahead = poses[0, :3, 2] - up * (up @ poses[0, :3, 2])
    x = ahead / np.linalg.norm(ahead)
    turn = np.eye(4)
    turn[:3, :3] = np.stack([x, np.cross(up, x), up])
    return turn @ poses


def confidence(model: Model, support: np.ndarray, spread: float) -> np.ndarray:
    """Return the product of four doubts per frame: few points, large error, ground, scale. [K]

    100 points in view, 1 px, 40 ground points and a spread of 10 % each cost a factor of
    1 - 1/e, 1/e, 1 - 1/e and 1/e.
    """
    seen = 1.0 - np.exp(-np.array([len(ids) for ids in model.seen]) / 100.0)
    sound = np.exp(-(model.error**2) - (spread / 0.1) ** 2)
    return np.asarray(seen * sound * (1.0 - np.exp(-support / 40.0)))


def median_speed(poses: np.ndarray, seconds: np.ndarray) -> float:
    """Return the median speed of the moving steps, m/s; 0 when none moves."""
    if len(poses) < 2:
        return 0.0
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1) / np.diff(seconds)
    moving = steps[steps > STILL]
    return float(np.median(moving)) if len(moving) else 0.0


def _runs(views: Views, model: Model, poses: np.ndarray) -> list[np.ndarray]:
    """Split a model where the video's frames are not evenly spaced, at cuts and at jumps."""
    numbers = np.array(views.numbers)[model.frames]
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    usual = float(np.median(steps))
    apart = np.diff(np.array(views.numbers))
    spacing = float(np.median(apart)) if len(apart) else 1.0
    breaks = np.diff(numbers) > 1.5 * spacing
    breaks |= np.diff(np.array(views.scene)[model.frames]) > 0
    breaks |= steps > max(LONGEST_STEP * usual, 0.05)
    return np.split(np.arange(len(numbers)), np.nonzero(breaks)[0] + 1)
