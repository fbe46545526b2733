"""The look of house fronts: brick or plaster, windows, doors, shops and their signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navbench_gs.scenes.city.ground import hashed, smooth_noise
from navbench_gs.scenes.city.light import SHINE

Float = NDArray[np.float64]

_WALLS = np.array(
    [[0.62, 0.34, 0.26], [0.70, 0.45, 0.33], [0.52, 0.30, 0.26], [0.86, 0.80, 0.66],
     [0.88, 0.86, 0.82], [0.82, 0.66, 0.46], [0.66, 0.72, 0.74], [0.78, 0.58, 0.50],
     [0.70, 0.74, 0.62], [0.60, 0.58, 0.56]]
)
_BRICKS = 3
# Only in scenes outside the training distribution.
_OTHER_WALLS = np.array(
    [[0.30, 0.48, 0.66], [0.88, 0.62, 0.70], [0.20, 0.52, 0.50], [0.92, 0.82, 0.38],
     [0.36, 0.34, 0.52], [0.84, 0.40, 0.24], [0.56, 0.70, 0.38]]
)
_OTHER_PATTERNS = ('timber', 'tiles', 'sheet')
_SIGNS = np.array(
    [[0.75, 0.12, 0.12], [0.10, 0.35, 0.62], [0.08, 0.45, 0.28], [0.90, 0.66, 0.10],
     [0.18, 0.18, 0.20], [0.55, 0.14, 0.45], [0.92, 0.90, 0.86]]
)
_DOORS = np.array(
    [[0.30, 0.16, 0.10], [0.12, 0.25, 0.18], [0.16, 0.20, 0.36], [0.45, 0.10, 0.10],
     [0.22, 0.22, 0.24]]
)


@dataclass(frozen=True)
class FacadeStyle:
    """How one house looks."""

    height: float
    """Eaves height, metres."""
    storey: float
    """Height of an upper storey, metres."""
    bay: float
    """Distance between window axes, metres."""
    window: tuple[float, float]
    """Width and height of a window, metres."""
    shop: bool
    """Shop windows and a sign on the ground floor."""
    base: Float
    """`[3]` wall colour."""
    trim: Float
    """`[3]` colour of frames and cornices."""
    plinth: Float
    """`[3]` colour of the lowest 0.5 m."""
    sign: Float
    """`[3]` colour of the shop's sign."""
    door: Float
    """`[3]` colour of doors."""
    roof: Float
    """`[3]` colour from above."""
    pattern: str = 'plaster'
    """What a bare wall is made of: plaster, brick, timber, tiles or sheet."""
    lit: bool = False
    """Lamps are on behind some of the windows."""


def draw_style(rng: np.random.Generator, other: bool = False, lit: bool = False) -> FacadeStyle:
    """Draw the look of one house.

    Args:
        rng: source of chance.
        other: take walls that no training seed has.
        lit: lamps are on behind some of the windows.
    """
    walls = _OTHER_WALLS if other else _WALLS
    which = int(rng.integers(len(walls)))
    storey = float(rng.uniform(2.9, 3.4))
    base = np.clip(walls[which] * rng.uniform(0.9, 1.08) + rng.normal(0.0, 0.02, 3), 0.05, 0.92)
    return FacadeStyle(
        height=3.6 + storey * int(rng.integers(1, 4)) + 0.5,
        storey=storey,
        bay=float(rng.uniform(1.9, 3.0)),
        window=(float(rng.uniform(0.9, 1.4)), float(rng.uniform(1.3, 1.8))),
        shop=bool(rng.random() < 0.5),
        base=base,
        trim=np.array([0.9, 0.89, 0.86]) * rng.uniform(0.75, 1.0),
        plinth=np.array([0.42, 0.41, 0.40]) * rng.uniform(0.8, 1.2),
        sign=_SIGNS[rng.integers(len(_SIGNS))],
        door=_DOORS[rng.integers(len(_DOORS))],
        roof=np.array([0.45, 0.28, 0.24]) if rng.random() < 0.5 else np.array([0.36, 0.37, 0.40]),
        pattern=str(rng.choice(_OTHER_PATTERNS)) if other else (
            'brick' if which < _BRICKS else 'plaster'
        ),
        lit=lit,
    )


def paint(
    style: FacadeStyle, u: Float, z: Float, length: float, seed: int
) -> tuple[Float, Float]:
    """Colour points of a front.

    Args:
        style: look of the house.
        u: `[N]` metres along the wall.
        z: `[N]` metres above the pavement.
        length: of the wall, metres.
        seed: of its random details.

    Returns:
        Colours `[N, 3]` and offsets `[N]` outward from the wall's plane (glass lies deeper).
    """
    colours = _wall(style, u, z, seed)
    offset = np.zeros(len(u))
    if length > 1.6:
        _upper_windows(style, u, z, length, seed, colours, offset)
        if style.shop and length > 3.5:
            _shop(style, u, z, length, seed, colours, offset)
        else:
            _ground_floor(style, u, z, length, seed, colours, offset)
    plinth = (z < 0.45) & (offset > -0.01)
    colours[plinth] = style.plinth
    for height in (3.45, style.height - 0.2):
        band = np.abs(z - height) < 0.14
        colours[band], offset[band] = style.trim, 0.06
    return np.where(colours > 1.0, colours, np.clip(colours, 0.0, 1.0)), offset


