"""People on an empty square of pavement."""

from __future__ import annotations

import numpy as np

from navbench_gs.crowd import Crowd, CrowdGround
from navbench_gs.physics.solids import PersonBody, Solid
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.spec import PersonSpec
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

FAR_AWAY = Pose2(-9.0, -9.0, 0.0)
DT = 0.05


def make_ground(wall: bool = False) -> CrowdGround:
    """20 x 20 m of pavement with a wall at x = 0 from y = -10 to 5."""
    walkable = np.ones((200, 200), bool)
    walkable[[0, -1]] = walkable[:, [0, -1]] = False
    if wall:
        walkable[:150, 98:102] = False
    height = np.zeros((200, 200), np.float32)
    return CrowdGround(
        CollisionMap(0.1, np.array([-10.0, -10.0]), ~walkable, height, walkable,
                     np.zeros((0, 7), np.float32))
    )


def make_crowd(people: list[PersonSpec], ground: CrowdGround | None = None,
               solids: tuple[Solid, ...] = (), seed: int = 1) -> Crowd:
    bodies = [PersonBody(f'person_{i}', 0.25, 1.7) for i in range(len(people))]
    return Crowd(ground or make_ground(), load_robot('coco'), people, bodies, solids, seed)


def walk(crowd: Crowd, seconds: float, robot: Pose2 = FAR_AWAY,
         solids: np.ndarray | None = None) -> np.ndarray:
    """Step; returns places over time [T, P, 3]."""
    things = np.zeros((0, 2)) if solids is None else solids
    track = []
    for _ in range(round(seconds / DT)):
        crowd.step(DT, robot, (0.0, 0.0), things)
        track.append(crowd.places)
    return np.array(track)


def person(start: tuple[float, float], goal: tuple[float, float], *, blind: bool = False,
           speed: float = 1.2, behaviour: str = 'walk') -> PersonSpec:
    return PersonSpec(0, start, goal, speed, blind, behaviour)  # type: ignore[arg-type]
