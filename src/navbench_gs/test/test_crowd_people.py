"""People find their way, keep clear of walls and of each other, and repeat themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pavement import DT, FAR_AWAY, make_crowd, make_ground, person, walk

from navbench_gs.crowd import CrowdGround
from navbench_gs.physics.solids import Solid
from navbench_gs.scenes.collision import CollisionMap
from s2e_core.se2 import Pose2


def test_alone_a_person_walks_straight_at_the_wanted_speed() -> None:
    # 1.2 m/s, 3 m/s^2: at speed after 0.4 s (0.24 m); 4 s give 0.24 + 3.6 x 1.2 = 4.56 m.
    track = walk(make_crowd([person((-5.0, 0.0), (5.0, 0.0))]), 4.0)
    assert track[-1, 0, 0] + 5.0 == pytest.approx(4.56, abs=0.1)
    assert np.abs(track[:, 0, 1]).max() < 0.3
    assert abs(track[-1, 0, 2]) < 0.1


def test_at_the_end_of_the_way_people_turn_round() -> None:
    track = walk(make_crowd([person((-2.0, 0.0), (2.0, 0.0))]), 6.0)
    assert track[:, 0, 0].max() > 1.5
    assert track[-1, 0, 0] < 0.0
    assert abs(math.remainder(track[-1, 0, 2] - math.pi, 2 * math.pi)) < 0.3


def test_routes_lead_around_walls() -> None:
    ground = make_ground(wall=True)
    route = ground.route((-4.0, 0.0), (4.0, 0.0))
    # The wall ends at y = 5: the way passes above it.
    assert route[:, 1].max() > 5.0
    assert all(ground.walkable(point) for point in route)
    track = walk(make_crowd([person((-4.0, 0.0), (4.0, 0.0))], ground), 14.0)
    assert track[:, 0, 0].max() > 3.0
    assert all(ground.walkable(place[0, :2]) for place in track)


def test_routes_lead_around_obstacles() -> None:
    route = make_ground().route((-4.0, 0.0), (4.0, 0.0), np.array([[0.0, 0.0, 0.5]]))
    # Obstacle's 0.5 m and 0.35 m of room; the first and last point may be anywhere.
    assert np.hypot(*route[1:-1].T).min() >= 0.85


def test_unreachable_goal_gives_the_straight_line() -> None:
    walkable = np.ones((100, 100), bool)
    walkable[:, 45:55] = False
    ground = CrowdGround(
        CollisionMap(0.1, np.zeros(2), ~walkable, np.zeros((100, 100), np.float32), walkable,
                     np.zeros((0, 7), np.float32))
    )
    route = ground.route((2.0, 5.0), (8.0, 5.0))
    assert route.tolist() == [[2.0, 5.0], [8.0, 5.0]]
    track = walk(make_crowd([person((2.0, 5.0), (8.0, 5.0))], ground), 6.0)
    assert all(ground.walkable(place[0, :2]) for place in track)


def test_eight_people_cross_without_touching() -> None:
    people = []
    for k in range(8):
        angle = k * math.pi / 4.0
        x, y = 5.0 * math.cos(angle), 5.0 * math.sin(angle)
        people.append(person((x, y), (-x, -y)))
    track = walk(make_crowd(people), 18.0)[:, :, :2]
    gaps = np.hypot(*np.moveaxis(track[:, :, None] - track[:, None, :], -1, 0))
    gaps[:, np.arange(8), np.arange(8)] = np.inf
    assert gaps.min() > 0.45
    starts = np.array([p.start for p in people])
    # Everyone has come to the other side at some time.
    assert (np.hypot(*np.moveaxis(track + starts, -1, 0)).min(axis=0) < 0.6).all()


@pytest.mark.parametrize('blind', [False, True])
def test_who_sees_the_robot_walks_around_it(blind: bool) -> None:
    robot = Pose2(0.0, 0.05, 0.0)
    track = walk(make_crowd([person((-5.0, 0.0), (5.0, 0.0), blind=blind)]), 12.0, robot)
    nearest = np.hypot(track[:, 0, 0] - robot.x, track[:, 0, 1] - robot.y).min()
    if blind:
        # Runs into the footprint (0.425 x 0.3 m) and is stopped at its side, 0.25 m away.
        assert nearest < 0.71
    else:
        # Keeps outside the circle around the footprint: 0.520 + 0.25 m.
        assert nearest > 0.76
        assert track[:, 0, 0].max() > 4.0


def test_nobody_walks_into_the_robot() -> None:
    robot = Pose2(0.0, 0.0, 0.3)
    track = walk(make_crowd([person((-4.0, 0.0), (4.0, 0.0), blind=True)]), 8.0, robot)
    local = robot.inverse().transform(track[:, 0, :2])
    outside = np.maximum(np.abs(local) - np.array([0.425, 0.30]), 0.0)
    # Pressed in by the 3 mm that make it a touch, and no more.
    assert np.hypot(*outside.T).min() == pytest.approx(0.247, abs=0.001)


def test_people_avoid_obstacles_on_their_way() -> None:
    crate = Solid('obstacle_0_crate', 'box', (0.3, 0.3, 0.3), 5.0, 0.0, 0.0, 0.0, True)
    crowd = make_crowd([person((-4.0, 0.0), (4.0, 0.0))], solids=(crate,))
    track = walk(crowd, 9.0, solids=np.array([[0.0, 0.0]]))
    assert np.hypot(track[:, 0, 0], track[:, 0, 1]).min() > 0.3 + 0.25
    assert track[:, 0, 0].max() > 3.0


def test_one_who_stands_stays_and_has_no_gait() -> None:
    crowd = make_crowd([person((1.0, 1.0), (1.0, 1.0), behaviour='stand')])
    track = walk(crowd, 3.0)
    assert np.abs(track[:, 0, :2] - 1.0).max() < 0.02
    assert crowd.phases == [None]


def test_gait_follows_the_distance_walked() -> None:
    crowd = make_crowd([person((-5.0, 0.0), (5.0, 0.0))])
    walk(crowd, 1.0)
    before, x = crowd.phases[0], crowd.places[0, 0]
    walk(crowd, 0.5)
    after = crowd.phases[0]
    assert before is not None
    assert after is not None
    # A cycle is 1.4 m long.
    assert (after - before) % 1.0 == pytest.approx((crowd.places[0, 0] - x) / 1.4, abs=0.02)


def test_same_seed_same_walk_other_seed_other_walk() -> None:
    people = [person((-4.0, 0.1 * k), (4.0, -0.1 * k)) for k in range(5)]
    tracks = [walk(make_crowd(people, seed=seed), 5.0) for seed in (3, 3, 4)]
    assert tracks[0].tobytes() == tracks[1].tobytes()
    assert tracks[0].tobytes() != tracks[2].tobytes()


def test_no_people_is_fine() -> None:
    crowd = make_crowd([])
    crowd.step(DT, FAR_AWAY, (0.0, 0.0), np.zeros((0, 2)))
    assert crowd.places.shape == (0, 3)
    assert crowd.phases == []
