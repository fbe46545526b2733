"""Routes on a robot, judged by odometry: arrival, time and counted collisions by hand."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.metrics.outcome import Outcome
from navbench_gs.metrics.record import EpisodeLog
from navbench_gs.metrics.scores import evaluate
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.errors import ConfigError, S2EError
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.study.launching import StudyRun
from s2e_nav.study.robot_launching import RobotStudy, study_of
from s2e_nav.study.route_judge import RouteJudge
from s2e_nav.study.routes import RobotRoute, load_routes
from s2e_teleop.study.plan import Route

BOOK = """
place: yard
routes:
  - {name: to the gate, x: 6.0, y: 0.0}
  - {name: round the tree, x: 4.0, y: -2.0}
practice:
  - {name: to the bench, x: 3.0, y: 0.0}
"""
LAUNCH = Path(__file__).resolve().parents[3] / 'launch' / 'teleop_compare.launch.py'
SECOND = 1_000_000_000
START = Odometry(5 * SECOND, Pose2(2.0, 1.0, math.pi / 2))


def judge() -> RouteJudge:
    """6 m ahead, at 1 m/s: 20 s + 2.5 x 6 s = 35 s."""
    route = RobotRoute('to the gate', 6.0, 0.0)
    return RouteJudge(route, 'yard', 0, 'coco', 1.0, load_protocol('default'), START)


def drive(run: RouteJudge, seconds: float, v: float, period: float = 0.04) -> Outcome | None:
    """Drive straight along the start's heading; odometry at 25 Hz."""
    for k in range(1, round(seconds / period) + 1):
        t = k * period
        pose = START.pose.compose(Pose2(min(v * t, 6.2), 0.0))
        moving = v if v * t < 6.2 else 0.0
        outcome = run.observe(Odometry(START.stamp_ns + round(t * 1e9), pose, moving))
        if outcome is not None:
            return outcome
    return None


def test_a_book_has_what_counts_and_what_does_not(tmp_path: Path) -> None:
    path = tmp_path / 'routes.yaml'
    path.write_text(BOOK)
    book = load_routes(path)
    assert [route.name for route in book.routes] == ['to the gate', 'round the tree']
    assert book.of(Route('yard', 'empty', 2)).name == 'to the bench'
    assert book.routes[1].straight == pytest.approx(math.sqrt(20.0))


@pytest.mark.parametrize(('changed', 'word'), [
    (('place: yard', 'place: ../yard'), 'letters, digits'),
    (('x: 6.0', 'x: 0.1'), '1 m long'),
    (('x: 6.0', 'x: 6000'), 'x must be in'),
    (('name: to the gate, ', ''), "missing key 'name'"),
    (('practice:', 'practise:'), 'unknown key'),
])
def test_a_wrong_book_is_refused(tmp_path: Path, changed: tuple[str, str], word: str) -> None:
    path = tmp_path / 'routes.yaml'
    path.write_text(BOOK.replace(*changed))
    with pytest.raises(ConfigError, match=word):
        load_routes(path)


def test_who_stands_near_the_goal_has_arrived() -> None:
    """The goal lies at (2, 7) in odom; at 1 m/s the robot stands at 6.2 m after 6.2 s."""
    run = judge()
    np.testing.assert_allclose(run.goal, [2.0, 7.0], atol=1e-9)
    assert drive(run, 10.0, 1.0) is Outcome.SUCCESS
    log = run.finish(Outcome.SUCCESS, 'person (4g)')
    scores = evaluate(log, load_protocol('default').judge)
    assert scores.success and scores.collision_free_success and scores.collisions == 0
    assert scores.duration == pytest.approx(6.2, abs=0.06)
    assert scores.path_length == pytest.approx(6.2, abs=0.06)
    # In the frame of the start the way lies along x.
    assert abs(log.ticks['y']).max() < 1e-9 and math.isinf(scores.clearance)
    again = EpisodeLog.from_json(log.to_json())
    assert again.to_json() == log.to_json() and again.spec == log.spec


