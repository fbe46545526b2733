"""Pictures of a scene: from above with its occupancy, and as a robot sees it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from navbench_gs.errors import SceneError
from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.factory import Backend, make_renderer
from navbench_gs.render.renderer import Renderer
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.collision import CollisionMap

Image = NDArray[np.uint8]

EYE = 0.6
"""Height of a robot's camera, metres."""
PITCH = 0.10
"""It looks this far down, rad."""


def look(
    x: float, y: float, z: float, yaw: float, pitch: float = 0.0
) -> NDArray[np.float64]:
    """Return the pose `[4, 4]` scene <- optical of a level camera; pitch > 0 looks down."""
    cos, sin, down, flat = np.cos(yaw), np.sin(yaw), np.sin(pitch), np.cos(pitch)
    forward = np.array([cos * flat, sin * flat, -down])
    right = np.array([sin, -cos, 0.0])
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, np.cross(forward, right), forward
    pose[:3, 3] = x, y, z
    return pose


def first_person(
    renderer: Renderer, collision: CollisionMap, xy: NDArray[np.floating], yaw: float,
    size: tuple[int, int] = (640, 480),
) -> Image:
    """Draw what a robot at `xy` `[2]` with heading `yaw` sees (90 deg wide)."""
    z = float(collision.floor(np.asarray(xy))) + EYE
    pose = look(float(xy[0]), float(xy[1]), z, yaw, PITCH)
    camera = RenderCamera.from_fov(size[0], size[1], np.pi / 2.0, pose)
    return renderer.render(camera).rgb


def best_heading(collision: CollisionMap, xy: NDArray[np.floating]) -> float:
    """Return the heading with the longest free line from a point, rad."""
    headings = np.linspace(-np.pi, np.pi, 36, endpoint=False)
    reach = np.arange(0.2, 30.0, 0.2)
    rays = np.stack([np.cos(headings), np.sin(headings)], axis=-1)
    points = np.asarray(xy) + rays[:, None] * reach[:, None]
    blocked = collision.clearance(points) < 0.25
    length = np.where(blocked.any(axis=1), blocked.argmax(axis=1), len(reach))
    return float(headings[int(np.argmax(length))])


def top_view(
    renderer: Renderer, collision: CollisionMap, width: int = 900, *, overlay: bool = True,
    ceiling: float = 70.0,
) -> Image:
    """Draw the scene from far above; x runs right, y runs up.

    Args:
        renderer: of the scene's cloud.
        collision: its map; fixes the part that is drawn.
        width: of the picture, pixels.
        overlay: tint occupied cells red, walkable ones green.
        ceiling: height of the camera's near plane over the floor, metres: what is above is cut.
    """
    x0, y0, x1, y1 = collision.bounds
    height = int(round(width * (y1 - y0) / (x1 - x0)))
    floor = float(np.median(collision.height))
    # From 400 m up the view is nearly orthographic: a 10 m wall leans by 2.5 % of its offset.
    distance = 400.0
    pose = np.eye(4)
    pose[:3, :3] = np.diag([1.0, -1.0, -1.0])
    pose[:3, 3] = 0.5 * (x0 + x1), 0.5 * (y0 + y1), floor + distance
    focal = distance * width / (x1 - x0)
    camera = RenderCamera(
        width, height, focal, focal, 0.5 * width, 0.5 * height, pose, near=distance - ceiling
    )
    picture = renderer.render(camera).rgb.copy()
    return _tinted(picture, collision) if overlay else picture


def _tinted(picture: Image, collision: CollisionMap) -> Image:
    """Blend occupancy and walkable ground into a top view."""
    size = (picture.shape[1], picture.shape[0])

    def fit(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        flipped = np.ascontiguousarray(mask[::-1].astype(np.uint8))
        return cv2.resize(flipped, size, interpolation=cv2.INTER_NEAREST).astype(bool)

    mixed = picture.astype(np.float32)
    layers = ((collision.occupancy, (220, 30, 30)), (collision.walkable, (40, 200, 60)))
    for mask, colour in layers:
        area = fit(mask)
        mixed[area] = 0.68 * mixed[area] + 0.32 * np.array(colour, dtype=np.float32)
    return mixed.astype(np.uint8)


def contact_sheet(images: list[Image], columns: int) -> Image:
    """Put equally large pictures side by side, row by row."""
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    blank = np.full_like(images[0], 255)
    padded = [row + [blank] * (columns - len(row)) for row in rows]
    return np.concatenate([np.concatenate(row, axis=1) for row in padded], axis=0)


def write_previews(
    folder: Path, bundle: SceneBundle, views: int = 6, backend: Backend = 'cpu'
) -> list[Path]:
    """Draw a scene from above, with its occupancy, and from robot height.

    Args:
        folder: where the PNG files go; made if absent.
        bundle: the scene.
        views: first-person views, spread over the spawn points.
        backend: of the renderer.

    Returns:
        The files: top.png, occupancy.png, robot.png.

    Raises:
        SceneError: the folder cannot be written.
    """
    renderer = make_renderer(bundle.cloud(), backend=backend)
    # Indoors the ceiling must go; 2 m over the floor keeps people and furniture whole.
    ceiling = 2.0 if bundle.kind == 'capture' else 70.0
    count = min(views, len(bundle.spawn))
    spots = bundle.spawn[np.linspace(0, len(bundle.spawn) - 1, count).astype(np.int64)]
    seen = [
        first_person(renderer, bundle.collision, spot, best_heading(bundle.collision, spot))
        for spot in spots
    ]
    pictures = {
        'top.png': top_view(renderer, bundle.collision, overlay=False, ceiling=ceiling),
        'occupancy.png': top_view(renderer, bundle.collision, ceiling=ceiling),
        'robot.png': contact_sheet(seen, 2),
    }
    return [_write_png(Path(folder) / name, picture) for name, picture in pictures.items()]


def _write_png(path: Path, picture: Image) -> Path:
    """Write a picture and return its path."""
    data = cv2.imencode('.png', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise SceneError(f'{path}: cannot write the preview: {error}') from error
    return path
