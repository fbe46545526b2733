"""Recorded people keep to their tracks, whatever the robot does, and do not pop up before it."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.crowd import RecordedCrowd
from navbench_gs.env.simulation import Simulation
from navbench_gs.errors import SimulationError, TaskError
from navbench_gs.metrics.record import read_log
from navbench_gs.physics.solids import PersonBody
from navbench_gs.report.html import write_report
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.runner.plan import RunConfig
from navbench_gs.runner.replay import open_recorded, replay
from navbench_gs.runner.run import run_benchmark
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.recorded import place_recorded, stays
from navbench_gs.tasks.sampling import sample_episode
from navbench_gs.tasks.spec import EpisodeSpec, PersonSpec
from s2e_core.camera import SMALL_CAMERA
from s2e_core.records import Command
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

ROBOT = load_robot('coco')
FAR = Pose2(-50.0, 0.0, 0.0)
NOTHING = np.zeros((0, 2))


def person(*rows, **changes):
    values = {'seed': 1, 'start': rows[0][1:], 'goal': rows[-1][1:], 'speed': 1.0, 'blind': True,
              'behaviour': 'recorded', 'track': rows}
    return PersonSpec(**{**values, **changes})


def straight(first=0.0, seconds=8.0, x=0.0, y=0.0, speed=1.0):
    """Someone who walks along x from a time on."""
    count = round(seconds / 0.4) + 1
    return person(*[(first + 0.4 * k, x + 0.4 * speed * k, y) for k in range(count)])


def crowd(*people):
    bodies = [PersonBody(f'person_{i}', 0.25, 1.7) for i in range(len(people))]
    return RecordedCrowd(ROBOT, people, bodies, seed=3)


def play(who, seconds, robot=FAR):
    """Return places after each tick. [T, P, 3]"""
    track = []
    for _ in range(round(seconds / 0.05)):
        who.step(0.05, robot, (0.0, 0.0), NOTHING)
        track.append(who.places)
    return np.array(track)


def test_a_track_is_walked_on_time_smoothly_and_then_left():
    one = straight(first=1.2, seconds=4.0)
    places = play(crowd(one), 8.0)[:, 0]
    times = 0.05 * np.arange(1, len(places) + 1)
    there = np.isfinite(places[:, 0])
    # From 1.2 s to 5.2 s, a tick more or less.
    assert (times[there][0], times[there][-1]) == pytest.approx((1.2, 5.2), abs=0.051)
    assert places[there, 0] == pytest.approx(times[there] - 1.2, abs=0.051)
    steps = np.diff(places[there, 0])[1:-1]
    assert steps == pytest.approx(0.05, abs=1e-3)
    assert places[there, 2] == pytest.approx(0.0, abs=1e-6)


def test_corners_are_turned_without_a_jump_of_heading():
    rows = [(0.4 * k, min(k, 10) * 0.5, max(k - 10, 0) * 0.5) for k in range(21)]
    who = crowd(person(*rows))
    yaw = play(who, 7.5)[:, 0, 2]
    assert yaw[0] == pytest.approx(0.0, abs=0.01)
    assert yaw[-1] == pytest.approx(math.pi / 2, abs=0.01)
    # 3 rad/s: 0.15 rad a tick.
    assert np.abs(np.diff(yaw)).max() <= 0.151


def test_who_stands_has_legs_that_stand():
    who = crowd(person((0.0, 1.0, 1.0), (0.4, 1.0, 1.0), (20.0, 1.0, 1.0)), straight())
    play(who, 1.0)
    still, walking = who.phases
    assert still is None
    assert walking is not None


def test_nobody_appears_near_the_robot():
    robot = Pose2(2.0, 0.0, 0.0)
    who = crowd(straight(first=1.0, seconds=12.0))
    places = play(who, 14.0, robot)[:, 0]
    seen = places[np.isfinite(places[:, 0])]
    # The track begins 2 m from the robot and runs through it: first 3 m from it, behind.
    assert seen[0, 0] == pytest.approx(5.0, abs=0.1)


def test_nobody_vanishes_near_the_robot():
    one = straight(seconds=4.0)
    who = crowd(one)
    places = play(who, 10.0, Pose2(4.0, 1.5, 0.0))[:, 0]
    assert places[-1, 0] == pytest.approx(4.0, abs=0.01)
    who.step(0.05, FAR, (0.0, 0.0), NOTHING)
    assert np.isnan(who.places).all()


def test_the_robot_is_touched_not_passed_through_and_costs_only_time():
    # Walks straight at the robot's rear: stopped there, after a second round it.
    robot = Pose2(4.0, 0.0, 0.4)
    one = straight(seconds=30.0, x=-2.0)
    who = crowd(one)
    places = play(who, 28.0, robot)[:, 0]
    local = np.abs([robot.inverse().transform(xy) for xy in places[:, :2]])
    outside = np.maximum(local - [ROBOT.length / 2, ROBOT.width / 2], 0.0)
    assert np.hypot(*outside.T).min() >= 0.25 - 0.01
    free = play(crowd(one), 28.0)[:, 0]
    assert places[-1, 1] == pytest.approx(0.0, abs=0.05)
    # Held up by more than the second of patience, by less than five.
    assert 0.5 < free[-1, 0] - places[-1, 0] < 5.0


@pytest.mark.parametrize(('changes', 'message'), [
    ({'track': ()}, 'must have a track of two rows'),
    ({'track': ((0.0, 1.0, 1.0),)}, 'got 1 rows'),
    ({'behaviour': 'walk'}, "one who shall 'walk'"),
    ({'track': ((0.0, 1.0, 1.0), (0.0, 2.0, 1.0))}, 'times of a track must increase'),
    ({'track': ((0.0, 1.0, 1.0), (1.0, math.nan, 1.0))}, 'must be finite'),
])
def test_a_bad_track_is_refused(changes, message):
    with pytest.raises(TaskError, match=message):
        person((0.0, 0.0, 0.0), (0.4, 1.0, 0.0), **changes)


def test_specs_without_tracks_are_written_as_before():
    plain = PersonSpec(1, (0.0, 0.0), (1.0, 0.0), 1.0, True)
    spec = EpisodeSpec('s', 'h', 'coco', 'pedestrian', 0, 0, Pose2(0.0, 0.0, 0.0), (5.0, 0.0),
                       5.0, 5.0, False, 30.0, people=(plain,))
    assert set(spec.to_mapping()['people'][0]) == {
        'seed', 'start', 'goal', 'speed', 'blind', 'behaviour'}
    walked = dataclasses.replace(spec, people=(straight(),))
    assert EpisodeSpec.from_json(walked.to_json()) == walked


@pytest.fixture(scope='module')
def tracks(tmp_path_factory):
    """A crossing of two streams: someone every 2 s, for two minutes, some of whom stand."""
    lines = []
    for k in range(60):
        along, lane = 0.5 * k, 0.8 * (k % 3 - 1)
        for step in range(30):
            place = (-7.0 + 0.48 * step, lane) if k % 2 else (lane, -7.0 + 0.48 * step)
            lines.append((round(10 * (5 * k + step)), k, *place))
        if k % 10 == 0:
            lines += [(10 * (5 * k + s), 100 + k, 3.0 + 0.1 * along, 3.0) for s in range(50)]
    path = tmp_path_factory.mktemp('tracks') / 'crossing.txt'
    path.write_text('\n'.join('{} {} {:.3f} {:.3f}'.format(*line) for line in lines))
    return path


def test_protocols_name_tracks_by_content(tracks, tmp_path, monkeypatch):
    plain, here = load_protocol(), load_protocol('default', tracks)
    assert plain.hash.startswith('bf8046e26e78')
    assert here.hash != plain.hash
    copy = tmp_path / 'copy.txt'
    copy.write_bytes(tracks.read_bytes())
    assert load_protocol('default', copy).hash == here.hash
    copy.write_text(copy.read_text() + '\n# another\n')
    assert load_protocol('default', copy).hash != here.hash
    relative = tmp_path / 'mine.yaml'
    relative.write_text('name: mine\nversion: 1\nrecorded:\n  tracks: copy.txt\n')
    assert load_protocol(relative).recorded.tracks == str(copy)
    monkeypatch.setenv('S2E_TRACKS', str(tracks))
    assert load_protocol('recorded').recorded.digest == here.recorded.digest
    monkeypatch.delenv('S2E_TRACKS')
    with pytest.raises(TaskError, match='need a variable that is not set'):
        load_protocol('recorded')
    relative.write_text(relative.read_text() + f'  digest: {here.recorded.digest}\n')
    with pytest.raises(TaskError, match='must have the sha256'):
        load_protocol(relative)


@pytest.fixture(scope='module')
def rules(tracks):
    return load_protocol('default', tracks)


def test_placed_tracks_are_free_and_appear_off_the_route(block_scene, rules):
    collision = block_scene.collision
    path = np.array([[3.0, 3.0], [3.0, 20.0], [20.0, 20.0]])
    people = place_recorded(collision, path, (), rules.recorded, rules.people, 1.5, 45.0,
                            np.random.default_rng(4))
    assert people
    free = collision.free(0.35)
    dense = np.concatenate([np.linspace(a, b, 200) for a, b in itertools.pairwise(path)])
    for one in people:
        rows = np.array(one.track)
        cells = collision.cell(rows[:, 1:])
        assert free[cells[:, 0], cells[:, 1]].all()
        assert np.diff(rows[:, 0]) == pytest.approx(0.4)
        assert rows[-1, 0] - rows[0, 0] >= rules.recorded.shortest
        gap = np.hypot(*np.moveaxis(rows[:, None, 1:] - dense, -1, 0)).min(axis=1)
        assert gap[0] >= 1.99 or rows[0, 0] == 0.0
        assert gap[-1] >= 1.99 or rows[-1, 0] >= 45.0 - 0.2
        if rows[0, 0] == 0.0:
            assert math.dist(rows[0, 1:], path[0]) >= rules.people.keep_clear
    # The recording is moved as a whole: who walked 1.2 m/s does so still.
    speeds = [p.speed for p in people if p.speed > 0.1]
    assert speeds == pytest.approx([1.2] * len(speeds), abs=0.02)


def test_too_little_room_is_no_placement(block_scene, rules):
    collision = dataclasses.replace(
        block_scene.collision, walkable=np.zeros_like(block_scene.collision.walkable))
    path = np.array([[3.0, 3.0], [3.0, 20.0]])
    assert place_recorded(collision, path, (), rules.recorded, rules.people, 1.5, 45.0,
                          np.random.default_rng(0)) is None


def test_who_stands_for_long_must_leave_the_route_open():
    assert stays(person((0.0, 1.0, 1.0), (30.0, 1.2, 1.0)), 40.0)
    assert not stays(person((0.0, 1.0, 1.0), (10.0, 1.2, 1.0)), 40.0)
    assert not stays(straight(), 10.0)


def test_equal_seeds_give_equal_people(block_scene, rules):
    first, again, other = (
        sample_episode(block_scene, 'pedestrian', 0, seed, rules, ROBOT) for seed in (1, 1, 2))
    assert first == again
    assert first.people != other.people
    assert all(one.behaviour == 'recorded' for one in first.people)


def test_physics_has_them_where_they_are_and_nowhere_else(only_yard):
    from yard import make_yard

    one, later = straight(x=-5.0, y=-10.0), straight(first=4.0, x=-5.0, y=-14.0)
    spec = EpisodeSpec('yard', 'yard', 'coco', 'pedestrian', 0, 0, Pose2(10.0, 0.0, 0.0),
                       (14.0, 0.0), 4.0, 4.0, False, 30.0, people=(one, later))
    world = Simulation(make_yard(), ROBOT, camera=SMALL_CAMERA, render=False)
    world.reset(spec)
    assert np.isnan(world.people_positions()[1]).all()
    for tick in range(100):
        world.tick(Command(tick))
        assert not world.state.contacts
    there = world.people_positions()
    assert there[0, 0] == pytest.approx(0.0, abs=0.06)
    assert there[1, :2] == pytest.approx([-4.0, -14.0], abs=0.06)
    mixed = dataclasses.replace(spec, people=(one, PersonSpec(1, (0, 0), (1, 0), 1.0, True)))
    with pytest.raises(SimulationError, match='either all people must be recorded or none'):
        world.reset(mixed)


def test_the_plain_world_plays_tracks(block_scene):
    spec = EpisodeSpec('s', 'h', 'coco', 'pedestrian', 0, 0, Pose2(3.0, 3.0, 0.0), (15.0, 3.0),
                       12.0, 12.0, False, 40.0, people=(straight(seconds=0.8, y=3.0),))
    world = KinematicWorld(block_scene, ROBOT)
    world.reset(spec)
    for _ in range(10):
        world.tick(Command(0))
    assert world.people_positions()[0] == pytest.approx([0.5, 3.0, 0.0])
    assert world.people_velocities()[0] == pytest.approx([1.0, 0.0])
    for _ in range(10):
        world.tick(Command(0))
    assert np.isnan(world.people_positions()).all()


class Straight:
    name = 'straight'

    def __call__(self):
        return StraightToGoal()


def test_a_run_with_tracks_repeats_replays_and_is_reported(tmp_path, only_yard, hurry, tracks):
    config = RunConfig(('yard',), ('pedestrian',), load_protocol(hurry, tracks), 'coco',
                       episodes=2)
    for name in ('a', 'b'):
        run_benchmark(config, Straight(), tmp_path / name)
    files = sorted((tmp_path / 'a/episodes').glob('*.json'))
    assert len(files) == 2
    for file in files:
        assert file.read_bytes() == (tmp_path / 'b/episodes' / file.name).read_bytes()
    log = read_log(files[0])
    assert log.spec.people
    assert np.isfinite(log.ticks['person_gap']).any()
    # The file of tracks is not needed any more: an episode has its people in it.
    moved = tracks.rename(tracks.with_name('gone.txt'))
    try:
        assert replay(open_recorded(files[0]), Straight()).difference == ''
    finally:
        moved.rename(tracks)
    record = json.loads((tmp_path / 'a/run.json').read_text())
    digest = config.protocol.recorded.digest
    assert record['protocol']['values']['recorded']['digest'] == digest
    page = write_report(tmp_path / 'a').read_text()
    assert digest in page
    assert 'nan' not in page.lower().split('<h2>episodes')[1].split('<h2>')[0]
