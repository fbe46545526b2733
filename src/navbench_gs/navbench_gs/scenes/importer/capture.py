"""From a captured splat scene to a bundle that can be driven in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.errors import SceneError, SplatFormatError
from navbench_gs.scenes import rectangles
from navbench_gs.scenes.bundle import SceneBundle, save_scene
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.importer.floor import find_floor
from navbench_gs.scenes.importer.grid import fine_grid
from navbench_gs.scenes.importer.ground import ground_height, seen_from_above
from navbench_gs.scenes.importer.options import ImportOptions, Up
from navbench_gs.scenes.importer.orient import find_tilt, find_up, rotation
from navbench_gs.scenes.importer.samples import elements
from navbench_gs.scenes.importer.scale import find_cameras, find_scale, read_cameras
from navbench_gs.scenes.importer.surfaces import Surfaces, build_surfaces, largest
from navbench_gs.scenes.importer.walked import walked_line, with_walked, with_walked_ground
from navbench_gs.splats import find_environment, load
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.reduce import reduced

IMPORTER_VERSION = 8
"""Raise with every change that alters a bundle: the cache depends on it."""

Progress = Callable[[str, float], None]

SPAWN_RADIUS = 0.55
"""Clear disc around spawn points, metres: the footprint of the largest robot."""
WALL_DEPTH = 0.4
"""Obstacles get physics boxes this far back from free space, metres: nothing reaches deeper."""


def import_capture(
    path: Path | str,
    out: Path | str,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> SceneBundle:
    """Import a capture into a bundle folder.

    The floor lies at z = 0 in the middle (median) of the reachable ground.

    Args:
        path: a splat file or folder of any format that `navbench_gs.splats.load` reads.
        out: the bundle's folder.
        options: up axis, scale and robot measures.
        progress: called with what is being done and the fraction done.

    Raises:
        SceneError: the capture cannot be read or holds no floor a robot could use.
    """
    source, settings, tell = Path(path), options or ImportOptions(), progress or _silent
    tell(f'reading {source.name}', 0.05)
    cloud, sky = _read(source)
    tell('finding the floor', 0.25)
    try:
        unit, origin = find_scale(cloud, settings, source)
        turned, turn, up = _upright(cloud, settings.up, unit)
        matter, line = elements(turned), None
        if settings.walked is not None:
            line = _line(source, settings, turn)
            matter = with_walked(matter, line)
        grid = fine_grid(find_floor(matter), settings.resolution)
        tell('looking down on the floor', 0.4)
        seen = seen_from_above(turned, grid)
        if line is not None:
            seen = with_walked_ground(seen, line, grid)
        surfaces = build_surfaces(matter, grid, ground_height(seen, grid), settings)
    except SceneError as error:
        raise SceneError(f'{source}: {error}') from error
    tell('building the collision map', 0.6)
    zero = float(np.median(surfaces.height[surfaces.main]))
    collision, spawn = _collision(surfaces, settings, zero)
    # Obstacles were found in all gaussians; only what is drawn gets coarser.
    drawn = turned if settings.gaussians is None else reduced(turned, settings.gaussians)
    parts = [drawn] if sky is None else [drawn, sky.transformed(turn)]
    picture = _lowered(GaussianCloud.concatenate(parts), zero)
    tell('writing the bundle', 0.75)
    name, stem = source.resolve().name, source.resolve().stem
    return save_scene(
        Path(out), name=stem, kind='capture', cloud=picture, collision=collision, spawn=spawn,
        source=settings.source or name, licence=settings.licence, metric=settings.metric,
        notes=_notes(surfaces, settings, up, turn, zero) | {'scale': origin}
        | {'gaussians_capture': len(cloud), 'gaussians_scene': len(drawn),
           'gaussians_sky': 0 if sky is None else len(sky)},
    )


def _line(source: Path, settings: ImportOptions, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ground under the photos, scene frame. `[P, 3]`"""
    assert settings.walked is not None
    positions, _ = read_cameras(settings.cameras or find_cameras(source))
    return walked_line(positions @ turn[:3, :3].T + turn[:3, 3], settings.walked)


def _silent(text: str, share: float) -> None:
    """Tell nobody."""


