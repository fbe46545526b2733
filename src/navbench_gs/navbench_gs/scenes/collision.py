"""What a robot can hit in a scene and where it can stand, on a horizontal grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.errors import SceneError
from navbench_gs.scenes.archive import read_arrays, write_arrays

Mask = NDArray[np.bool_]

MAX_CELLS = 16_000_000
"""Largest grid: 400 x 400 m at 0.1 m."""

_GRIDS = ('occupancy', 'height', 'walkable')


@dataclass(frozen=True)
class CollisionMap:
    """Occupancy, floor height and static boxes of one scene; rows follow y, columns follow x.

    Everything outside the grid counts as occupied.

    Raises:
        SceneError: shapes disagree, a value is not finite, or the grid is too large.
    """

    resolution: float
    """Edge of a cell, metres."""
    origin: NDArray[np.float64]
    """`[2]` scene xy of the outer corner of cell (0, 0), metres."""
    occupancy: Mask
    """`[R, C]` True where a robot of 1.2 m height would hit something (or nothing is known)."""
    height: NDArray[np.float32]
    """`[R, C]` floor z at cell centres, metres, scene frame; filled everywhere."""
    walkable: Mask
    """`[R, C]` True where people may walk; never occupied."""
    boxes: NDArray[np.float32]
    """`[B, 7]` static boxes for physics: centre xyz, half sizes xyz, yaw; metres and rad."""
    sidewalk: Mask | None = None
    """`[R, C]` pavement and plaza (robots start there), None where the scene has none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'resolution', float(self.resolution))
        _store(self, 'origin', np.float64)
        _store(self, 'occupancy', np.bool_)
        _store(self, 'height', np.float32)
        _store(self, 'walkable', np.bool_)
        _store(self, 'boxes', np.float32)
        if self.sidewalk is not None:
            _store(self, 'sidewalk', np.bool_)
        _check(self)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.occupancy.shape[0], self.occupancy.shape[1]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """x_min, y_min, x_max, y_max of the grid, metres."""
        rows, columns = self.shape
        x, y = self.origin
        return float(x), float(y), float(x + columns * self.resolution), float(
            y + rows * self.resolution
        )

    def cell(self, xy: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return (row, column) `[..., 2]` of points `[..., 2]`; may lie outside the grid."""
        xy = np.asarray(xy, dtype=np.float64)
        index = np.floor((xy - self.origin) / self.resolution).astype(np.int64)
        return index[..., ::-1]

    def centre(self, rc: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the xy `[..., 2]` of the centres of cells (row, column) `[..., 2]`."""
        rc = np.asarray(rc, dtype=np.float64)
        return (rc[..., ::-1] + 0.5) * self.resolution + self.origin

    def inside(self, xy: NDArray[np.floating]) -> Mask:
        """Return `[...]` True where points `[..., 2]` lie on the grid."""
        rc = self.cell(xy)
        return np.asarray(((rc >= 0) & (rc < np.array(self.shape))).all(axis=-1))

    def floor(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the floor z `[...]` at points `[..., 2]`, bilinear, clamped at the border."""
        # Here, since the command line reads scenes' names without numba.
        from navbench_gs.scenes.lookup import floor_heights

        points = np.ascontiguousarray(xy, dtype=np.float64).reshape(-1, 2)
        heights = np.empty(len(points))
        x, y = self.origin
        floor_heights(self.height, float(x), float(y), self.resolution, points, heights)
        return heights.reshape(np.shape(xy)[:-1])

    @cached_property
    def distance(self) -> NDArray[np.float32]:
        """`[R, C]` metres from each cell's centre to the nearest obstacle's edge, 0 if occupied.

        The edge is half a cell before the obstacle cell's centre, so the true gap is at most
        0.21 cells larger or smaller (diagonal neighbours).
        """
        padded = np.pad(~self.occupancy, 1, constant_values=False)
        cells = ndimage.distance_transform_edt(padded)[1:-1, 1:-1]
        return np.maximum((cells - 0.5) * self.resolution, 0.0).astype(np.float32)

    def free(self, radius: float) -> Mask:
        """Return `[R, C]` True where a disc of `radius` metres around the centre is clear."""
        return (self.distance >= max(radius, 0.0)) & ~self.occupancy

    def clearance(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return metres to the nearest obstacle `[...]` for points `[..., 2]`, 0 outside."""
        rc = self.cell(xy)
        clipped = np.clip(rc, 0, np.array(self.shape) - 1)
        value = self.distance[clipped[..., 0], clipped[..., 1]].astype(np.float64)
        return np.where(self.inside(xy), value, 0.0)

    def save(self, path: Path) -> None:
        """Write a compressed `.npz`; equal maps give equal bytes."""
        arrays: dict[str, NDArray[np.generic]] = {
            'resolution': np.array(self.resolution),
            'origin': self.origin,
            'shape': np.array(self.shape),
            'occupancy': np.packbits(self.occupancy),
            'height': self.height,
            'walkable': np.packbits(self.walkable),
            'boxes': self.boxes,
        }
        if self.sidewalk is not None:
            arrays['sidewalk'] = np.packbits(self.sidewalk)
        write_arrays(Path(path), arrays)

    @staticmethod
    def load(path: Path) -> CollisionMap:
        """Read a file of `save`.

        Raises:
            SceneError: the file is damaged or breaks a rule of this class.
        """
        path = Path(path)
        names = {'resolution', 'origin', 'shape', 'occupancy', 'height', 'walkable', 'boxes'}
        arrays = read_arrays(path, names)
        try:
            rows, columns = (int(n) for n in arrays['shape'])
            masks = {
                name: np.unpackbits(arrays[name].astype(np.uint8), count=rows * columns)
                .reshape(rows, columns)
                .astype(bool)
                for name in ('occupancy', 'walkable', 'sidewalk')
                if name in arrays
            }
            resolution = float(arrays['resolution'])
        except (ValueError, TypeError) as error:
            raise SceneError(f'{path}: masks do not fit the stated shape: {error}') from error
        return CollisionMap(
            resolution,
            arrays['origin'].astype(np.float64),
            masks['occupancy'],
            arrays['height'].astype(np.float32),
            masks['walkable'],
            arrays['boxes'].astype(np.float32),
            masks.get('sidewalk'),
        )


def _store(target: CollisionMap, name: str, dtype: type[np.generic]) -> None:
    """Replace a field by a contiguous array of the given type."""
    object.__setattr__(target, name, np.ascontiguousarray(getattr(target, name), dtype=dtype))


def _check(target: CollisionMap) -> None:
    """Enforce the rules of the class."""
    shape = target.occupancy.shape
    if len(shape) != 2 or not 0 < shape[0] * shape[1] <= MAX_CELLS:
        raise SceneError(f'occupancy must be [R, C] with 1..{MAX_CELLS} cells, got shape {shape}')
    for name in (*_GRIDS, 'sidewalk'):
        array = getattr(target, name)
        if array is not None and array.shape != shape:
            raise SceneError(f'{name} must have the shape {shape}, got {array.shape}')
    if not 0.01 <= target.resolution <= 10.0:
        raise SceneError(f'resolution must lie in 0.01..10 m, got {target.resolution}')
    if target.origin.shape != (2,) or not np.isfinite(target.origin).all():
        raise SceneError(f'origin must be two finite numbers, got {target.origin}')
    if target.boxes.ndim != 2 or target.boxes.shape[1] != 7:
        raise SceneError(f'boxes must have shape [B, 7], got {target.boxes.shape}')
    if not (np.isfinite(target.height).all() and np.isfinite(target.boxes).all()):
        raise SceneError('height and boxes must be finite')
    if (target.walkable & target.occupancy).any():
        count = int((target.walkable & target.occupancy).sum())
        raise SceneError(f'walkable cells must be free, {count} are occupied')
