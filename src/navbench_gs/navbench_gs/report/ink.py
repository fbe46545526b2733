"""Drawing on images: colours, fonts, ribbons, arrows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]
Picture = NDArray[np.uint8]

CHOSEN: Rgb = (64, 224, 208)
GOAL: Rgb = (255, 200, 60)
CONTACT: Rgb = (235, 64, 52)
PERSON: Rgb = (255, 120, 180)
INK: Rgb = (240, 244, 248)
_SUBPIXEL = 4
# Cool to warm: a low score is a dim blue, a high one a bright yellow.
_RAMP = np.array([(70, 90, 190), (60, 150, 200), (90, 200, 140), (210, 220, 80), (255, 170, 60)])


def score_colour(share: float) -> Rgb:
    """Colour of a score relative to the best, 0 to 1."""
    place = min(max(share, 0.0), 1.0) * (len(_RAMP) - 1)
    low = min(int(place), len(_RAMP) - 2)
    mixed = _RAMP[low] + (place - low) * (_RAMP[low + 1] - _RAMP[low])
    return int(mixed[0]), int(mixed[1]), int(mixed[2])


def polyline(
    image: Picture, points: NDArray[np.floating], colour: Rgb, width: int, alpha: float = 1.0
) -> None:
    """Draw a smooth line in place; parts that are not finite are left out.

    Args:
        image: Picture. [H, W, 3]
        points: Pixels. [P, 2]
        colour: RGB.
        width: Pixels.
        alpha: Opacity.
    """
    runs = _finite_runs(points)
    region, origin = _region(image, runs, width + 2)
    if not region.size:
        return
    layer = region if alpha >= 1.0 else region.copy()
    for run in runs:
        cv2.polylines(
            layer, [_fixed(run - origin)], False, colour, width, cv2.LINE_AA, _SUBPIXEL
        )
    if alpha < 1.0:
        region[:] = cv2.addWeighted(layer, alpha, region, 1.0 - alpha, 0.0)


def ribbon(
    image: Picture, left: NDArray[np.floating], right: NDArray[np.floating], colour: Rgb,
    alpha: float,
) -> None:
    """Fill the strip between two lines in place; it fades out towards its end.

    Args:
        image: Picture. [H, W, 3]
        left: Pixels. [P, 2]
        right: Pixels. [P, 2]
        colour: RGB.
        alpha: Opacity at the start.
    """
    good = np.isfinite(left).all(axis=1) & np.isfinite(right).all(axis=1)
    region, origin = _region(image, [left[good], right[good]], 4)
    if not region.size:
        return
    strength: NDArray[np.float32] = np.zeros(region.shape[:2], np.float32)
    last = len(left) - 1
    for i in range(last):
        if good[i] and good[i + 1]:
            quad = np.array([left[i], left[i + 1], right[i + 1], right[i]])
            value = alpha * (1.0 - 0.65 * i / max(last, 1))
            cv2.fillPoly(strength, [_fixed(quad - origin)], value, cv2.LINE_8, _SUBPIXEL)
    strength = np.asarray(cv2.GaussianBlur(strength, (3, 3), 0), np.float32)[..., None]
    ink = np.array(colour, np.float32) * strength
    region[:] = (region * (1.0 - strength) + ink).astype(np.uint8)


def _region(
    image: Picture, runs: Sequence[NDArray[np.floating]], margin: int
) -> tuple[Picture, NDArray[np.float64]]:
    """Return the part of the picture around the points, as a view, and its corner.

    Blending 25 lines over whole pictures of 640x480 took 10 ms of a film's 34 ms a frame.
    """
    points = np.concatenate([np.zeros((0, 2)), *runs])
    if not len(points):
        return image[:0, :0], np.zeros(2)
    size = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(points.min(axis=0)) - margin, 0, size).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + margin, 0, size).astype(int)
    return image[low[1]:high[1], low[0]:high[0]], low.astype(np.float64)


def disc(image: Picture, centre: tuple[float, float], radius: float, colour: Rgb) -> None:
    """Draw a filled disc in place."""
    scale = 1 << _SUBPIXEL
    if all(math.isfinite(value) and abs(value) < 1e5 for value in centre):
        place = (round(centre[0] * scale), round(centre[1] * scale))
        cv2.circle(image, place, round(radius * scale), colour, -1, cv2.LINE_AA, _SUBPIXEL)


def polygon(image: Picture, points: NDArray[np.floating], colour: Rgb) -> None:
    """Draw a filled polygon in place. [P, 2] pixels"""
    if np.isfinite(points).all() and np.abs(points).max() < 1e5:
        cv2.fillPoly(image, [_fixed(points)], colour, cv2.LINE_AA, _SUBPIXEL)


def dial(image: Picture, centre: tuple[float, float], radius: float, bearing: float) -> None:
    """Draw a compass with an arrow to the goal; bearing 0 is up, positive to the left."""
    shade(image, centre, radius)
    cv2.circle(image, (round(centre[0]), round(centre[1])), round(radius), INK, 1, cv2.LINE_AA)
    direction = np.array([-math.sin(bearing), -math.cos(bearing)])
    side = np.array([-direction[1], direction[0]])
    tip = np.array(centre) + 0.8 * radius * direction
    back = np.array(centre) - 0.45 * radius * direction
    polygon(image, np.array([tip, back + 0.45 * radius * side,
                             np.array(centre) - 0.15 * radius * direction,
                             back - 0.45 * radius * side]), GOAL)


def shade(image: Picture, centre: tuple[float, float], radius: float) -> None:
    """Darken a disc in place so that what is drawn on it can be read."""
    layer = image.copy()
    cv2.circle(layer, (round(centre[0]), round(centre[1])), round(radius), (12, 16, 24), -1,
               cv2.LINE_AA)
    cv2.addWeighted(layer, 0.55, image, 0.45, 0.0, dst=image)


def darken(image: Picture, top: int, bottom: int, strength: float) -> None:
    """Darken rows `top` to `bottom` in place, fading in from the top row."""
    rows = image[top:bottom]
    fade = np.linspace(0.0, 1.0, max(1, len(rows)), dtype=np.float32) ** 0.6
    rows[:] = (rows * (1.0 - strength * fade[:, None, None])).astype(np.uint8)


def texts(
    image: Picture, entries: list[tuple[str, tuple[float, float], int, Rgb, bool]]
) -> Picture:
    """Write texts; each entry is text, place of its baseline's left end, size, colour, bold."""
    canvas = Image.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    for text, place, size, colour, bold in entries:
        pen.text(place, text, font=_font(size, bold), fill=colour, anchor='ls')
    return np.asarray(canvas)


def text_width(text: str, size: int, bold: bool = False) -> float:
    """Width of a text, pixels."""
    return float(_font(size, bold).getlength(text))


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    import matplotlib

    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / name), size)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    limited = np.clip(points, -1e4, 1e4)
    return np.asarray(np.round(limited * (1 << _SUBPIXEL)), np.int32).reshape(-1, 1, 2)


def _finite_runs(points: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    good = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    return [points[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]
