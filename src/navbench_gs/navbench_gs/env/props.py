"""The looks and bodies of an episode's obstacles and people, kept between episodes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from navbench_gs.physics.solids import PersonBody, Solid
from navbench_gs.render import DynamicGroup
from navbench_gs.scenes.captured import captured_person, short_name
from navbench_gs.scenes.objects import PersonSplats, SceneObject, known_obstacle, make_person
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec, PersonSpec

CACHE_SIZE = 256
"""Objects kept: about the people and obstacles of ten episodes, some 100 kB each."""

DRAW_RANGE = 60.0
"""People and obstacles farther away are not drawn, metres: less than two pixels high."""
LOOKS = 32
"""Different people; a seed stands for the look of that number modulo this. Making a person
takes 65 ms: with new looks in every episode ten of them would dominate a reset."""

Look = TypeVar('Look')


class Props:
    """Makes obstacles and people from their seeds; the same seed gives the same object.

    Objects are kept because renderers prepare a cloud once and know it by its identity.
    """

    def __init__(self) -> None:
        self._obstacles: OrderedDict[object, SceneObject] = OrderedDict()

    def obstacle(self, spec: ObstacleSpec) -> SceneObject:
        """Return the object that a spec names."""
        return _cached(
            self._obstacles, (spec.kind, spec.seed),
            lambda: known_obstacle(spec.kind, spec.seed),
        )

    def person(self, spec: PersonSpec) -> PersonSplats:
        """Return the person that a spec names."""
        if spec.look:
            return captured_person(spec.look)
        return _person(spec.seed % LOOKS)

    def solids(self, specs: Sequence[ObstacleSpec]) -> list[Solid]:
        """Return the obstacles' physical shapes, named ``obstacle_<index>_<kind>``."""
        solids = []
        for index, spec in enumerate(specs):
            look = self.obstacle(spec)
            size = (float(look.size[0]), float(look.size[1]), float(look.size[2]))
            solids.append(
                Solid(f'obstacle_{index}_{short_name(spec.kind)}', look.shape, size,
                      float(look.mass), spec.x, spec.y, spec.yaw, spec.pushable, look.slabs)
            )
        return solids

    def bodies(self, specs: Sequence[PersonSpec]) -> list[PersonBody]:
        """Return the people's bodies, named ``person_<index>``."""
        looks = [self.person(spec) for spec in specs]
        return [
            PersonBody(f'person_{index}', float(look.radius), float(look.height))
            for index, look in enumerate(looks)
        ]

    def groups(
        self,
        spec: EpisodeSpec,
        obstacles: NDArray[np.float64],
        people: NDArray[np.float64],
        phases: Sequence[float | None],
        here: NDArray[np.float64],
    ) -> list[DynamicGroup]:
        """Return what is drawn: obstacles where physics has them, people in their gait.

        Args:
            spec: Who and what there is.
            obstacles: `[S, 4, 4]` map <- obstacle.
            people: `[P, 4]` x, y, z, yaw, map.
            phases: Gait of each person.
            here: `[2]` the robot's place, map; what is far from it is left out.
        """
        groups = []
        for item, pose, near in zip(
            spec.obstacles, obstacles, _near(obstacles[:, :2, 3], here), strict=True
        ):
            if near:
                groups.append(DynamicGroup(self.obstacle(item).cloud, pose))
        for person, pose, phase, near in zip(
            spec.people, _upright(people), phases, _near(people[:, :2], here), strict=True
        ):
            if near:
                groups.append(DynamicGroup(self.person(person).frame(phase), pose))
        return groups


def _near(places: NDArray[np.float64], here: NDArray[np.float64]) -> list[bool]:
    """Say which places `[N, 2]` are near enough to be drawn; NaN is not."""
    near: list[bool] = (np.hypot(*(places - here).T) < DRAW_RANGE).tolist()
    return near


def _upright(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `[P, 4, 4]` map <- person from x, y, z, yaw. `[P, 4]`"""
    poses = np.tile(np.eye(4), (len(places), 1, 1))
    poses[:, :3, 3] = places[:, :3]
    cosines, sines = np.cos(places[:, 3]), np.sin(places[:, 3])
    poses[:, 0, 0], poses[:, 0, 1], poses[:, 1, 0], poses[:, 1, 1] = (
        cosines, -sines, sines, cosines
    )
    return poses


@lru_cache(maxsize=LOOKS)
def _person(look: int) -> PersonSplats:
    """Make a person once per process: drives through many scenes meet the same ones."""
    return make_person(np.random.default_rng(look))


def _cached(store: OrderedDict[object, Look], key: object, make: Callable[[], Look]) -> Look:
    """Return the stored object or make it; the least recently used one falls out."""
    if key in store:
        store.move_to_end(key)
        return store[key]
    store[key] = make()
    if len(store) > CACHE_SIZE:
        store.popitem(last=False)
    return store[key]
