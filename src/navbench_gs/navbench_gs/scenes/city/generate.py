"""A whole city scene from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navbench_gs.errors import SceneError
from navbench_gs.scenes import rectangles
from navbench_gs.scenes.bundle import SceneBundle, save_scene
from navbench_gs.scenes.city.evening import SHARE as DUSK_SHARE
from navbench_gs.scenes.city.evening import draw_dusk, lamp_light
from navbench_gs.scenes.city.facades import Lots, find_walls, make_backdrop, make_facades
from navbench_gs.scenes.city.furnish import Furniture, furnish
from navbench_gs.scenes.city.garden_ground import make_garden_ground
from navbench_gs.scenes.city.gardens import GARDEN_SEEDS, make_garden
from navbench_gs.scenes.city.ground import make_ground
from navbench_gs.scenes.city.layouts import make_plan
from navbench_gs.scenes.city.layouts_other import make_other_plan
from navbench_gs.scenes.city.light import ShadowGrid, draw_daylight, light, wall_openness
from navbench_gs.scenes.city.plan import (
    ALLEY,
    BED,
    BUILDING,
    CROSSING,
    LAWN,
    PLAZA,
    RESOLUTION,
    SIDEWALK,
    WATER,
    Plan,
)
from navbench_gs.scenes.city.planting import furnish_garden
from navbench_gs.scenes.city.sky import make_sky
from navbench_gs.scenes.city.slope import Rise, draw_rise
from navbench_gs.scenes.city.terrain import kerb_cells, road_height
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.surfels import Surfels
from navbench_gs.splats.cloud import GaussianCloud

LAYOUT_VERSION = 2
"""Part of the seed of layout, looks and weather; streets stay where they were since version 2."""
OTHER_SEEDS = range(200, 210)
"""Layouts and textures that no other seed uses."""
GENERATOR_VERSION = 3
"""Raise with every change that alters a scene: caches and hashes depend on it."""
MAX_SEED = 999_999_999
SPAWN_RADIUS = 0.45
"""Free radius around a spawn point, metres: the widest robot's half width and 0.1 m."""


def check_seed(seed: int) -> None:
    """Refuse seeds outside the protocol's ranges.

    Raises:
        SceneError: the seed is negative or too large.
    """
    if not 0 <= seed <= MAX_SEED:
        raise SceneError(f'city seed must lie in 0..{MAX_SEED}, got {seed}')


def generate_city(seed: int) -> tuple[GaussianCloud, CollisionMap, dict[str, Any]]:
    """Make the scene of a seed.

    Args:
        seed: 0-25 test, 100-125 validation, 200-209 outside the training distribution, 1000 and
            up training, of which 5000-5999 are gardens.

    Returns:
        The splats, the collision map, and notes; notes['spawn'] is `[S, 2]` xy.

    Raises:
        SceneError: the seed is not allowed.
    """
    check_seed(seed)
    layout, looks, things, weather = (
        np.random.default_rng(child)
        for child in np.random.SeedSequence([seed, LAYOUT_VERSION]).spawn(4)
    )
    hill, hour = (
        np.random.default_rng(child)
        for child in np.random.SeedSequence([seed, GENERATOR_VERSION]).spawn(2)
    )
    garden = make_garden(layout) if seed in GARDEN_SEEDS else None
    plan = garden.plan if garden is not None else _streets(layout, seed)
    height = road_height(plan)
    rise = draw_rise(hill)
    daylight = draw_dusk(hour) if hour.random() < DUSK_SHARE else draw_daylight(weather)
    lots = Lots(plan, looks, daylight.dusk)
    furniture = (
        furnish(plan, height, things, daylight.dusk) if garden is None
        else furnish_garden(garden, height, things, daylight.dusk)
    )
    walls = find_walls(plan, lots)
    ground_of = make_ground if garden is None else make_garden_ground
    parts = [
        ground_of(plan, height, looks),
        make_facades(plan, lots, walls, int(looks.integers(1 << 30))),
        make_backdrop(plan, lots, int(looks.integers(1 << 30))),
        furniture.surfels,
    ]
    matter = Surfels.join(parts)
    openness = np.ones(len(matter))
    ground = matter.points[:, 2] < 0.1
    openness[ground] = wall_openness(
        (plan.labels == BUILDING) | furniture.occupancy, plan.origin, RESOLUTION,
        matter.points[ground, :2],
    )
    lamps = lamp_light(matter, furniture.lamps) if daylight.dusk else None
    lit = light(matter, daylight, _shadows(plan, lots, furniture), openness, lamps)
    sky = make_sky(daylight, weather)
    collision = _collision(plan, height, lots, furniture, rise)
    notes = {
        'layout': plan.layout, 'half': plan.half, 'grade': round(rise.grade, 4),
        'light': 'dusk' if daylight.dusk else 'day', 'spawn': _spawn(collision, things),
    }
    return GaussianCloud.concatenate([rise.lift(lit).cloud(), sky.cloud()]), collision, notes


