"""What a critic may know, by hand."""

from __future__ import annotations

import math

import gymnasium
import numpy as np
import pytest

from navbench_gs.env.gym import ENV_ID
from navbench_gs.env.gym.truth import BEAMS, PEOPLE, TRUTH, world_truth
from s2e_core.se2 import Pose2


def truth(people: np.ndarray, velocities: np.ndarray, left: float = 12.0) -> np.ndarray:
    """Of a robot at (1, 2) that looks along +y, with its goal 5 m ahead and 1 m to the left."""
    beams = np.full(BEAMS, np.inf)
    beams[3] = 3.0
    pose = Pose2(1.0, 2.0, math.pi / 2)
    return world_truth(pose, (0.0, 7.0), left, 25.0, beams, people, velocities)


def test_by_hand():
    # One person 3 m ahead, walking to the robot's right (+x) at 1 m/s; who is not there is NaN.
    people = np.array([[np.nan, np.nan, 0.0], [1.0, 5.0, 0.0]])
    values = truth(people, np.array([[np.nan, np.nan], [1.0, 0.0]]))
    assert values.shape == (TRUTH,) and values.dtype == np.float32
    np.testing.assert_allclose(values[:4], [1.2, 0.5, 0.1, 2.5], atol=1e-6)
    beams = values[4 : 4 + BEAMS]
    assert beams[3] == pytest.approx(math.exp(-1.0)) and np.count_nonzero(beams) == 1
    # exp(-3/3) = 0.3679; ahead is (1, 0), and +x in map is -y in base_link.
    near = values[4 + BEAMS :].reshape(PEOPLE, 4)
    np.testing.assert_allclose(near[0] / math.exp(-1.0), [1, 0, 0, -1], atol=1e-6)
    assert not near[1:].any()


def test_the_nearest_people_come_first():
    places = np.array([[1.0, 2.0 + d, 0.0] for d in (9, 4, 1, 7, 2, 5)])
    near = truth(places, np.zeros((6, 2)))[4 + BEAMS :].reshape(PEOPLE, 4)
    np.testing.assert_allclose(near[:, 0], np.exp(-np.array([1, 2, 4, 5]) / 3), rtol=1e-5)


def test_off_the_map_the_straight_distance_stands_for_the_way():
    values = truth(np.zeros((0, 3)), np.zeros((0, 2)), left=math.inf)
    assert values[0] == pytest.approx(math.hypot(5, 1) / 10)
    assert np.isfinite(values).all()


@pytest.mark.usefixtures('only_yard')
def test_info_holds_it_only_where_asked_for():
    options = {'scenes': 'yard', 'width': 32, 'height': 24, 'threads': 1, 'tasks': 'pedestrian'}
    assert 'truth' not in gymnasium.make(ENV_ID, **options).reset(seed=0)[1]
    environment = gymnasium.make(ENV_ID, truth=True, **options)
    observation, info = environment.reset(seed=0)
    assert 'truth' not in observation and info['truth'].shape == (TRUTH,)
    # The goal by odometry that has not drifted yet, and the way the judge measures.
    np.testing.assert_allclose(info['truth'][1:3], observation['goal'] / 10, atol=1e-5)
    assert info['truth'][0] == pytest.approx(info['geodesic'] / 10, abs=1e-5)
    batch = gymnasium.make_vec(ENV_ID, num_envs=2, truth=True, **options)
    np.testing.assert_allclose(batch.reset(seed=0)[1]['truth'][0], info['truth'], atol=1e-6)