def _wall(style: FacadeStyle, u: Float, z: Float, seed: int) -> Float:
    """Colour bare wall: bricks in courses, or plaster with weathering."""
    uz = np.stack([u, z], axis=-1)
    shade = 1.0 + 0.16 * (smooth_noise(uz, 1.7, seed) - 0.5)
    if style.pattern in _OTHER_PATTERNS:
        return _other_wall(style, u, z, shade, seed)
    if style.pattern == 'brick':
        course = np.floor(z / 0.15).astype(np.int64)
        brick = np.floor((u + 0.15 * (course % 2)) / 0.30).astype(np.int64)
        shade += 0.34 * (hashed(course, brick, seed=seed) - 0.5)
    else:
        shade += 0.07 * (smooth_noise(uz, 0.35, seed + 1) - 0.5)
        shade -= 0.12 * np.exp(-np.maximum(z - 0.45, 0.0) / 0.5)
    return np.asarray(style.base * shade[:, None])


def _other_wall(style: FacadeStyle, u: Float, z: Float, shade: Float, seed: int) -> Float:
    """Colour walls of the scenes outside the training distribution."""
    if style.pattern == 'timber':
        # Dark beams: posts, rails, and a brace in every second field.
        across, up = np.mod(u, 1.6), np.mod(z, 1.45)
        field = np.floor(u / 1.6).astype(np.int64) + np.floor(z / 1.45).astype(np.int64)
        brace = (np.abs(across - 1.1 * up) < 0.13) & (field % 2 == 0)
        beam = (across < 0.2) | (up < 0.2) | brace
        colours = np.where(beam[:, None], [0.22, 0.14, 0.10], 0.4 * style.base + 0.52)
        return np.asarray(colours * shade[:, None])
    if style.pattern == 'tiles':
        row, column = np.floor(z / 0.45).astype(np.int64), np.floor(u / 0.45).astype(np.int64)
        tone = hashed(row, column, seed=seed)
        light = (row + column) % 2 == 0
        colours = np.where(light[:, None], style.base, 0.35 * style.base + 0.55)
        return np.asarray(colours * (shade + 0.2 * (tone - 0.5))[:, None])
    # Ribbed sheet: narrow bright and dark stripes, a seam every 2.4 m.
    rib = 0.16 * np.sin(2.0 * np.pi * u / 0.6) - 0.3 * (np.mod(u, 2.4) < 0.16)
    return np.asarray(style.base * (shade + rib)[:, None])


def _shine(colours: Float, where: NDArray[np.bool_], tone: Float) -> None:
    """Light panes from within, each in its own tone `[N]` between 0 and 1."""
    warm = np.array([0.98, 0.80, 0.50]) * (0.55 + 0.45 * tone)[:, None]
    colours[where] = SHINE + warm[where]


def _bays(style: FacadeStyle, u: Float, length: float) -> tuple[Float, NDArray[np.int64], float]:
    """Return the distance `[N]` to the nearest window axis, its number `[N]`, and the bay."""
    count = max(1, int(round(length / style.bay)))
    bay = length / count
    number = np.clip(np.floor(u / bay).astype(np.int64), 0, count - 1)
    return u - (number + 0.5) * bay, number, bay


def _glass(
    colours: Float, offset: Float, where: NDArray[np.bool_], tone: Float, up: Float
) -> None:
    """Paint panes: dark with the sky's reflection growing upwards, set back."""
    pane = np.array([0.16, 0.20, 0.25]) + np.outer(0.10 + 0.25 * tone * up, [0.8, 0.95, 1.1])
    colours[where] = pane[where]
    offset[where] = -0.12


