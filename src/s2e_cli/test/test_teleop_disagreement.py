"""A recorded shadow drive becomes a picture over the map, and tables to check by hand."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from nav_msgs.msg import Path as PathMessage
from rclpy.serialization import serialize_message
from tf2_msgs.msg import TFMessage

from navbench_gs.report.map import save_map
from s2e_cli.main import main
from s2e_cli.teleop.disagreement import worst_plans
from s2e_core.records import Command, Odometry, Plan
from s2e_core.se2 import Pose2
from s2e_nav.convert.commands import stamped_from_command
from s2e_nav.convert.diagnostics import OK, status_message
from s2e_nav.convert.plans import path_from_plan
from s2e_nav.convert.poses import message_from_odometry, transform_from_pose2
from s2e_nav.recording import Recording

TICK = 50_000_000
KINDS = {
    '/r1/odom': OdometryMessage, '/r1/cmd_vel_nav': TwistStamped,
    '/r1/cmd_vel_teleop': TwistStamped, '/r1/s2e/trajectory': PathMessage, '/tf': TFMessage,
}


def record(folder: Path, person: bool = True) -> Path:
    """4 s at 1 m/s along x; each plan lies 0.5 m to the left of that; an e-stop at 2 s."""
    recording = Recording(folder)
    channels = {
        topic: recording.channel(topic, f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}')
        for topic, kind in KINDS.items()
    }
    gate = recording.channel('/r1/s2e/gate', 'diagnostic_msgs/msg/DiagnosticStatus')

    def say(topic: str, now: int, message: object) -> None:
        recording.write(channels[topic], now, serialize_message(message))

    say('/tf', 0, TFMessage(transforms=[
        transform_from_pose2(Pose2(10.0, 5.0, np.pi / 2), 0, 'map', 'odom')
    ]))
    for tick in range(100):
        now, x = (tick + 20) * TICK, tick * 0.05
        say('/r1/odom', now, message_from_odometry(Odometry(now, Pose2(x, 0.0), 1.0)))
        if person:
            say('/r1/cmd_vel_teleop', now, stamped_from_command(Command(now, 1.0, 0.0)))
        say('/r1/cmd_vel_nav', now, stamped_from_command(Command(now, 1.5, 0.25)))
        if tick % 4 == 0:
            ahead = x + 0.2 * np.arange(1, 11)
            points = np.stack([ahead, np.full(10, 0.5)], axis=1)
            say('/r1/s2e/trajectory', now, path_from_plan(Plan(now, points, 0.2)))
        if tick in (0, 40):
            reason = 'e_stop' if tick else 'none'
            status = status_message('gate', OK, reason, {'reason': reason, 'source': 'teleop'})
            recording.write(gate, now, serialize_message(status))
    recording.close()
    return folder


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A recording within a run that has a map."""
    occupancy = np.zeros((300, 300), np.bool_)
    occupancy[140:160, 40:60] = True
    collision = SimpleNamespace(occupancy=occupancy, sidewalk=None, resolution=0.1,
                                origin=(-5.0, -5.0))
    save_map(collision, 'yard', tmp_path / 'run' / 'maps')
    return record(tmp_path / 'run' / 'drives' / 'one')


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize('form', ['svg', 'pdf', 'png'])
def test_the_picture_and_its_tables(drive: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / f'picture.{form}'
    assert main(['teleop', 'disagreement', str(drive), '--out', str(out)]) == 0
    start = {'svg': b'<?xml', 'pdf': b'%PDF', 'png': b'\x89PNG'}[form]
    assert out.read_bytes().startswith(start)
    plans = table(out.with_suffix('.plans.csv'))
    # Plans at 0, 0.2, ... whose 2 s end by 4.95 s: the last at 2.8 s.
    assert len(plans) == 15
    for row in plans:
        assert float(row['ade']) == float(row['fde']) == pytest.approx(0.5)
        # Odom lies turned by 90 degrees at (10, 5): along x there is along y here.
        assert float(row['x']) == pytest.approx(10.0, abs=1e-3)
    seconds = (int(plans[-1]['stamp_ns']) - int(plans[0]['stamp_ns'])) / 1e9
    assert float(plans[-1]['y']) - float(plans[0]['y']) == pytest.approx(seconds, abs=1e-3)
    ticks = table(out.with_suffix('.ticks.csv'))
    assert len(ticks) == 100
    assert {(t['v_policy'], t['w_policy'], t['v_person']) for t in ticks} == {
        ('1.5000', '0.2500', '1.0000')
    }


def test_equal_recordings_give_equal_pictures(drive: Path, tmp_path: Path) -> None:
    for name in ('a.svg', 'b.svg'):
        assert main(['teleop', 'disagreement', str(drive), '--out', str(tmp_path / name)]) == 0
    assert (tmp_path / 'a.svg').read_bytes() == (tmp_path / 'b.svg').read_bytes()


def test_what_cannot_be_drawn_is_named(drive: Path, tmp_path: Path, capsys) -> None:
    def refusal(*words: object) -> str:
        out = ['--out', str(tmp_path / 'x.svg')]
        assert main(['teleop', 'disagreement', *map(str, words), *out]) == 2
        return capsys.readouterr().err

    assert 'no moment in which a person drove' in refusal(record(tmp_path / 'alone', False))
    assert 'no map of moon' in refusal(drive, '--scene', 'moon')
    assert 'cannot be read' in refusal(tmp_path / 'nothing')
    file = tmp_path / 'noise.mcap'
    file.write_bytes(b'\x00' * 500)
    assert 'cannot be read' in refusal(file)
    assert main(['teleop', 'disagreement', str(drive), '--out', str(tmp_path / 'x.gif')]) == 2
    assert '.svg' in capsys.readouterr().err


def test_of_the_worst_plans_none_is_of_the_same_moment() -> None:
    """At 0 to 9 s, the worst at 4 s: those within 3 s of it show the same."""
    stamps = np.arange(10, dtype=np.int64) * 1_000_000_000
    ade = np.array([0.1, 0.8, 0.2, 0.9, 1.0, 0.9, 0.8, 0.5, 0.4, 0.3])
    assert [s // 10**9 for s in worst_plans(stamps, ade)] == [4, 1, 7]
