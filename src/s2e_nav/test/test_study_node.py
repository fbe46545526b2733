"""The study node between a bridge, a policy, a gate and a page that are only words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from std_msgs.msg import String
from std_srvs.srv import Trigger

from navbench_gs.metrics.record import read_log
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.convert.diagnostics import OK, status_message
from s2e_nav.convert.poses import message_from_odometry
from s2e_nav.convert.stamps import to_ns
from s2e_nav.nodes.study import StudyNode
from s2e_nav.qos import LATCHED, RELIABLE
from s2e_teleop.study.workload import SCALES

SECOND = 1_000_000_000
SCORES = {'duration': 12.0, 'collisions': 0}


class World:
    """Bridge, policy and gate; the participant's answers go through `answer`."""

    def __init__(self, ros: Any) -> None:
        self.ros, self.number, self.started = ros, 0, 0
        node = self.node = ros.node('world')
        self.cards = ros.listen(node, String, 's2e/study', LATCHED)
        self.goals = ros.listen(node, PoseStamped, 'goal_pose')
        self._answers = node.create_publisher(String, 's2e/study/answer', RELIABLE)
        self._results = node.create_publisher(String, 'sim_bridge/result', LATCHED)
        self._status = node.create_publisher(DiagnosticStatus, 's2e/status', LATCHED)
        self._gate = node.create_publisher(DiagnosticStatus, 's2e/gate', LATCHED)
        self.drives = node.create_publisher(TwistStamped, 'cmd_vel_teleop', RELIABLE)
        node.create_service(Trigger, 'sim_bridge/next_episode', self._next)
        node.create_service(Trigger, 'sim_bridge/start', self._start)
        ros.spin(node)
        self.acknowledge(0)

    def _next(self, request: Any, response: Any) -> Any:
        self.number += 1
        response.success = True
        response.message = json.dumps({
            'done': self.number > 2, 'id': f'city-1_empty_{self.number:03d}', 'scene': 'city:1',
            'task': 'empty', 'index': self.number, 'goal': [9.0, 1.0], 'skipped': [],
            'stamp_ns': self.number * SECOND,
        })
        return response

    def _start(self, request: Any, response: Any) -> Any:
        self.started += 1
        response.success = True
        return response

    def acknowledge(self, stamp: int, **gate: str) -> None:
        """Policy and gate know the goal."""
        self._status.publish(status_message(
            'policy', OK, '', {'state': 'idle', 'goal_stamp': stamp}
        ))
        self._gate.publish(status_message('gate', OK, '', {'goal_stamp': stamp, **gate}))

    def result(self, root: Path, practice: bool) -> None:
        """End the run as the bridge does: the log is there before the word."""
        name = f'city-1_empty_{self.number:03d}'
        path = (root / 'practice' if practice else root) / 'episodes' / f'{name}.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{}')
        self._results.publish(String(data=json.dumps(
            {'id': name, 'outcome': 'success', 'scores': SCORES}
        )))

    @property
    def card(self) -> dict[str, Any]:
        return json.loads(self.cards[-1].data) if self.cards else {'phase': ''}

    def until(self, phase: str) -> dict[str, Any]:
        self.ros.wait(lambda: self.card['phase'] == phase)
        return self.card

    def answer(self, action: str, **values: Any) -> None:
        self._answers.publish(String(data=json.dumps(
            {'card': self.card['number'], 'action': action, **values}
        )))


@pytest.fixture
def block(ros, tmp_path):
    """A block of one practice and one run, and the world around it."""
    world = World(ros)
    parameters = {
        'sim__output': str(tmp_path), 'sim__scenes': 'city:1', 'sim__tasks': 'empty',
        'sim__practice': 1, 'runs': 1, 'participant': 7, 'driver': 'person', 'link': '4g',
        'block': 2, 'blocks': 2, 'about': '{"kind": "person"}',
    }
    study = StudyNode(ros.node('study', **parameters))
    ros.spin(study.node)
    yield world, study, tmp_path
    study.close()


def drive(world: World, study: StudyNode, ros: Any, root: Path, practice: bool) -> None:
    """Go through one run."""
    card = world.until('ready')
    assert card['practice'] is practice
    started, goals = world.started, len(world.goals)
    world.answer('start')
    world.until('running')
    ros.wait(lambda: len(world.goals) > goals)
    assert world.started == started, 'the world waits for policy and gate'
    stamp = to_ns(world.goals[-1].header.stamp)
    world.acknowledge(stamp, reason='none', source='teleop')
    ros.wait(lambda: world.started > started)
    world.drives.publish(TwistStamped())
    world.acknowledge(stamp, reason='e_stop', source='teleop', detail='pressed')
    tape = root / ('practice/drives' if practice else 'drives')
    ros.wait(lambda: any(tape.glob('.unfinished/*/*.mcap')))
    # Topics keep no order among each other: the gate's word comes before the result's.
    ros.wait(lambda: bool(study._run._interventions))
    world.result(root, practice)