def _upper_windows(
    style: FacadeStyle, u: Float, z: Float, length: float, seed: int, colours: Float,
    offset: Float,
) -> None:
    """Paint the windows above the ground floor, with frames, sills and some blinds."""
    across, number, bay = _bays(style, u, length)
    width = min(style.window[0], bay - 0.5)
    if width < 0.4:
        return
    storey = np.floor((z - 3.6) / style.storey).astype(np.int64)
    up = z - 3.6 - storey * style.storey - 0.9
    storeys = int((style.height - 3.7) / style.storey)
    on = (storey >= 0) & (storey < storeys)
    edge = np.maximum(np.abs(across) - 0.5 * width, np.abs(up - 0.5 * style.window[1])
                      - 0.5 * style.window[1])
    frame = on & (edge < 0.16) & (edge >= 0.0)
    colours[frame] = style.trim
    tone = hashed(storey, number, seed=seed + 5)
    _glass(colours, offset, on & (edge < 0.0), tone, np.clip(up / style.window[1], 0.0, 1.0))
    if style.lit:
        _shine(colours, on & (edge < 0.0) & (tone < 0.38), np.mod(7.0 * tone, 1.0))
    blind = on & (edge < 0.0) & (tone > 0.72) & (up > style.window[1] * (tone - 0.5))
    colours[blind] = np.array([0.78, 0.74, 0.66])
    sill = on & (np.abs(up + 0.12) < 0.16) & (np.abs(across) < 0.5 * width + 0.2)
    colours[sill], offset[sill] = 0.85 * style.trim, 0.08


def _ground_floor(
    style: FacadeStyle, u: Float, z: Float, length: float, seed: int, colours: Float,
    offset: Float,
) -> None:
    """Paint a dwelling's ground floor: one or two doors, windows elsewhere."""
    across, number, bay = _bays(style, u, length)
    door_bay = hashed(np.array([7]), seed=seed)[0]
    count = max(1, int(round(length / bay)))
    is_door = number == int(door_bay * count)
    tone = hashed(number, seed=seed + 6)
    width = min(1.0, bay - 0.4)
    half = np.where(is_door, 0.52, 0.5 * width)
    low, high = np.where(is_door, -1.0, 1.0), np.where(is_door, 2.25, 2.55)
    edge = np.maximum(np.abs(across) - half, np.maximum(low - z, z - high))
    frame = (edge >= 0.0) & (edge < 0.17)
    colours[frame] = style.trim
    _glass(colours, offset, (edge < 0.0) & ~is_door, tone, np.clip((z - 1.0) / 1.5, 0.0, 1.0))
    if style.lit:
        _shine(colours, (edge < 0.0) & ~is_door & (tone < 0.45), np.mod(7.0 * tone, 1.0))
    leaf = (edge < 0.0) & is_door
    panel = 1.0 + 0.25 * (np.floor(z / 0.55).astype(np.int64) % 2) * (np.abs(across) < 0.3)
    colours[leaf] = (style.door * panel[:, None])[leaf]
    offset[leaf] = -0.10
    step = is_door & (z < 0.1) & (np.abs(across) < 0.7)
    colours[step] = 0.7


def _shop(
    style: FacadeStyle, u: Float, z: Float, length: float, seed: int, colours: Float,
    offset: Float,
) -> None:
    """Paint a shop: tall panes with goods, mullions, a door and a sign with letters."""
    inner = (u > 0.35) & (u < length - 0.35)
    pane_width = (length - 0.7) / max(2, int(round((length - 0.7) / 1.5)))
    place = (u - 0.35) / pane_width
    number = np.floor(place).astype(np.int64)
    mullion = np.abs(place - np.round(place)) * pane_width < 0.08
    is_door = number == int(hashed(np.array([3]), seed=seed)[0] * (length - 0.7) / pane_width)
    glass = inner & ~mullion & (z < 2.6) & ((z > 0.55) | (is_door & (z > 0.05)))
    tone = hashed(number, seed=seed + 8)
    _glass(colours, offset, glass, 0.6 + 0.4 * tone, np.clip(z / 2.6, 0.0, 1.0) * 0.8)
    if style.lit:
        _shine(colours, glass & (tone < 0.75), tone)
    goods = glass & ~is_door & (z < 1.5)
    kind = np.floor(u / 0.3).astype(np.int64), np.floor(z / 0.45).astype(np.int64)
    goods &= hashed(*kind, seed=seed + 9) > 0.45
    hue = np.stack([hashed(*kind, seed=seed + c) for c in (11, 12, 13)], axis=-1)
    shown = 0.2 + 0.6 * hue
    colours[goods] = (SHINE + 0.8 * shown if style.lit else shown)[goods]
    frame = inner & (mullion & (z < 2.6) | (np.abs(z - 2.62) < 0.08))
    colours[frame] = 0.55 * style.sign + 0.1
    board = (z > 2.7) & (z < 3.3) & inner
    colours[board], offset[board] = style.sign, 0.10
    middle, span = 0.5 * length, min(0.32 * length, 2.2)
    letter = np.floor((u - middle) / 0.15).astype(np.int64)
    drawn = hashed(letter, np.floor(z / 0.15).astype(np.int64), seed=seed + 10) > 0.42
    text = board & (np.abs(u - middle) < span) & (np.abs(z - 3.0) < 0.2) & drawn
    text &= letter % 4 != 0
    ink = 0.95 if style.sign.mean() < 0.6 else 0.12
    colours[text] = SHINE + 0.95 if style.lit else ink
