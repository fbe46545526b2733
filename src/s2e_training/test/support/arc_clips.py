"""Writes small clips: a drive along an arc, random images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from s2e_core.contract import POLICY_PERIOD_NS
from s2e_training.data.clip import Clip, ClipInfo, save_clip

SIZE = 32


def make_clip(
    folder: Path, seed: int, count: int = 20, goal: float = 9.0, size: int = SIZE
) -> Path:
    """A drive along an arc at 1 m/s with random images."""
    rng = np.random.default_rng(seed)
    yaw = np.linspace(0, rng.uniform(-1, 1), count)
    xy = np.cumsum(0.2 * np.stack([np.cos(yaw), np.sin(yaw)], 1), axis=0)
    steps = 0.2 * np.arange(1, 11)
    turn = rng.uniform(-0.4, 0.4, count)
    plan = np.stack([np.outer(np.cos(turn), steps), np.outer(np.sin(turn), steps)], axis=-1)
    info = ClipInfo(
        source=f'city:{1000 + seed}', licence='Apache-2.0', frames=count, width=size, height=size,
        fx=size / 2, fy=size / 2, cx=size / 2, cy=size / 2,
        mount_x=0.3, mount_z=0.6, mount_pitch=0.1,
        provenance={'task': 'empty', 'driver': 'teacher'},
    )
    clip = Clip(
        info, rng.integers(0, 256, (count, size, size, 3), np.uint8),
        np.arange(count, dtype=np.int64) * POLICY_PERIOD_NS,
        np.column_stack([xy, yaw, np.ones(count), np.zeros(count)]), np.array([goal, 1.0]),
        plan.astype(np.float32),
    )
    save_clip(clip, folder)
    return folder
