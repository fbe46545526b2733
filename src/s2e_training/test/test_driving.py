"""Recorded drives by people: what they asked for and where they stepped in, in the clips."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from s2e_core.interventions import Intervention, InterventionKind
from s2e_training.data.clip import load_clip, load_info
from s2e_training.data.importer import ImportConfig, import_recording
from s2e_training.data.overview import count_interventions, summarise
from s2e_training.data.sources.driving import Driving
from s2e_training.data.sources.opening import open_recording

spec = importlib.util.spec_from_file_location('bags', Path(__file__).with_name('bags.py'))
bags = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bags)


def drive(channel, write, start):
    """Autonomy for 1 s, a person from 1 s to 3 s, an e-stop at 3 s, autonomy again from 5.05 s."""
    teleop = channel('/r1/cmd_vel_teleop', 'geometry_msgs/msg/TwistStamped')
    gate = channel('/r1/s2e/gate', 'diagnostic_msgs/msg/DiagnosticStatus')
    for step in range(20, 60):
        ns = start + step * 50_000_000
        write(teleop, ns, bags.drive_command(ns, 0.5 + step / 100, -0.25))
    for seconds, reason, source in (
        (0.0, 'none', 'autonomy'), (1.0, 'none', 'teleop'), (3.0, 'e_stop', 'teleop'),
        (5.05, 'none', 'autonomy'),
    ):
        status = bags.gate_status(reason=reason, source=source, detail='')
        write(gate, start + round(seconds * 1e9), status)


def frames(index, ns):
    return bags.image(ns, bags.picture(index), 'rgb8')


@pytest.fixture
def bag(tmp_path):
    return bags.write_bag(tmp_path / 'bag', frames, more=drive)


def test_clips_hold_what_the_person_did_and_each_moment_once(bag, tmp_path):
    """Images from 0 to 5.9 s in clips of 2 s: 2 + 1 + 1 + 0 moments would be wrong."""
    reports, _ = import_recording(
        open_recording(bag), tmp_path / 'clips', ImportConfig(longest=2.0, shortest=0.0)
    )
    clips = [load_clip(report.folder) for report in reports]
    starts = [(clip.stamps_ns[0] - bags.START * 10**9) / 1e9 for clip in clips]
    moments = [clip.info.provenance['interventions'] for clip in clips]
    at = [
        (start + item['time'], item['kind'], item['reason'])
        for start, items in zip(starts, moments, strict=True) for item in items
    ]
    assert at == [
        (pytest.approx(1.0), 'take_over', 'autonomy to teleop'),
        (pytest.approx(3.0), 'e_stop', 'e_stop'),
        (pytest.approx(5.05), 'hand_back', 'teleop to autonomy'),
    ]
    first = clips[0]
    assert np.isnan(first.operator[:5]).all(), 'nobody drove before 1 s'
    # At 1.4 s the newest command is that of step 28.
    np.testing.assert_allclose(first.operator[7], [0.78, -0.25], atol=1e-6)
    assert first.info.provenance['driven_by_person'] == pytest.approx(0.5)
    # The label is the way that was driven, whoever drove.
    np.testing.assert_allclose(first.plan[3, -1], [1.947, 0.395], atol=0.003)
    rows = [summarise(report.folder) for report in reports]
    assert count_interventions(rows) == {'e_stop': 1, 'hand_back': 1, 'take_over': 1}


def test_time_that_is_stretched_moves_moments_and_slows_commands(bag, tmp_path):
    """1 m/s brought down to 0.5: everything takes twice as long."""
    reports, _ = import_recording(
        open_recording(bag), tmp_path / 'clips', ImportConfig(v_max=0.5)
    )
    clip = load_clip(reports[0].folder)
    moments = {m['kind']: m['time'] for m in clip.info.provenance['interventions']}
    assert moments['take_over'] == pytest.approx(2.0, abs=0.01)
    assert moments['hand_back'] == pytest.approx(10.1, abs=0.05)
    seconds = (clip.stamps_ns - clip.stamps_ns[0]) / 1e9
    row = int(np.flatnonzero(np.isclose(seconds, 2.8, atol=0.01))[0])
    np.testing.assert_allclose(clip.operator[row], [0.39, -0.125], atol=1e-3)


def test_a_bag_of_no_drive_says_nothing_of_one(tmp_path):
    bag = bags.write_bag(tmp_path / 'bag', frames)
    reports, _ = import_recording(open_recording(bag), tmp_path / 'clips', ImportConfig())
    clip = load_clip(reports[0].folder)
    assert clip.operator is None and 'interventions' not in clip.info.provenance
    assert summarise(reports[0].folder).interventions == {}


def test_a_flood_of_words_is_cut(tmp_path):
    """A hostile gate: 1500 e-stops in a second, each with a reason of 5000 characters."""
    def flood(channel, write, start):
        gate = channel('/s2e/gate', 'diagnostic_msgs/msg/DiagnosticStatus')
        for number in range(3000):
            reason = 'e_stop' if number % 2 else 'none'
            status = bags.gate_status(reason=reason, source='', detail='x' * 5000)
            write(gate, start + 10**9 + number * 300_000, status)

    bag = bags.write_bag(tmp_path / 'bag', frames, more=flood)
    reports, _ = import_recording(open_recording(bag), tmp_path / 'clips', ImportConfig())
    moments = load_info(reports[0].folder).provenance['interventions']
    assert len(moments) == 1000 and {len(item['reason']) for item in moments} == {200}


def test_a_command_holds_for_as_long_as_the_gate_lets_it():
    driving = Driving(
        np.array([0, 100_000_000]), np.array([[1.0, 0.0], [0.5, 0.1]]),
        (Intervention(5, InterventionKind.E_STOP, ''),),
    )
    seen = driving.at(np.array([-1, 0, 400_000_000, 400_000_001]))
    assert np.isnan(seen[[0, 3]]).all()
    np.testing.assert_array_equal(seen[1:3], [[1.0, 0.0], [0.5, 0.1]])
    assert driving.within(5, 6) and not driving.within(0, 5) and not driving.within(6, 9)
    assert np.isnan(Driving(np.zeros(0, np.int64), np.zeros((0, 2))).at(np.array([3]))).all()
