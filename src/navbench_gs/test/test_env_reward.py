"""The reward: every term by hand, and that nothing pays better than arriving."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard import make_yard

from navbench_gs.env.gym.options import EnvOptions
from navbench_gs.env.gym.reward import GROUPS, RewardWeights, StepFacts, group_sums, reward_terms
from navbench_gs.env.gym.session import Session
from navbench_gs.env.gym.setting import Setting
from navbench_gs.metrics.collisions import CollisionTally
from navbench_gs.metrics.outcome import Outcome
from navbench_gs.tasks.spec import EpisodeSpec, ObstacleSpec
from s2e_core.errors import ConfigError
from s2e_core.se2 import Pose2

CALM = StepFacts(0.2, 0.3, 0, 0, 5.0, math.inf, 0.0, 0.0, 0.0, None)
ALL = RewardWeights(
    progress=1.0, arrive=20.0, time=0.1, contact=2.0, contact_person=4.0, fall=20.0,
    stuck=10.0,
    clearance=0.5, clearance_distance=0.3, sidewalk=0.1, intrusion=1.0, acceleration=0.02,
    turning=0.03,
)


def terms(**changes: object) -> dict[str, float]:
    return reward_terms(dataclasses.replace(CALM, **changes), ALL, 0.5)


@pytest.mark.parametrize(('changes', 'name', 'expected'), [
    ({}, 'progress', 0.3),
    ({'gained': -0.25}, 'progress', -0.25),
    ({}, 'time', -0.02),  # 0.1 x 0.2 s
    ({'outcome': Outcome.SUCCESS}, 'arrive', 20.0),
    ({'outcome': Outcome.TIMED_OUT}, 'arrive', 0.0),
    ({'outcome': Outcome.FELL}, 'fall', -20.0),
    ({'outcome': Outcome.STUCK}, 'stuck', -10.0),
    ({'collisions': 2, 'collisions_people': 1}, 'contact', -8.0),  # 2 x 2 + 1 x 4
    ({'clearance': 0.3}, 'clearance', 0.0),
    ({'clearance': 0.06}, 'clearance', -0.08),  # 0.5 x (1 - 0.06 / 0.3) x 0.2 s
    ({'clearance': 0.0}, 'clearance', -0.1),
    ({'off_sidewalk': 0.5}, 'sidewalk', -0.01),  # 0.1 x 0.5 x 0.2 s
    ({'person_gap': 0.2}, 'intrusion', -0.12),  # 1 x (1 - 0.2 / 0.5) x 0.2 s
    ({'person_gap': 0.5}, 'intrusion', 0.0),
    ({'acceleration': -2.0}, 'acceleration', -0.016),  # 0.02 x 4 x 0.2 s
    ({'turning': 3.0}, 'turning', -0.054),  # 0.03 x 9 x 0.2 s
    ({'seconds': 0.05, 'clearance': 0.0}, 'clearance', -0.025),  # an episode ends in a tick
])
def test_terms_by_hand(changes: dict[str, object], name: str, expected: float) -> None:
    assert terms(**changes)[name] == pytest.approx(expected)


def test_groups_hold_every_term_once_and_sum_to_the_reward() -> None:
    values = terms(collisions=1, clearance=0.1, off_sidewalk=1.0, turning=1.0)
    names = [name for group in GROUPS.values() for name in group]
    assert sorted(names) == sorted(values)
    groups = group_sums(values)
    assert sum(groups.values()) == pytest.approx(sum(values.values()))
    # 0.3 - 0.02 - 2; -0.5 x 2/3 x 0.2 - 0.1 x 0.2; -0.03 x 1 x 0.2
    assert groups == pytest.approx({'goal': -1.72, 'rules': -0.0866667, 'human': -0.006})


def test_wrong_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match=r'reward: contact must be in 0..10000.0, got -1'):
        RewardWeights(contact=-1.0)


def by_definition(ticks: list[int], gap: int) -> int:
    """Runs of ticks closer than `gap`: one each, and one for each full `gap` they last."""
    runs: list[list[int]] = []
    for tick in sorted(set(ticks)):
        if runs and tick - runs[-1][-1] < gap:
            runs[-1].append(tick)
        else:
            runs.append([tick])
    return sum(1 + (run[-1] - run[0]) // gap for run in runs)


@given(st.dictionaries(st.sampled_from('ab'), st.lists(st.integers(0, 120), max_size=60)))
def test_tally_counts_as_the_definition_says(touched: dict[str, list[int]]) -> None:
    tally = CollisionTally(1.0)
    contacts = sorted((tick, body) for body, ticks in touched.items() for tick in ticks)
    total = sum(tally.add(tick, body) for tick, body in contacts)
    assert total == tally.count
    assert total == sum(by_definition(ticks, 20) for ticks in touched.values())


SPEC = EpisodeSpec(
    'yard', 'yard', 'coco', 'obstacle', 0, 3, Pose2(-6.0, 0.0, 0.0), (6.0, 0.0), 12.0, 12.0,
    False, 40.0, (ObstacleSpec('box', 1, -3.0, 0.0, 0.0, True),),
)


def towards(session: Session, points: list[tuple[float, float]]) -> tuple[float, float]:
    """Drive along points, braking for the last."""
    pose = session.world.true_pose()
    while len(points) > 1 and pose.distance_to(points[0]) < 1.0:
        points.pop(0)
    x, y = pose.inverse().transform(np.array(points[0]))
    distance = math.hypot(x, y)
    speed = min(1.5, 1.2 * distance) if len(points) == 1 else 1.2
    if len(points) == 1 and distance < 0.3:
        speed = 0.0
    return speed, float(np.clip(2.0 * math.atan2(y, x), -1.5, 1.5))


AROUND = [(-4.5, 1.2), (-3.0, 1.6), (-1.0, 1.0), (2.0, 0.0)]


def arrive(session: Session, memory: list) -> tuple[float, float]:
    return towards(session, memory)


def stand(session: Session, memory: list) -> tuple[float, float]:
    return 0.0, 0.0


def circle(session: Session, memory: list) -> tuple[float, float]:
    return 1.0, 1.0


def hover(session: Session, memory: list) -> tuple[float, float]:
    """Arrive, but circle around the goal at a walking pace for ever."""
    if session.world.true_pose().distance_to(SPEC.goal) < 0.9:
        return 0.5, 0.7
    return (0.5, towards(session, memory)[1]) if len(memory) == 1 else towards(session, memory)


def push(session: Session, memory: list) -> tuple[float, float]:
    """Straight ahead with the box on the nose, past the goal."""
    return 1.5, 0.0


def nudge(session: Session, memory: list) -> tuple[float, float]:
    """Push the box on and off, so that no contact lasts a second."""
    memory.append(0)
    return (1.0, 0.0) if len(memory) % 8 < 4 else (0.0, 0.0)


def play(setting: Setting, drive) -> tuple[float, float, str, float]:
    """Return the sum, the discounted sum, the outcome and what was paid for progress."""
    session = Session(setting)
    session.reset(np.random.default_rng(0), {'episode': SPEC})
    memory = [*AROUND, SPEC.goal] if drive in (arrive, hover) else []
    plain = discounted = progress = 0.0
    factor = 1.0
    while True:
        step = session.step(np.array(drive(session, memory)))
        plain, discounted = plain + step.reward, discounted + factor * step.reward
        progress += step.terms['progress']
        factor *= 0.99
        if step.outcome is not None:
            return plain, discounted, step.outcome.value, progress


@pytest.fixture(scope='module')
def setting() -> Setting:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('navbench_gs.scenes.resolve.resolve_scene', lambda spec: make_yard())
        setting = Setting.open(EnvOptions(scenes=('yard',), width=16, height=16, threads=1))
        setting.store.get('yard')
    return setting


def test_nothing_pays_better_than_arriving(setting: Setting) -> None:
    best = play(setting, arrive)
    assert best[2] == 'success'
    # 12 m of way less at most the goal's 0.5 m, and 20 for arriving; time and comfort cost 2.
    assert best[0] == pytest.approx(12.0 + 20.0 - 0.3 - 1.8, abs=1.0)
    results = {drive: play(setting, drive) for drive in (stand, circle, hover, push, nudge)}
    for drive, (plain, discounted, outcome, _) in results.items():
        assert outcome == 'timed_out', drive.__name__
        assert plain < best[0] - 15.0, drive.__name__
        assert discounted < best[1] - 5.0, drive.__name__
    # Standing: 40 s at 0.1; circling ends where it began, within its circle of 1 m.
    assert results[stand][0] == pytest.approx(-4.0, abs=0.05)
    assert abs(results[circle][3]) < 2.1
    assert results[circle][0] < -1.0
    # Hovering is paid the way to the goal once.
    assert 10.5 < results[hover][3] < 12.0
    # Pushing costs more than the way it gains, and so does pushing on and off.
    assert results[push][0] < results[stand][0]
    assert results[nudge][0] < results[stand][0]


@pytest.mark.parametrize('ends', [True, False])
def test_a_stuck_robot_ends_its_episode_where_asked(setting: Setting, ends: bool) -> None:
    box = dataclasses.replace(SPEC.obstacles[0], pushable=False)
    options = dataclasses.replace(setting.options, end_stuck=ends)
    session = Session(dataclasses.replace(setting, options=options))
    session.reset(np.random.default_rng(0), {
        'episode': dataclasses.replace(SPEC, obstacles=(box,), time_limit=12.0),
    })
    step = session.step(np.array([1.0, 0.0]))
    while step.outcome is None:
        step = session.step(np.array([1.0, 0.0]))
    # 3 m less half a robot and half a box at up to 1 m/s, then 3 s without getting on.
    assert step.terminated is ends
    assert step.terms['stuck'] == (-10.0 if ends else 0.0)
    info = session.info()
    assert info['cause'] == 'collision-blocked'
    assert info['outcome'] == ('stuck' if ends else 'timed_out')
    assert (4.5 < info['elapsed'] < 8.0) is ends
