"""The report opens anywhere and says what was measured."""

from __future__ import annotations

import json
import re

import cv2
import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.errors import ReportError
from navbench_gs.metrics.estimate import Estimate
from navbench_gs.metrics.record import COLUMNS, Contact, EpisodeLog
from navbench_gs.metrics.summary import Summary
from navbench_gs.report.cells import interval_note
from navbench_gs.report.html import write_report
from navbench_gs.report.map import episode_svg, load_map, save_map
from navbench_gs.report.profile import profile_svg
from navbench_gs.runner.episode import run_episode
from navbench_gs.runner.identity import describe
from navbench_gs.runner.kinematic import KinematicWorld
from navbench_gs.runner.plan import RunConfig, RunFolder
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.sampling import default_name, sample_episode
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.control import ControlLoop
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

PROTOCOL = load_protocol()
ROBOT = load_robot('coco')


@pytest.fixture(scope='module')
def logs(block_scene):
    found = []
    for task in ('empty', 'obstacle_pedestrian'):
        for index in range(2):
            spec = sample_episode(block_scene, task, index, 0, PROTOCOL, ROBOT)
            world = KinematicWorld(block_scene, ROBOT)
            world.reset(spec)
            loop = ControlLoop(StraightToGoal(), ROBOT)
            found.append(run_episode(world, spec, loop, PROTOCOL, 'straight', look=world.image))
    return found


@pytest.fixture
def folder(tmp_path, logs, block_scene):
    folder = RunFolder(tmp_path)
    folder.episodes.mkdir()
    for log in logs:
        folder.episode(log.spec.id).write_text(log.to_json())
    save_map(block_scene.collision, default_name(block_scene), folder.maps)
    settings = RunConfig(('city:0',), ('empty',), PROTOCOL, 'coco')
    record = describe(settings, 'straight', {'inputs': '<goal>'})
    record['latency'] = {'policy': {'p50 ms': 1.25, 'p99 ms': 3.0}}
    folder.record.write_text(json.dumps(record))
    return folder


def test_report_is_self_contained(folder, logs):
    page = write_report(folder.root).read_text()
    assert page == folder.report.read_text()
    # Nothing is fetched: every source is inline, a relative film, or an XML namespace.
    assert not re.search(r'(?:src|href)="(?!data:|films/)', page)
    assert 'http' not in page.replace('http-equiv', '')
    for log in logs:
        assert f'id="{log.spec.id}"' in page


def test_report_states_protocol_seed_and_latency(folder):
    page = write_report(folder.root).read_text()
    assert PROTOCOL.hash in page
    assert 'seed 0' in page
    assert 'p99 ms' in page
    assert '1.2' in page
    # Text from the record is escaped.
    assert '&lt;goal&gt;' in page
    assert '<goal>' not in page


def test_report_links_films_and_embeds_stills(folder, logs):
    identity = logs[0].spec.id
    folder.films.mkdir()
    folder.stills.mkdir()
    (folder.films / f'{identity}.mp4').write_bytes(b'x')
    cv2.imwrite(str(folder.stills / f'{identity}_0.jpg'), np.zeros((8, 8, 3), np.uint8))
    page = write_report(folder.root).read_text()
    assert f'src="films/{identity}.mp4"' in page
    assert page.count('<video') == 1
    assert 'data:image/jpeg;base64,' in page


def test_report_without_record_or_maps_still_works(folder):
    folder.record.unlink()
    for path in folder.maps.iterdir():
        path.unlink()
    assert 'NavBench-GS' in write_report(folder.root).read_text()


def test_empty_folder_and_damaged_episode_are_named(folder, tmp_path):
    with pytest.raises(ReportError, match='no finished episode'):
        write_report(tmp_path / 'nowhere')
    path = sorted(folder.episodes.iterdir())[0]
    whole = path.read_text()
    for old, new, reason in (
        ('"outcome":"', '"outcome":"un', 'is not an episode: .*unsuccess'),
        (PROTOCOL.hash, 'f' * 64, f'was driven by protocol {"f" * 12}, run.json'),
    ):
        path.write_text(whole.replace(old, new))
        with pytest.raises(ReportError, match=reason):
            write_report(folder.root)
    path.write_text(whole[:200])
    with pytest.raises(ReportError, match=path.name):
        write_report(folder.root)


def test_map_round_trip(block_scene, tmp_path):
    save_map(block_scene.collision, 'city:0', tmp_path)
    found = load_map('city:0', tmp_path)
    assert found is not None
    assert found.resolution == 0.1
    assert ((found.grey < 200) == block_scene.collision.occupancy).all()
    assert load_map('city:1', tmp_path) is None


def test_map_marks_contacts_people_and_obstacles(logs):
    svg = episode_svg(logs[3], None)
    assert svg.count('class="person"') == len(logs[3].spec.people)
    assert svg.count('class="obstacle') == len(logs[3].spec.obstacles)
    assert 'class="driven"' in svg
    assert 'class="route"' in svg
    assert ('class="contact"' in svg) == bool(logs[3].contacts)


def test_a_rate_without_width_is_not_certainty():
    """Wilson of 0 of 4: z^2 / (n + z^2) = 3.84 / 7.84 = 0.49."""
    def part(count, low, high, scenes=2):
        rate = Estimate(low, low, high, count)
        metrics = {'success': rate, 'collision_free_success': rate}
        return Summary('empty', count, scenes, metrics, {})

    note = interval_note([part(9, 1.0, 1.0), part(4, 0.0, 0.0), part(20, 0.2, 0.5)])
    assert 'hierarchical bootstrap' in note
    assert 'interval of 4 such episodes reaches 0.49 from the end' in note
    assert 'no width' not in interval_note([part(20, 0.2, 0.5)])
    assert 'no width' not in interval_note([part(4, 0.0, 0.0, scenes=1)])


def test_an_episode_over_time_by_hand():
    """Four seconds: 0 to 2 m/s and back, contact in ticks 20 to 39 and in tick 60."""
    rows = 81
    ticks = {name: np.zeros(rows) for name in COLUMNS}
    ticks['v'] = np.where(np.arange(rows) == 40, 2.0, 0.0)
    ticks['geodesic'] = np.linspace(8.0, 4.0, rows)
    ticks['clearance'] = np.full(rows, 5.0)
    ticks['person_gap'] = np.full(rows, np.inf)
    contacts = tuple(Contact(tick, 'wall_1', 'static') for tick in [*range(20, 40), 60])
    spec = EpisodeSpec('city:1', 'h', 'coco', 'empty', 0, 0, Pose2(), (8.0, 0.0), 8.0, 8.0, False,
                       35.0)
    svg = profile_svg(EpisodeLog(spec, 'p', 'straight', 'timed_out', '', ticks, contacts))
    # The axis runs from 34 to 552: 518 for 4 s. Touched from 1 s for 0.95 s, and at 3 s.
    assert 'd="M163.5,296.0 h123.0"' in svg
    assert 'd="M422.5,296.0 h1.5"' in svg
    assert svg.count('class="touch"') == 2
    # Speed: highest at 2 s, in the row's top line at 18; the gap is cut at 3 m.
    assert '293.0,18.0' in svg
    assert '>3</text>' in svg
    assert '>2 s</text>' in svg
    assert 'nan' not in svg
    assert 'inf' not in svg
