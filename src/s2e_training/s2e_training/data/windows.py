"""Training samples: windows of frame features with goal and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from s2e_core.contract import FREE_SPACE_BEARINGS, POLICY_PERIOD_NS, WAYPOINTS
from s2e_policy.goal import GoalEncoding, encode_goal
from s2e_training.data.clip import load_info, load_tracks
from s2e_training.data.draws import DrawWeights
from s2e_training.data.features import features_path
from s2e_training.errors import TrainingError

PERIOD_TOLERANCE = 0.05
"""Seconds: waypoints are 0.2 s apart; nearest images of a camera of 4 to 6.7 Hz still train."""


@dataclass(frozen=True)
class Batch:
    """What the network and the loss take."""

    features: Tensor
    """[B, K, C, h, w]"""
    goal: Tensor
    """[B, 3]"""
    mask: Tensor
    """[B, 1]"""
    plan: Tensor
    """[B, T, 2]"""
    goal_xy: Tensor
    """Metres, base_link. [B, 2]"""
    free: Tensor
    """Free distances, metres, NaN where unknown. [B, 48]"""


    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True)
class BatchOptions:
    """What varies from draw to draw."""

    mirror: float = 0.0
    """Probability that a sample is mirrored."""
    goal_free: float = 0.0
    """Probability that the goal is masked."""
    restart: float = 0.0
    """Probability that the window begins at a random frame within it."""


class WindowSet:
    """All samples of some clips; features stay in files and are read through the page cache."""

    def __init__(
        self, clips: Sequence[Path], key: str, frames: int, encoding: GoalEncoding,
        weights: DrawWeights | None = None, views: int = 1,
    ) -> None:
        """Index the clips.

        Args:
            clips: Clip folders with features.
            key: Which encoder's features.
            frames: Frames in a window.
            encoding: Goal code.
            weights: How often each sample is drawn; all alike when left out.
            views: Cached views of each clip: as recorded, and narrower ones (`data.views`).

        Raises:
            TrainingError: A clip has no features or no label, or its frames are not 0.2 s apart.
        """
        self.frames, self.encoding = frames, encoding
        self._views: list[list[np.ndarray]] = []
        owner, index, goals, plans, free, motion = [], [], [], [], [], []
        for number, clip in enumerate(clips):
            _check_period(clip)
            tracks = load_tracks(clip)
            plan, keep = labels(tracks)
            paths = [features_path(clip, key, view) for view in range(views)]
            self._views.append([_features(path, len(plan)) for path in paths])
            owner.append(np.full(len(keep), number))
            index.append(keep)
            goals.append(_goals(tracks)[keep])
            plans.append(plan[keep])
            motion.append(tracks['odometry'][keep, 3:5])
            unknown = np.full((len(plan), FREE_SPACE_BEARINGS), np.nan, np.float32)
            free.append(tracks.get('free_space', unknown)[keep])
        if not owner or sum(map(len, owner)) == 0:
            raise TrainingError('the clips hold no sample')
        self.owner, self.index = np.concatenate(owner), np.concatenate(index)
        self.goals = np.concatenate(goals)
        self.plans = np.concatenate(plans).astype(np.float32)
        self.motion = np.concatenate(motion).astype(np.float32)
        self.free = np.concatenate(free).astype(np.float32)
        weight = (weights or DrawWeights()).of(self.plans, self.owner)
        self._cumulative = np.cumsum(weight / weight.sum())

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.owner)

    def draw(self, size: int, options: BatchOptions, rng: np.random.Generator) -> Batch:
        """Draw a random batch."""
        picked = np.searchsorted(self._cumulative, rng.random(size) * self._cumulative[-1])
        return self.batch(np.minimum(picked, len(self) - 1), options, rng)

    def batch(
        self, samples: np.ndarray, options: BatchOptions, rng: np.random.Generator
    ) -> Batch:
        """Lay out given samples.

        Args:
            samples: Indices. [B]
            options: Variation.
            rng: Source of randomness.
        """
        size = len(samples)
        mirrored = rng.random(size) < options.mirror
        free = rng.random(size) < options.goal_free
        restart = rng.random(size) < options.restart
        start = rng.integers(0, self.frames, size)
        view = rng.integers(0, len(self._views[0]), size)
        shape = self._views[0][0].shape[2:]
        features = np.empty((size, self.frames, *shape), np.float16)
        for row, sample in enumerate(samples):
            steps = np.arange(self.index[sample] - self.frames + 1, self.index[sample] + 1)
            if restart[row]:
                steps = np.maximum(steps, steps[start[row]])
            source = self._views[self.owner[sample]][view[row]]
            features[row] = source[np.maximum(steps, 0), int(mirrored[row])]
        sign = np.where(mirrored, -1.0, 1.0)
        goal_xy, plan = self.goals[samples].copy(), self.plans[samples].copy()
        goal_xy[:, 1] *= sign
        plan[..., 1] *= sign[:, None].astype(np.float32)
        distances = self.free[samples]
        distances[mirrored] = distances[mirrored, ::-1]
        absent = free | np.isnan(goal_xy).any(axis=1)
        code, mask = encode_goal(np.nan_to_num(goal_xy), self.encoding)
        code[absent], mask[absent] = 0.0, 0.0
        return Batch(
            torch.from_numpy(features).float(), torch.from_numpy(code), torch.from_numpy(mask),
            torch.from_numpy(plan), torch.from_numpy(goal_xy.astype(np.float32)),
            torch.from_numpy(distances),
        )


def _check_period(clip: Path) -> None:
    """Refuse clips that can only be evaluated (`s2e train import --sparse`)."""
    period = load_info(clip).period
    if abs(period - POLICY_PERIOD_NS * 1e-9) > PERIOD_TOLERANCE:
        raise TrainingError(f'{clip}: frames must be 0.2 s apart to train on, got {period:.3f} s')


def _features(path: Path, frames: int) -> np.ndarray:
    """Open cached features. [N, 2, C, h, w]"""
    if not path.is_file():
        raise TrainingError(f'{path}: missing; encode the clips first')
    features: np.ndarray = np.load(path, mmap_mode='r', allow_pickle=False)
    if len(features) != frames:
        raise TrainingError(f'{path}: must hold {frames} frames, got {len(features)}')
    return features


def _goals(tracks: dict[str, np.ndarray]) -> np.ndarray:
    """Goal in base_link at every frame. [N, 2]"""
    x, y, yaw = tracks['odometry'][:, :3].T
    dx, dy = tracks['goal'][0] - x, tracks['goal'][1] - y
    return np.stack([np.cos(yaw) * dx + np.sin(yaw) * dy, np.cos(yaw) * dy - np.sin(yaw) * dx], 1)


def labels(tracks: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return waypoints [N, T, 2] and the frames that have a label [S]."""
    if 'plan' in tracks:
        return tracks['plan'], np.arange(len(tracks['plan']))
    pose = tracks['odometry'][:, :3]
    count = len(pose)
    keep = np.arange(max(count - WAYPOINTS, 0))
    ahead = np.minimum(np.arange(count)[:, None] + np.arange(1, WAYPOINTS + 1), count - 1)
    delta = pose[ahead, :2] - pose[:, None, :2]
    c, s = np.cos(pose[:, 2])[:, None], np.sin(pose[:, 2])[:, None]
    x, y = delta[..., 0], delta[..., 1]
    return np.stack([c * x + s * y, c * y - s * x], axis=-1), keep
