"""A small scene with a picture, made in milliseconds: a walled yard with two blocks in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.splats.cloud import GaussianCloud

BLOCKS = ((-4.0, 9.0), (4.0, -9.0))
"""Middles of two blocks of 4 x 4 x 2 m."""


class Yard(SceneBundle):
    """40 x 40 m around the origin; pavement where x < 15."""

    def cloud(self) -> GaussianCloud:
        """A grey floor and the blocks' faces in colour."""
        axis = np.linspace(-20.0, 20.0, 41)
        floor = np.stack([*np.meshgrid(axis, axis), np.zeros((41, 41))], -1).reshape(-1, 3)
        side = np.linspace(-2.0, 2.0, 9)
        faces = [
            np.array([x + u, y + v, z]) for x, y in BLOCKS for u in side for v in side
            for z in (0.5, 1.0, 1.5, 2.0) if max(abs(u), abs(v)) == 2.0
        ]
        means = np.concatenate([floor, np.array(faces)])
        scales = np.concatenate([np.tile([0.6, 0.6, 0.02], (len(floor), 1)),
                                 np.full((len(faces), 3), 0.3)])
        rgb = np.concatenate([np.random.default_rng(0).uniform(0.3, 0.6, (len(floor), 3)),
                              np.tile([0.8, 0.3, 0.1], (len(faces), 1))])
        quats = np.tile([1.0, 0.0, 0.0, 0.0], (len(means), 1))
        return GaussianCloud.from_rgb(means, quats, scales, np.full(len(means), 0.95), rgb)


def make_yard() -> Yard:
    """Return the yard."""
    cells = 400
    occupied = np.zeros((cells, cells), bool)
    occupied[[0, -1]] = occupied[:, [0, -1]] = True
    boxes = []
    for x, y in BLOCKS:
        low = np.round((np.array([x, y]) - 2.0 + 20.0) / 0.1).astype(int)
        occupied[low[1]:low[1] + 40, low[0]:low[0] + 40] = True
        boxes.append([x, y, 1.0, 2.0, 2.0, 1.0, 0.0])
    pavement = ~occupied
    pavement[:, 350:] = False
    collision = CollisionMap(
        0.1, np.array([-20.0, -20.0]), occupied, np.zeros(occupied.shape, np.float32), ~occupied,
        np.array(boxes, np.float32), pavement,
    )
    free = np.argwhere(collision.free(1.0))
    spawn = collision.centre(free[np.random.default_rng(0).choice(len(free), 200, replace=False)])
    return Yard(Path('yard'), 'yard', 'capture', None, 'test', 'CC0-1.0', True, 0, 'yard',
                collision, spawn)
