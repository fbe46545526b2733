"""Where the gaussians begin: at the points of the model, and far away for the sky."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from navbench_gs.splats import harmonics
from s2e_training.reconstruct.colmap import Model
from s2e_training.reconstruct.gaussians import Gaussians
from s2e_training.reconstruct.photos import Photo

SKY = 1500
"""Gaussians of the far shell."""
SKY_DISTANCE = 20.0
"""Distance of the shell in median distances of the points: all that is nearer hides it."""
OPACITY = 0.3


def initial_gaussians(
    model: Model, photos: list[Photo], sh_degree: int, seed: int, cap: int
) -> Gaussians:
    """Return one gaussian per point, as wide as the gap to its neighbours, and a far shell.

    Where that is more than `cap`, so many are drawn of them.
    """
    rng = np.random.default_rng([seed, 1])
    # Far mismatches would become huge gaussians: the last percent of distances is left out.
    away = np.linalg.norm(model.points - np.median(model.points, axis=0), axis=1)
    near = away <= np.percentile(away, 99.0)
    points, tints = model.points[near], model.colours[near] / 255.0
    gaps = cKDTree(points).query(points, k=4)[0][:, 1:].mean(1)
    gaps = np.clip(gaps, 1e-4 * model.distance, 0.1 * model.distance)
    shell, shell_tints = _shell(model, photos, rng)
    radius = SKY_DISTANCE * model.distance
    # Neighbours on a sphere of SKY directions are radius sqrt(4 pi / SKY) apart.
    widths = np.full(len(shell), 0.5 * radius * np.sqrt(4 * np.pi / SKY))
    means = np.concatenate([points, shell])
    scales = np.log(np.concatenate([gaps, widths]))[:, None].repeat(3, 1)
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (len(means), 1))
    logits = np.full(len(means), np.log(OPACITY / (1 - OPACITY)))
    logits[len(points):] = 2.0
    sh = np.zeros((len(means), (sh_degree + 1) ** 2, 3))
    sh[:, 0] = (np.concatenate([tints, shell_tints]) - 0.5) / harmonics.C0
    chosen = np.sort(rng.permutation(len(means))[:cap])
    return Gaussians(*(torch.tensor(a[chosen], dtype=torch.float32)
                       for a in (means, scales, quats, logits, sh)))


def _shell(
    model: Model, photos: list[Photo], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return far points `[S, 3]` that photos look at, and the colours `[S, 3]` they show there."""
    directions = rng.normal(size=(SKY, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    shell = model.centres.mean(0) + SKY_DISTANCE * model.distance * directions
    sums, seen = np.zeros((SKY, 3)), np.zeros(SKY)
    for photo in photos:
        camera = photo.camera
        optical = camera.scene_to_optical
        x, y, z = (shell @ optical[:3, :3].T + optical[:3, 3]).T
        ahead = z > 0
        u = np.where(ahead, camera.fx * x / np.where(ahead, z, 1) + camera.cx, -1)
        v = np.where(ahead, camera.fy * y / np.where(ahead, z, 1) + camera.cy, -1)
        inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
        k = np.flatnonzero(inside)
        sums[k] += photo.pixels[v[k].astype(int), u[k].astype(int)] / 255.0
        seen[k] += 1
    found = seen > 0
    return shell[found], sums[found] / seen[found, None]