def test_time_runs_out_and_collisions_are_what_was_counted() -> None:
    run = judge()
    run.touch()
    run.touch()
    assert drive(run, 40.0, 0.0) is Outcome.TIMED_OUT
    scores = evaluate(run.finish(Outcome.TIMED_OUT, 'x'), load_protocol('default').judge)
    assert not scores.success and scores.collisions == 2 and run.collisions == 2
    assert scores.duration == pytest.approx(35.0, abs=0.06)


def test_a_leap_of_the_clock_does_not_fill_the_memory() -> None:
    run = judge()
    late = Odometry(START.stamp_ns + 10**9 * SECOND, START.pose)
    assert run.observe(late) is Outcome.TIMED_OUT
    assert run.duration <= 35.1


@pytest.fixture
def robot_study(tmp_path: Path):
    """Return a function that makes a study on a robot of some arguments."""
    path = tmp_path / 'routes.yaml'
    path.write_text(BOOK)

    def make(**changed: str) -> StudyRun:
        tree = ast.parse(LAUNCH.read_text(encoding='utf-8'))
        tables = [
            ast.literal_eval(node.value) for node in tree.body
            if isinstance(node, ast.Assign)
            and node.targets[0].id in ('SHARED', 'SCRIPTED', 'PEOPLE', 'ROBOT')
        ]
        values = {name: value for table in tables for name, value, _ in table}
        return study_of({
            **values, 'participant': '1', 'links': 'none', 'routes': str(path),
            'policy': 'straight', 'output': str(tmp_path / 'study'), **changed,
        })

    return make


def test_a_block_on_a_robot_is_its_graph_with_a_page_and_a_study(robot_study) -> None:
    run = robot_study(robot='turtlebot4', image='oak/image', battery='power', obstacles='scan')
    assert isinstance(run, RobotStudy)
    blocks = {block.condition.driver: block for block in run.left()}
    assert set(blocks) == {'autonomy', 'person', 'assisted'}
    nodes = {
        driver: {entry.executable: entry for entry in run.nodes(block)}
        for driver, block in blocks.items()
    }
    for entries in nodes.values():
        assert set(entries) == {'teleop', 'study', 'policy', 'follower', 'gate'}
        # A gate that came back by itself would drive a run that nobody watches any more.
        assert not any(entry.respawn for entry in entries.values())
        assert 'use_sim_time' not in entries['study'].parameters
    assert nodes['person']['gate'].parameters['shadow']
    assert nodes['assisted']['gate'].parameters['gate.obstacles.assist']
    sources = {d: e['gate'].parameters['gate.obstacles.source'] for d, e in nodes.items()}
    assert sources == {'autonomy': 'scan', 'person': 'none', 'assisted': 'scan'}
    assert not nodes['autonomy']['gate'].parameters['shadow']
    study = nodes['person']['study'].parameters
    assert study['sim.items'][0] == 'empty 2 yard', 'practice first, on a route of its own'
    assert sorted(study['sim.items'][1:]) == ['empty 0 yard', 'empty 1 yard']
    assert any('cmd_vel_teleop' in line for line in study['topics'])
    remapped = dict(run.remappings('teleop'))
    assert remapped == {
        'camera/image_raw': 'oak/image', 'battery_state': 'power',
        'camera/camera_info': 'oakd/rgb/preview/camera_info',
    }, 'the last by the robot profile'


def test_who_is_helped_needs_something_that_sees(robot_study) -> None:
    with pytest.raises(S2EError, match='obstacles:= is none'):
        robot_study()
    assert robot_study(drivers='autonomy person').left()


def test_practice_needs_routes_of_its_own(robot_study) -> None:
    with pytest.raises(S2EError, match='has 1 routes for practice'):
        robot_study(practice='2', obstacles='scan')


def test_other_routes_are_another_study(robot_study, tmp_path: Path) -> None:
    robot_study(obstacles='scan').claim()
    (tmp_path / 'routes.yaml').write_text(BOOK.replace('x: 6.0', 'x: 7.0'))
    with pytest.raises(S2EError, match='routes'):
        robot_study(obstacles='scan').claim()