def _read(source: Path) -> tuple[GaussianCloud, GaussianCloud | None]:
    """Read a capture and the sky beside it."""
    try:
        cloud = load(source)
        sky = None if find_environment(source) is None else load(source, environment=True)
    except (SplatFormatError, OSError) as error:
        raise SceneError(f'{source}: cannot be read as a capture: {error}') from error
    if len(cloud) < 100:
        raise SceneError(f'{source}: a scene needs at least 100 gaussians, got {len(cloud)}')
    return cloud, sky


def _upright(
    cloud: GaussianCloud, wish: Up, unit: float
) -> tuple[GaussianCloud, NDArray[np.float64], str]:
    """Turn z up, level, and scale to metres.

    Returns:
        The cloud in the scene's axes, `[4, 4]` scene <- capture, and the axis that was up.
    """
    up = find_up(cloud, unit) if wish == 'auto' else wish
    transform = np.eye(4)
    transform[:3, :3] = rotation(up) * unit
    turned = cloud.transformed(transform)
    tilt = find_tilt(turned)
    if not np.array_equal(tilt, np.eye(3)):
        transform[:3, :3] = tilt @ transform[:3, :3]
        turned = cloud.transformed(transform)
    return turned, transform, up


def _tilt(up: str, transform: NDArray[np.float64]) -> float:
    """Return the angle between the capture's up axis and the scene's, degrees."""
    unit = np.cbrt(np.linalg.det(transform[:3, :3]))
    cosine = (transform[:3, :3] @ rotation(up).T)[2, 2] / unit
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _lowered(cloud: GaussianCloud, by: float) -> GaussianCloud:
    """Move a cloud down by metres."""
    shift = np.array([0.0, 0.0, by], dtype=np.float32)
    return dataclasses.replace(cloud, means=cloud.means - shift)


def _collision(
    surfaces: Surfaces, settings: ImportOptions, zero: float
) -> tuple[CollisionMap, NDArray[np.float64]]:
    """Build the collision map (floor lowered by `zero`) and the spawn points."""
    height = surfaces.height - np.float32(zero)
    # Ground that no route joins counts as occupied: no start, goal or person belongs there.
    # What the robot's disc sweeps, and half a cell for rounding.
    gap = ndimage.distance_transform_edt(~surfaces.main) * settings.resolution
    walkable = ~surfaces.occupancy & (gap <= settings.robot_radius + 0.5 * settings.resolution)
    reach = int(np.ceil(WALL_DEPTH / settings.resolution))
    near = ndimage.binary_dilation(walkable, iterations=reach) & ~walkable
    blocks = rectangles.cover(near)
    floors = np.array([
        height[r0:r1, c0:c1].mean() for r0, c0, r1, c1 in blocks
    ]) if len(blocks) else np.zeros(0)
    boxes = rectangles.boxes(
        blocks, surfaces.origin, settings.resolution, floors - 0.3,
        floors + settings.robot_height,
    )
    collision = CollisionMap(
        settings.resolution, surfaces.origin, ~walkable, height, walkable, boxes, None
    )
    return collision, _spawn(surfaces, collision)


def _spawn(surfaces: Surfaces, collision: CollisionMap) -> NDArray[np.float64]:
    """Draw up to 400 points with room for the largest robot, joined at its own width.

    Where that leaves little (rooms behind narrow doors), the measured radius has to do.
    """
    wide = largest(surfaces.main & collision.free(SPAWN_RADIUS))
    cells = np.argwhere(wide if wide.sum() > 0.3 * surfaces.main.sum() else surfaces.main)
    chosen = np.random.default_rng(0).permutation(len(cells))[:400]
    return collision.centre(cells[np.sort(chosen)])


def _notes(
    surfaces: Surfaces, settings: ImportOptions, up: str, turn: NDArray[np.float64], zero: float
) -> dict[str, Any]:
    """Return what a user should know about the import."""
    floor = surfaces.height[surfaces.main]
    return {
        'importer': IMPORTER_VERSION,
        'up': up,
        'tilt_removed_deg': round(_tilt(up, turn), 1),
        'floor_z_in_capture': round(zero, 3),
        'floor_low_m': round(float(np.percentile(floor, 1)) - zero, 3),
        'floor_high_m': round(float(np.percentile(floor, 99)) - zero, 3),
        'free_area_m2': round(float(surfaces.main.sum() * settings.resolution**2), 1),
    }
