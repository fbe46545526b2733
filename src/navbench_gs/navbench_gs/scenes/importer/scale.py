"""Metres per unit of a capture: given, from a distance one knows, or from the camera's height."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.scenes.importer.options import ImportOptions
from navbench_gs.splats.cloud import GaussianCloud

CAMERAS = 'cameras.json'
"""What INRIA's trainer writes beside `point_cloud/`: the poses of the photos, in the splat's
frame."""
MAX_BYTES = 64_000_000
USED = 60
"""Cameras that look down, evenly through the list: more do not move the median."""
SPREAD = 0.5
"""Largest ratio of the middle half's width to the median: beyond, nobody held one height."""

Floats = NDArray[np.float64]


def find_scale(cloud: GaussianCloud, options: ImportOptions, source: Path) -> tuple[float, str]:
    """Return metres per unit and where they come from.

    Args:
        cloud: The capture as it is.
        options: What the user knows.
        source: The capture's path, beside which cameras are looked for.

    Raises:
        SceneError: The distance has no length, or the cameras do not tell.
    """
    if options.scale is not None:
        return options.scale, f'{options.scale} m per unit, as given'
    if options.distance is not None:
        one, other, metres = options.distance
        units = math.dist(one, other)
        if units < 1e-6:
            raise SceneError(f'distance: the two points must differ, got {one} twice')
        return metres / units, f'{metres / units:.4f} m per unit, from {metres} m given'
    if options.camera_height is not None:
        positions, up = read_cameras(options.cameras or find_cameras(source))
        heights = heights_above_ground(cloud, positions, up)
        scale = options.camera_height / _agreed(heights)
        return scale, f'{scale:.4f} m per unit, from cameras at {options.camera_height} m'
    return 1.0, 'assumed 1 unit = 1 m, not measured'


def find_cameras(source: Path) -> Path:
    """Return the `cameras.json` of a capture: beside it, or up to three folders above.

    Raises:
        SceneError: There is none.
    """
    folder = source.resolve() if source.is_dir() else source.resolve().parent
    for place in (folder, *list(folder.parents)[:3]):
        if (place / CAMERAS).is_file():
            return place / CAMERAS
    raise SceneError(
        f'{source}: the poses of the photos must lie in {CAMERAS} beside the capture, up to three '
        'folders above, or in a file named with --cameras; else give --scale or --distance'
    )


def read_cameras(path: Path) -> tuple[Floats, Floats]:
    """Read where photos were taken.

    Args:
        path: JSON list of `position` [3] and `rotation` [3][3], world <- camera with y down, as
            INRIA's trainer writes it.

    Returns:
        Positions `[N, 3]` and the mean direction up `[3]`, in the capture's frame.

    Raises:
        SceneError: The file is not of that form.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SceneError(f'{path}: may have {MAX_BYTES} bytes, got {path.stat().st_size}')
        entries: Any = json.loads(path.read_text(encoding='utf-8'))
        positions = np.array([entry['position'] for entry in entries], dtype=np.float64)
        turns = np.array([entry['rotation'] for entry in entries], dtype=np.float64)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise SceneError(f'{path}: is not a list of cameras: {error!r}') from error
    if len(positions) < 3 or positions.shape[1:] != (3,) or turns.shape[1:] != (3, 3):
        raise SceneError(
            f'{path}: needs 3 cameras or more with position [3] and rotation [3][3], got '
            f'{positions.shape} and {turns.shape}'
        )
    up = -turns[:, :, 1].mean(axis=0)
    length = float(np.linalg.norm(up))
    if not np.isfinite(positions).all() or not length > 0.3:
        raise SceneError(f'{path}: the cameras do not agree on what is up')
    return positions, up / length


def heights_above_ground(cloud: GaussianCloud, positions: Floats, up: Floats) -> Floats:
    """Measure how high cameras were held, by looking down from each.

    Args:
        cloud: The capture.
        positions: `[N, 3]` capture frame.
        up: `[3]` unit vector.

    Returns:
        Units from camera to ground for each camera that sees ground below.
    """
    # Drawing is only needed here, and its kernels take seconds to compile the first time.
    from navbench_gs.render import RenderCamera, make_renderer

    side = np.cross(up, np.eye(3)[int(np.argmin(np.abs(up)))])
    side /= np.linalg.norm(side)
    renderer = make_renderer(cloud)
    extent = float(np.linalg.norm(np.ptp(positions, axis=0))) or 1.0
    found = []
    for index in np.unique(np.linspace(0, len(positions) - 1, USED).astype(int)):
        pose = np.eye(4)
        pose[:3, :3] = np.stack([side, np.cross(-up, side), -up], axis=1)
        pose[:3, 3] = positions[index]
        # Near is a thousandth of the walk: it must not depend on the unit that is looked for.
        camera = RenderCamera.from_fov(32, 32, math.radians(40.0), pose, near=1e-3 * extent)
        depth = renderer.render(camera).depth
        if np.isfinite(depth).mean() > 0.5:
            found.append(float(np.median(depth[np.isfinite(depth)])))
    return np.array(found)


def _agreed(heights: Floats) -> float:
    """Return the median height.

    Raises:
        SceneError: Too few cameras see ground, or their heights differ too much.
    """
    if len(heights) < 3:
        raise SceneError(
            f'camera height: 3 cameras or more must see ground below them, got {len(heights)}; '
            'give --scale or --distance'
        )
    low, middle, high = np.percentile(heights, (25, 50, 75))
    if (high - low) / middle > SPREAD:
        raise SceneError(
            f'camera height: half of the cameras were held between {low:.3g} and {high:.3g} units '
            'over the ground, which is not one height; give --scale or --distance'
        )
    return float(middle)
