"""From a splat capture to a scene bundle that robots can drive in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.errors import SceneError, SplatFormatError
from navbench_gs.scenes.bundle import SceneBundle, save_scene
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.importer.evidence import gather
from navbench_gs.scenes.importer.floor import Floor, find_floor
from navbench_gs.scenes.importer.obstacles import blocked_cells, connected_free
from navbench_gs.scenes.importer.options import ImportOptions
from navbench_gs.scenes.importer.upright import guess_up, upright
from navbench_gs.scenes.rectangles import boxes, cover
from navbench_gs.splats import load
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.registry import find_environment

IMPORTER_VERSION = 1
"""Raised when the same capture gives another bundle."""
ROBOT_RADIUS = 0.3
"""Disc that must fit through the doors of the reported free space, metres."""
SPAWN_RADIUS = 0.55
"""Clear disc around every spawn point, metres: the footprint of the largest shipped robot."""
SPAWN_SPACING = 0.4
"""Distance between spawn points, metres."""

Progress = Callable[[str, float], None]


def import_capture(
    path: Path | str,
    out: Path | str,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> SceneBundle:
    """Import a capture.

    The sky that lies beside a streamed capture is kept for the picture and left out of the
    geometry.

    Args:
        path: File or folder of a capture in any known splat format.
        out: Folder of the new bundle.
        options: What the file does not say.
        progress: Told about each stage.

    Raises:
        SceneError: The capture cannot be read, or no ground was found in it.
    """
    path, options = Path(path), options or ImportOptions()
    tell = progress or (lambda stage, fraction: None)
    tell('reading splats', 0.0)
    cloud, sky = _read(path)
    up = guess_up(cloud) if options.up == 'auto' else options.up
    scale = options.scale or 1.0
    cloud = upright(cloud, up, scale)
    tell('sampling surfaces', 0.3)
    evidence = gather(cloud)
    tell('finding the ground', 0.6)
    floor = find_floor(evidence, options.resolution, options.robot_height, options.step)
    blocked = blocked_cells(evidence, floor, options.robot_height, options.step)
    free, roam = connected_free(floor, blocked, ROBOT_RADIUS)
    area = float(roam.sum()) * options.resolution**2
    if area < 4.0:
        raise SceneError(
            f'{path}: free ground for a robot of {ROBOT_RADIUS} m must cover 4 m2, got '
            f'{area:.1f} m2; try another up axis or scale'
        )
    tell('building collision geometry', 0.8)
    floor, free, blocked, roam = _crop(floor, free, blocked, roam)
    collision = _collision(floor, free, roam, options)
    whole = cloud if sky is None else GaussianCloud.concatenate([cloud, upright(sky, up, scale)])
    tell('writing the bundle', 0.9)
    return save_scene(
        Path(out),
        name=path.resolve().stem,
        kind='capture',
        cloud=whole,
        collision=collision,
        spawn=_spawn(collision, roam),
        source=path.resolve().name,
        licence=options.licence,
        metric=options.scale is not None,
        notes=_notes(floor, roam, up, scale, whole, cloud),
    )


def _read(path: Path) -> tuple[GaussianCloud, GaussianCloud | None]:
    try:
        cloud = load(path)
        sky = load(path, environment=True) if find_environment(path) is not None else None
    except SplatFormatError as error:
        raise SceneError(f'{path}: {error}') from error
    if len(cloud) < 100:
        raise SceneError(f'{path}: a scene must have 100 gaussians, got {len(cloud)}')
    return cloud, sky


def _crop(floor: Floor, *masks: NDArray[np.bool_]) -> tuple[Any, ...]:
    """Cut the grids to the ground that was seen, with a margin of 5 m."""
    rows, columns = np.nonzero(masks[-1])
    margin = round(5.0 / floor.resolution)
    shape = floor.height.shape
    r0, r1 = max(rows.min() - margin, 0), min(rows.max() + margin + 1, shape[0])
    c0, c1 = max(columns.min() - margin, 0), min(columns.max() + margin + 1, shape[1])
    part = (slice(r0, r1), slice(c0, c1))
    origin = floor.origin + np.array([c0, r0]) * floor.resolution
    cut = Floor(origin, floor.resolution, floor.height[part], floor.reached[part])
    return (cut, *(mask[part] for mask in masks))


def _collision(
    floor: Floor, free: NDArray[np.bool_], roam: NDArray[np.bool_], options: ImportOptions
) -> CollisionMap:
    """Turn the masks into a map; only ground that joins the roamed part counts as free."""
    reach = ndimage.binary_dilation(
        roam, iterations=max(1, round(ROBOT_RADIUS / floor.resolution))
    )
    occupancy = ~(free & reach)
    # Physics needs only the rim that can be touched: what lies deeper is never reached.
    rim = occupancy & ndimage.binary_dilation(~occupancy, np.ones((3, 3)), iterations=3)
    rectangles = cover(rim)
    low, high = _range_of(floor.height, rectangles)
    walls = boxes(
        rectangles, floor.origin, floor.resolution, low - 0.2, high + options.robot_height
    )
    return CollisionMap(floor.resolution, floor.origin, occupancy, floor.height, ~occupancy, walls)


def _range_of(
    height: NDArray[np.float32], rectangles: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest floor under each rectangle. [B], [B]"""
    parts = [height[r0:r1, c0:c1] for r0, c0, r1, c1 in rectangles]
    low = np.array([part.min() for part in parts], np.float64)
    return low, np.array([part.max() for part in parts], np.float64)


def _spawn(collision: CollisionMap, roam: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Spread points over the roamed ground that is clear enough for any robot. [S, 2]"""
    stride = max(1, round(SPAWN_SPACING / collision.resolution))
    wide = roam & collision.free(SPAWN_RADIUS)
    labels, count = ndimage.label(wide)
    if count:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        wide = labels == sizes.argmax()
    else:
        wide = roam
    grid = np.zeros_like(wide)
    grid[::stride, ::stride] = True
    cells = np.argwhere(wide & grid)
    return collision.centre(cells if len(cells) else np.argwhere(wide)[:1])


def _notes(
    floor: Floor,
    roam: NDArray[np.bool_],
    up: str,
    scale: float,
    whole: GaussianCloud,
    solid: GaussianCloud,
) -> dict[str, Any]:
    ground = floor.height[roam]
    return {
        'up': up,
        'scale': float(scale),
        'free_area_m2': round(float(roam.sum()) * floor.resolution**2, 1),
        'floor_low_m': round(float(np.quantile(ground, 0.01)), 3),
        'floor_high_m': round(float(np.quantile(ground, 0.99)), 3),
        'sky_gaussians': len(whole) - len(solid),
    }