def write_city(seed: int, root: Path, progress: Any = None) -> SceneBundle:
    """Generate the scene of a seed into a bundle folder.

    Raises:
        SceneError: the seed is not allowed or the folder cannot be written.
    """
    if progress is not None:
        progress(f'generating city {seed}', 0.0)
    cloud, collision, notes = generate_city(seed)
    if progress is not None:
        progress(f'writing city {seed}', 0.6)
    spawn = notes.pop('spawn')
    bundle = save_scene(
        root, name=f'city-{seed}', kind='generated', cloud=cloud, collision=collision,
        spawn=spawn, seed=seed, source=f'city generator version {GENERATOR_VERSION}',
        licence='Apache-2.0', metric=True, notes=notes,
    )
    if progress is not None:
        progress(f'city {seed}', 1.0)
    return bundle


def _streets(rng: np.random.Generator, seed: int) -> Plan:
    """Draw the plan of a city."""
    return make_other_plan(rng, seed) if seed in OTHER_SEEDS else make_plan(rng)


def _shadows(plan: Plan, lots: Lots, furniture: Furniture) -> ShadowGrid:
    """Raise houses and furniture in the grid that casts shadows."""
    shadows = ShadowGrid(plan.half)
    rows, columns = np.nonzero(plan.labels == BUILDING)
    # Every second cell of 0.1 m fills the 0.4 m shadow cells without gaps.
    even = (rows % 2 == 0) & (columns % 2 == 0)
    xy = np.stack([columns[even], rows[even]], axis=-1) * RESOLUTION + plan.origin + 0.05
    shadows.raise_cells(xy, lots.heights(xy))
    shadows.raise_cells(furniture.casters[:, :2], furniture.casters[:, 2])
    return shadows


def _collision(
    plan: Plan, height: NDArray[np.float32], lots: Lots, furniture: Furniture, rise: Rise
) -> CollisionMap:
    """Join houses, kerbs and furniture into the map robots and people use."""
    building = plan.labels == BUILDING
    occupancy = building | furniture.occupancy | kerb_cells(plan, height)
    occupancy |= np.isin(plan.labels, (BED, WATER) if plan.open_lawns else (BED, LAWN, WATER))
    for edge in (occupancy[:1], occupancy[-1:], occupancy[:, :1], occupancy[:, -1:]):
        edge[:] = True
    paved = np.isin(plan.labels, (SIDEWALK, PLAZA, ALLEY))
    walkable = (paved | np.isin(plan.labels, (CROSSING, LAWN))) & ~occupancy
    walkable = _largest(walkable)
    blocks = rectangles.cover(building)
    middle = 0.5 * (blocks[:, [1, 0]] + blocks[:, [3, 2]]) * RESOLUTION + plan.origin
    houses = rectangles.boxes(blocks, plan.origin, RESOLUTION, -0.5, lots.heights(middle))
    boxes = rise.lift_boxes(np.concatenate([houses, furniture.boxes]))
    return CollisionMap(
        RESOLUTION, plan.origin, occupancy, rise.ground(plan, height), walkable, boxes,
        paved & ~occupancy,
    )


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected part of a mask."""
    parts, count = ndimage.label(mask)
    if count == 0:
        return mask
    return np.asarray(parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:])))


def _spawn(collision: CollisionMap, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw up to 400 points of the pavement with room for a robot."""
    # One connected part at the robot's own width, so that every pair is joined by a route.
    wide = _largest(collision.free(SPAWN_RADIUS) & collision.walkable)
    cells = np.argwhere(wide)
    chosen = rng.permutation(len(cells))[:400]
    return collision.centre(cells[np.sort(chosen)])
