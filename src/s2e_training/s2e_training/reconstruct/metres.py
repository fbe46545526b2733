"""Which way is up in a model of photos, and how many metres its unit is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from s2e_training.errors import TrainingError
from s2e_training.reconstruct.colmap import Model

EARTH_RADIUS = 6_371_000.0
"""Metres; over a capture's few hundred metres its shape does not matter."""
SURE = 0.3
"""Largest relative standard error of a scale from GPS that is worth telling."""
PITCH = 0.1
"""Pull of the mean upward direction of photos, against 1 of their level horizontal edges: hands
hold a phone level, but tip it forward or back."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metres:
    """The scale of a model."""

    per_unit: float
    error: float | None
    """Standard error, relative; None where it was given."""
    origin: str


def upright(model: Model) -> Model:
    """Turn a model so that z points up, as far as the photos tell: the edges of photos are level.

    Raises:
        TrainingError: The photos do not agree on what is up.
    """
    right = np.array([photo.pose[:3, 0] for photo in model.photos])
    up = -np.array([photo.pose[:3, 1] for photo in model.photos]).mean(axis=0)
    length = float(np.linalg.norm(up))
    if length < 0.3:
        raise TrainingError('the photos do not agree on what is up: were some turned?')
    up /= length
    spread = right.T @ right + PITCH * len(right) * (np.eye(3) - np.outer(up, up))
    axis = np.linalg.eigh(spread)[1][:, 0]
    axis = axis if axis @ up > 0 else -axis
    side = np.cross(axis, np.eye(3)[int(np.argmin(np.abs(axis)))])
    side /= np.linalg.norm(side)
    turn = np.eye(4)
    turn[:3, :3] = np.stack([side, np.cross(axis, side), axis])
    photos = [replace(photo, pose=turn @ photo.pose) for photo in model.photos]
    return replace(model, photos=photos, points=model.points @ turn[:3, :3].T)


def from_distance(model: Model, words: str) -> Metres:
    """Return the scale from `'FIRST SECOND METRES'`: how far apart two photos were taken.

    Raises:
        TrainingError: The words are not of that form, or a photo has no pose.
    """
    try:
        first, second, number = words.split()
        metres = float(number)
    except ValueError as error:
        raise TrainingError(f'distance takes "PHOTO PHOTO METRES", got {words!r}') from error
    places = {photo.name: photo.pose[:3, 3] for photo in model.photos}
    for name in (first, second):
        if name not in places:
            raise TrainingError(f'distance: no photo {name!r} has a pose')
    units = float(np.linalg.norm(places[first] - places[second]))
    if not (units > 1e-9 and math.isfinite(metres) and metres > 0):
        raise TrainingError(f'distance must lie between two places and be positive, got {words!r}')
    return Metres(metres / units, None, f'{metres} m between {first} and {second}, as given')


def from_gps(model: Model, folder: Path) -> Metres | None:
    """Return the scale that positions in the photos' EXIF give, or None if they do not tell.

    Positions are matched by turning, scaling and shifting the model's horizontal plane: with
    complex numbers a least-squares line. GPS heights are too coarse to use.

    Args:
        model: z up.
        folder: where the photos lie.
    """
    found = [(position, photo.pose[:3, 3]) for photo in model.photos
             if (position := read_gps(folder / photo.name)) is not None]
    if len(found) < 4:
        return None
    degrees = np.array([position for position, _ in found])
    places = np.array([place for _, place in found])
    radians = np.deg2rad(degrees - degrees.mean(0))
    north = EARTH_RADIUS * radians[:, 0]
    east = EARTH_RADIUS * radians[:, 1] * math.cos(math.radians(degrees[:, 0].mean()))
    return _match(places[:, 0] + 1j * places[:, 1], east + 1j * north)


def _match(model: NDArray[np.complex128], ground: NDArray[np.complex128]) -> Metres | None:
    """Fit ground = a model + b; the scale is |a|."""
    model, ground = model - model.mean(), ground - ground.mean()
    spread = float((np.abs(model) ** 2).sum())
    if spread < 1e-12:
        return None
    factor = complex((model.conj() * ground).sum() / spread)
    rest = float((np.abs(ground - factor * model) ** 2).sum()) / (2 * len(model) - 4)
    scale = abs(factor)
    error = math.sqrt(rest / spread) / scale if scale > 0 else math.inf
    if error > SURE:
        return None
    return Metres(scale, error, f'GPS of {len(model)} photos, {math.sqrt(rest):.1f} m off each')


def read_gps(path: Path) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees from a photo's EXIF, or None."""
    try:
        with Image.open(path) as picture:
            tags = picture.getexif().get_ifd(0x8825)
        values = []
        for letter, numbers, negative in ((1, 2, 'S'), (3, 4, 'W')):
            degrees, minutes, seconds = (float(part) for part in tags[numbers])
            value = degrees + minutes / 60 + seconds / 3600
            values.append(-value if tags[letter] == negative else value)
    except (OSError, KeyError, ValueError, TypeError, ZeroDivisionError):
        return None
    sound = all(map(math.isfinite, values)) and abs(values[0]) <= 90 and abs(values[1]) <= 180
    return (values[0], values[1]) if sound else None
