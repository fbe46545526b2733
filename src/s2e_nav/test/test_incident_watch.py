"""What counts as an incident, and the folder they are kept in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_nav.errors import StartError
from s2e_nav.incidents import store as store_module
from s2e_nav.incidents.ring import Sample
from s2e_nav.incidents.store import PATTERN, IncidentError, IncidentStore, file_name
from s2e_nav.incidents.watch import Incident, IncidentWatch
from s2e_nav.recorded import RecordedTopic, recorded_topic

SECOND = 1_000_000_000
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
CLOCK = RecordedTopic('/clock', 'rosgraph_msgs/msg/Clock')


class Told:
    """A watch that is told things at times in seconds."""

    def __init__(self, after: float = 3.0, apart: float = 60.0) -> None:
        self.watch = IncidentWatch(after, apart)

    def gate(self, reason: str, seconds: float, driven: bool = False) -> str:
        utc = NOON + timedelta(seconds=seconds)
        found = self.watch.gate(reason, driven, round(seconds * SECOND), utc)
        return '' if found is None else found.reason

    def due(self, seconds: float) -> str:
        found = self.watch.due(round(seconds * SECOND))
        return '' if found is None else found.reason


def test_a_stop_is_an_incident_and_its_file_is_due_a_few_seconds_later():
    told = Told()
    assert told.gate('none', 0) == ''
    assert told.gate('camera_stale', 10) == 'camera_stale'
    assert told.due(12.9) == ''
    assert told.due(13.0) == 'camera_stale'
    assert told.due(13.1) == '', 'once'


@pytest.mark.parametrize('reason', ['none', 'obstacle', 'no_command', 'no_goal', 'shutdown'])
def test_ordinary_ends_are_none(reason):
    told = Told()
    told.gate('none', 0)
    assert told.gate(reason, 1) == ''


def test_a_released_dead_man_is_none_but_a_lost_driver_is():
    told = Told()
    told.gate('none', 0)
    assert told.gate('operator_lost', 1, driven=False) == ''
    assert told.gate('e_stop', 2) == 'e_stop', 'also while the robot waits for its driver'
    told = Told()
    told.gate('none', 0)
    assert told.gate('operator_lost', 1, driven=True) == 'operator_lost'


def test_a_gate_that_stands_when_it_is_first_heard_has_no_before():
    told = Told()
    assert told.gate('odometry_jump', 0) == ''
    assert told.gate('none', 1) == '' and told.gate('odometry_jump', 2) == 'odometry_jump'


def test_one_stop_with_several_reasons_is_one_incident_but_for_the_e_stop():
    told = Told(apart=1.0)
    told.gate('none', 0)
    assert told.gate('camera_stale', 10) == 'camera_stale'
    assert told.gate('plan_stale', 20) == '' and told.gate('e_stop', 30) == 'e_stop'
    assert told.gate('e_stop_lost', 40) == ''


def test_a_graver_stop_has_a_file_however_soon_it_follows():
    told = Told()
    told.gate('none', 0)
    assert told.gate('camera_stale', 10) == 'camera_stale'
    told.gate('none', 11)
    assert told.gate('odometry_jump', 12) == 'odometry_jump', 'graver than what may pass'
    assert told.gate('e_stop', 12.5) == 'e_stop', 'before the files of the others are due'
    told.gate('none', 20)
    for reason in ('e_stop_lost', 'gate_frozen', 'camera_stale'):
        assert told.gate(reason, 21) == '', 'no graver than the e-stop half a minute ago'
        told.gate('none', 22)
    assert told.watch.skipped == 3
    assert [told.due(t) for t in (12.9, 13, 14.9, 15, 15.4, 15.5, 99)] == [
        '', 'camera_stale', '', 'odometry_jump', '', 'e_stop', '']


@given(st.lists(st.sampled_from(['none', 'camera_stale', 'plan_stale', 'odometry_jump', 'e_stop',
                                 'e_stop_lost', 'of a newer gate']), max_size=60))
def test_no_minute_has_more_files_than_gravities(reasons):
    told = Told()
    told.gate('none', 0)
    assert sum(bool(told.gate(reason, k * 0.9)) for k, reason in enumerate(reasons)) <= 3


def test_at_most_one_a_minute():
    told = Told()
    told.gate('none', 0)
    told.gate('camera_stale', 10)
    told.gate('none', 11)
    assert told.gate('plan_stale', 69.9) == '' and told.watch.skipped == 1
    told.gate('none', 69.95)
    assert told.gate('plan_stale', 70.0) == 'plan_stale'


def test_ends_of_goals_that_the_gate_does_not_see():
    watch = IncidentWatch(3.0, 60.0)
    assert watch.ending('CANCELED', 0, NOON) is None
    assert watch.ending('GATE_STOPPED', 0, NOON) is None, 'the gate tells the reason itself'
    found = watch.ending('CAMERA_FAILED', 0, NOON)
    assert found is not None and found.reason == 'camera_failed'
    assert watch.take() == found and watch.take() is None


@given(st.text(max_size=80))
def test_a_name_is_a_name_whatever_the_reason_says(reason):
    assert PATTERN.fullmatch(file_name(Incident(reason, 0, NOON)))


def test_the_name_bears_time_and_reason():
    incident = Incident('e_stop', 0, NOON)
    assert file_name(incident) == 'incident-20260301T120000Z-e_stop.mcap'


def write(store: IncidentStore, second: int) -> Path:
    incident = Incident('e_stop', 0, NOON + timedelta(seconds=second))
    samples = [Sample(CLOCK, 5, bytes(12))]
    return store.write(incident, samples, lambda ns: ns + 100, lambda name: name)


def test_the_newest_files_are_kept_and_others_are_left_alone(tmp_path):
    (tmp_path / 'notes.mcap').write_text('mine')
    store = IncidentStore(tmp_path, keep=2)
    paths = [write(store, k) for k in range(4)]
    assert store.files() == paths[2:]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ['notes.mcap', paths[2].name, paths[3].name]
    ), 'and nothing half written'
    with pytest.raises(IncidentError, match='exists already'):
        write(store, 3)


def test_what_a_killed_process_left_is_tidied(tmp_path):
    (tmp_path / '.incident-20260301T120000Z-e_stop.mcap.partial').mkdir()
    IncidentStore(tmp_path, keep=2).open()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    store = IncidentStore(tmp_path, keep=2)
    monkeypatch.setattr(store_module, 'RESERVE', 2**60)
    with pytest.raises(IncidentError, match='do not fit'):
        write(store, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_while_writing_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    store = IncidentStore(tmp_path, keep=2)

    def fail(self, *arguments):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(store_module.Recording, 'write', fail)
    with pytest.raises(IncidentError, match='No space left'):
        write(store, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_went_away_is_told(tmp_path):
    store = IncidentStore(tmp_path / 'stick', keep=2)
    with pytest.raises(IncidentError, match='stick'):
        write(store, 0)
    (tmp_path / 'file').write_text('')
    with pytest.raises(IncidentError, match='file'):
        IncidentStore(tmp_path / 'file', keep=2).open()


@pytest.mark.parametrize('line', ['', 'odom', 'odom nav_msgs/msg/Odometry soon',
                                  'odom nav_msgs/msg/Odometry -1', 'a b 1 2'])
def test_a_topic_line_that_is_none_is_refused(line):
    with pytest.raises(StartError, match='a topic is'):
        recorded_topic(line)