def test_a_participant_goes_through_practice_run_and_form(block, ros) -> None:
    world, study, root = block
    drive(world, study, ros, root, practice=True)
    drive(world, study, ros, root, practice=False)
    form = world.until('form')
    assert form['result'] == 'The goal was reached in 12.0 s.'
    world.answer('form', **dict.fromkeys(SCALES, 52))
    world.answer('start')
    world.answer('form', **dict.fromkeys(SCALES, 55))
    world.until('done')
    ros.wait(lambda: study.exit_code == 0)
    record = json.loads((root / 'run.json').read_text())
    assert record['complete'] and record['policy'] == 'person (4g)'
    assert record['details']['participant'] == 7 and record['mode'] == 'realtime'
    assert json.loads((root / 'workload.json').read_text())['raw_tlx'] == 55.0
    [kept] = (root / 'drives').glob('*_city-1_empty_002')
    drive_record = json.loads((kept / 'drive.json').read_text())
    assert drive_record['route'] == {'scene': 'city:1', 'task': 'empty', 'index': 2}
    assert [item['kind'] for item in drive_record['interventions']] == ['e_stop']
    assert len(list((root / 'practice' / 'drives').glob('*_city-1_empty_001/drive.json'))) == 1
    from rosbags.rosbag2 import Reader

    with Reader(kept) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
    assert counts['/s2e/gate'] > 0 and '/s2e/operator' in counts


def test_practice_ends_when_it_is_enough_and_a_run_that_counts_does_not(block, ros) -> None:
    world, study, root = block
    world.until('ready')
    world.answer('start')
    world.until('running')
    world.answer('enough')
    ros.wait(lambda: bool(world.goals))
    world.acknowledge(to_ns(world.goals[-1].header.stamp))
    ros.wait(lambda: world.started == 1 and study._run.began)
    world.answer('enough')
    ros.wait(lambda: world.card['phase'] == 'ready' and not world.card['practice'])
    [kept] = (root / 'practice' / 'drives').glob('*/drive.json')
    assert json.loads(kept.read_text())['outcome'] == 'ended'
    assert world.number == 2 and world.started == 1
    world.answer('start')
    world.until('running')
    ros.wait(lambda: len(world.goals) > 1)
    world.acknowledge(to_ns(world.goals[-1].header.stamp))
    ros.wait(lambda: world.started == 2 and study._run.began)
    world.answer('enough')
    world.result(root, practice=False)
    world.until('form')
    [kept] = (root / 'drives').glob('*/drive.json')
    assert json.loads(kept.read_text())['outcome'] == 'success'


def test_what_is_no_answer_changes_nothing_and_a_broken_run_is_driven_again(block, ros) -> None:
    world, study, root = block
    card = world.until('ready')
    for text in ('{', '[]', '{"card": -1, "action": "start"}', '{"card": 1e999}',
                 json.dumps({'card': card['number'], 'action': 'win'}),
                 json.dumps({'card': card['number'], 'action': 'form'})):
        world._answers.publish(String(data=text))
    world.answer('start')
    world.until('running')
    # The study is broken off in the middle of the run.
    study.close()
    assert study._folder.done() == set() and not list(root.glob('drives/*'))
    assert list(root.glob('practice/drives/.unfinished/*'))


def test_a_route_that_cannot_be_drawn_ends_the_study(ros, tmp_path, capsys) -> None:
    world = World(ros)
    world.number = 2
    original = world._next

    def skipping(request: Any, response: Any) -> Any:
        original(request, response)
        message = json.loads(response.message)
        response.message = json.dumps({**message, 'skipped': [{'reason': 'no room'}]})
        return response

    world.node.create_service(Trigger, 'elsewhere/next_episode', skipping)
    study = StudyNode(ros.node(
        'study', sim__output=str(tmp_path), sim__scenes='city:1', sim__tasks='empty',
    ))
    study._world._next = study.node.create_client(Trigger, 'elsewhere/next_episode')
    ros.spin(study.node)
    ros.wait(lambda: study.exit_code == 1)
    assert 'no room' in capsys.readouterr().err
    study.close()


def test_on_a_robot_odometry_judges_and_people_count(ros, tmp_path) -> None:
    """A route of 2 m: the robot is put down, stands there in the end, and touched once."""
    (tmp_path / 'routes.yaml').write_text(
        'place: yard\nroutes:\n  - {name: to the gate, x: 2.0, y: 0.0}\n'
    )
    world, out = World(ros), tmp_path / 'p001' / 'person-none'
    odom = world.node.create_publisher(OdometryMessage, 'odom', RELIABLE)
    cancels: list[Any] = []
    world.node.create_service(Trigger, 'policy/cancel', lambda q, r: cancels.append(q) or r)
    study = StudyNode(ros.node(
        'study', sim__output=str(out), sim__scenes='yard', sim__tasks='empty', runs=1,
        sim__items=['empty 0 yard'], routes=str(tmp_path / 'routes.yaml'),
    ))
    ros.spin(study.node)
    clock = world.node.get_clock()

    def stand(x: float) -> bool:
        now = int(clock.now().nanoseconds)
        odom.publish(message_from_odometry(Odometry(now, Pose2(x, 5.0), 0.0)))
        return False

    ros.wait(lambda: stand(1.0) or world.card['phase'] == 'ready')
    assert 'to the gate' in world.card['hint'] and world.card['counted']
    world.answer('start')
    ros.wait(lambda: stand(1.0) or bool(world.goals))
    goal = world.goals[-1]
    assert (goal.pose.position.x, goal.pose.position.y) == pytest.approx((3.0, 5.0))
    world.acknowledge(to_ns(goal.header.stamp))
    ros.wait(lambda: stand(1.5) or (study._run is not None and study._run.began))
    world.answer('touched')
    ros.wait(lambda: stand(1.5) or study._world._judge.collisions == 1)
    ros.wait(lambda: stand(2.9) or world.card['phase'] == 'form')
    assert 'reached' in world.card['result'] and '1 collision' in world.card['result']
    log = read_log(out / 'episodes' / 'yard_empty_000.json')
    assert log.outcome == 'success' and log.policy == 'person (none)'
    assert json.loads((out / 'run.json').read_text())['mode'] == 'robot'
    ros.wait(lambda: bool(cancels))
    study.close()
