"""`s2e replay`: numbers by hand, pictures of nothing in particular, and real recordings."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from s2e_cli.main import main
from s2e_cli.replay.chart import line_chart
from s2e_cli.replay.footage import pick, truth
from s2e_cli.replay.options import GoalChoice, choose_goal
from s2e_cli.replay.player import Player
from s2e_cli.replay.score import entropy, errors, mean, percentiles
from s2e_cli.replay.screen import film_rate
from s2e_core.camera import CameraModel
from s2e_core.contract import PolicyOutput, PolicySpec
from s2e_core.errors import ConfigError
from s2e_core.reprojection import Reprojector
from s2e_training.data.sources.recording import Recording, Track

CAMERA = CameraModel(32, 24, 16, 16, 16, 12)
MS = 1_000_000


def straight(speed: float, heading: float = 0.0) -> np.ndarray:
    """Ten waypoints at a speed. [10, 2]"""
    reach = 0.2 * speed * np.arange(1, 11)
    return np.stack([reach * math.cos(heading), reach * math.sin(heading)], axis=1)


def answer(modes: list[np.ndarray], scores: list[float]) -> PolicyOutput:
    return PolicyOutput(0, np.stack(modes), np.array(scores, np.float32))


class Watcher:
    """A policy that keeps what it was shown."""

    def __init__(self, goal: str = 'optional') -> None:
        self.spec = PolicySpec('watcher', 3, CAMERA, 1.5, 1.0, goal=goal)
        self.seen, self.pictures, self.resets = [], [], 0

    def reset(self) -> None:
        self.resets += 1

    def infer(self, observation):
        self.seen.append(observation)
        return PolicyOutput(observation.stamp_ns, straight(1.0)[None], np.ones(1, np.float32))


class Pictured(Watcher):
    """One that drives to pictures."""

    def __init__(self) -> None:
        super().__init__('ignored')

    def set_goal_image(self, rgb) -> None:
        self.pictures.append(int(rgb[0, 0, 0]))


def recording(count: int, step_ms: int = 100, speed: float | None = 1.0) -> Recording:
    """Grey pictures, number k of grey k, along x at a speed."""
    stamps = np.arange(count, dtype=np.int64) * step_ms * MS

    def load(wanted):
        for k in wanted:
            yield k, np.full((24, 32, 3), k, np.uint8)

    track = None
    if speed is not None:
        seconds = stamps * 1e-9
        track = Track(stamps, np.stack([speed * seconds, 0 * seconds, 0 * seconds], axis=1))
    return Recording('greys', 'test', stamps, load, CAMERA, track=track)


def play(policy, footage, goal):
    player = Player(policy, footage, Reprojector(CAMERA, CAMERA), goal)
    return list(player.play(pick(footage.stamps_ns)))


def test_errors_by_hand() -> None:
    """Truth 1 m/s. Top mode 1.5 m/s: at t off by 0.5 t, so FDE 0.5 m at 1 s, 1 m at 2 s, ADE the
    mean of 0.1, 0.2 ... 1.0 = 0.55 m. The second mode is the truth, so best of 6 is 0."""
    result = errors(answer([straight(1.0), straight(1.5)], [0.4, 0.6]), straight(1.0))
    assert result['fde_1.0'] == pytest.approx(0.5)
    assert result['fde_2.0'] == pytest.approx(1.0)
    assert result['ade_2.0'] == pytest.approx(0.55)
    assert result['best_fde_2.0'] == pytest.approx(0.0)
    assert result['direction'] == pytest.approx(0.0)
    turned = errors(answer([straight(1.0, math.radians(170))], [1.0]),
                    straight(1.0, math.radians(-170)))
    assert turned['direction'] == pytest.approx(20.0)
    assert math.isnan(errors(answer([0 * straight(1.0)], [1.0]), straight(1.0))['direction'])


def test_entropy_and_means_by_hand() -> None:
    """Two of four modes alike: log 2. Percentile 50 of 1, 2, 3 is 2."""
    assert entropy(np.array([0.5, 0.5, 0, 0])) == pytest.approx(math.log(2))
    assert percentiles([1.0, 2.0, 3.0])['p50'] == 2.0
    assert mean([{'a': 1.0}, {'a': math.nan, 'b': 4.0}, {'a': 3.0}]) == {'a': 2.0, 'b': 4.0}


def test_images_are_taken_at_the_policys_period() -> None:
    """Of 10 Hz every second; a stamp that steps back is left out; jitter of 10 ms is not."""
    assert pick(np.arange(7) * 100 * MS).tolist() == [0, 2, 4, 6]
    assert pick(np.array([0, 190, 100, 385, 600]) * MS).tolist() == [0, 1, 3, 4]
    assert pick(np.arange(20) * 200 * MS, seconds=1.0).tolist() == [0, 1, 2, 3, 4, 5]


def test_truth_is_where_the_robot_went() -> None:
    """Along +y while facing +y: all of it is ahead; none where the poses end within 2 s."""
    stamps = np.arange(41, dtype=np.int64) * 100 * MS
    along = np.stack([np.full(41, 3.0), 0.15 * np.arange(41), np.full(41, math.pi / 2)], axis=1)
    way = Track(stamps, along)
    np.testing.assert_allclose(truth(way, 2000 * MS), straight(1.5), atol=1e-9)
    assert truth(way, 2100 * MS) is None


@pytest.mark.parametrize(
    ('text', 'way', 'needs', 'chosen'),
    [
        ('auto', True, False, GoalChoice(along=8.0)), ('auto', False, False, GoalChoice()),
        ('auto', False, True, GoalChoice(ahead=10.0)), ('none', True, False, GoalChoice()),
        ('6s', True, False, GoalChoice(along=6.0)), ('4.5m', False, False, GoalChoice(ahead=4.5)),
    ],
)
def test_goals(text, way, needs, chosen) -> None:
    assert choose_goal(text, way, needs) == chosen


@pytest.mark.parametrize('text', ['', 'here', '8', '-3s', 'nans', '1e9m'])
def test_goals_that_are_none(text) -> None:
    with pytest.raises(ConfigError, match='goal must be'):
        choose_goal(text, True, False)
    with pytest.raises(ConfigError, match='no poses are known'):
        choose_goal('8s', False, False)


def test_the_policy_sees_goal_and_history() -> None:
    """At 1 m/s the goal 2 s on lies 2 m ahead; the window holds images 0.2 s apart."""
    policy = Watcher()
    steps = play(policy, recording(51), GoalChoice(along=2.0))
    assert len(steps) == 26
    assert policy.resets == 1
    np.testing.assert_allclose(policy.seen[10].goal, [2.0, 0.0], atol=1e-9)
    assert policy.seen[10].images[:, 0, 0, 0].tolist() == [16, 18, 20]
    assert policy.seen[10].poses is not None
    assert steps[10].errors['fde_2.0'] == pytest.approx(0.0, abs=1e-6)
    assert steps[20].errors == {}
    # The way ends at 5 s: the goal of the last image is where it ends.
    np.testing.assert_allclose(policy.seen[-1].goal, [0.0, 0.0], atol=1e-9)


def test_without_poses_nothing_is_made_up() -> None:
    policy = Watcher()
    steps = play(policy, recording(9, speed=None), GoalChoice())
    assert all(seen.goal is None and seen.poses is None for seen in policy.seen)
    assert all(step.truth is None and step.errors == {} for step in steps)
    play(policy, recording(9, speed=None), GoalChoice(ahead=7.0))
    assert policy.seen[-1].goal.tolist() == [7.0, 0.0]


def test_a_gap_begins_the_window_anew() -> None:
    policy = Watcher()
    steps = play(policy, recording(3, step_ms=1500), GoalChoice())
    assert [step.restarted for step in steps] == [True, True, True]


def test_goal_images_are_the_recordings_own_later_ones() -> None:
    """Image k of 10 Hz is shown image k + 20 as its goal 2 s on; at the end the last one."""
    policy = Pictured()
    play(policy, recording(41), GoalChoice(along=2.0))
    assert policy.pictures == [min(k + 20, 40) for k in range(0, 41, 2)]
    assert all(seen.goal is None for seen in policy.seen)


def test_films_of_photos_are_slow() -> None:
    assert film_rate(np.arange(9) * 200 * MS) == 5
    assert film_rate(np.arange(9) * 3000 * MS) == 1
    assert film_rate(np.array([5])) == 5


def test_charts_leave_gaps_and_escape() -> None:
    svg = line_chart([0.0, 1.0, 2.0, 3.0], {'a<b': [1.0, math.nan, 2.0, 3.0]}, 'ms', {'p50': 2.0})
    assert 'a&lt;b' in svg
    assert svg.count('M') >= 2
    assert 'nan' not in svg


def test_labels_of_marks_do_not_meet() -> None:
    marks = {'p99': 90.0, 'p50': 5.1, 'p95': 5.3}
    svg = line_chart([0.0, 1.0], {'all': [5.0, 100.0]}, 'ms', marks)
    labels = dict(re.findall(r'y="([0-9.]+)" text-anchor="end">(p[0-9]+)', svg))
    heights = {name: float(y) for y, name in labels.items()}
    # 172 pixels are 100 ms: the line of 5.1 lies at 182 - 0.051 x 172 = 173.2, its label 4 above.
    assert heights['p50'] == pytest.approx(169.2, abs=0.05)
    assert heights['p95'] == pytest.approx(156.2, abs=0.05)
    assert heights['p99'] == pytest.approx(182 - 0.9 * 172 - 4, abs=0.05)


@pytest.fixture
def photos(tmp_path):
    """A folder of numbered pictures, 9.png before 10.png."""
    folder = tmp_path / 'walk'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for k in range(8, 13):
        cv2.imwrite(str(folder / f'{k}.png'), rng.integers(0, 256, (48, 64, 3), np.uint8))
    return folder


def test_a_folder_of_photos_in_one_line(photos, tmp_path, capsys) -> None:
    """Film, page, summary and table from nothing but pictures."""
    out = tmp_path / 'out'
    assert main(['replay', str(photos), '--out', str(out), '--width', '320']) == 0
    text = capsys.readouterr().out
    assert '70° from left to right are assumed' in text
    assert 'goal: no goal' in text
    with av.open(str(out / 'replay.mp4')) as film:
        assert len(list(film.decode(video=0))) == 5
    summed = json.loads((out / 'replay.json').read_text())
    assert summed['images'] == 5
    assert set(summed['latency_ms']) == {'decode', 'preprocess', 'infer', 'all'}
    assert summed['against_recorded_way'] is None
    with (out / 'replay.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row['image'] for row in rows] == ['0', '1', '2', '3', '4']
    page = (out / 'index.html').read_text()
    assert '<svg class="chart"' in page
    assert 'http' not in page.replace('http-equiv', '')


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--goal', '8s'], 'no poses are known'), (['--goal', 'x'], 'goal must be'),
        (['--policy', 'no-such'], 'no-such'), (['--fov', '500'], 'hfov must be'),
        (['--policy', 'adapter:s2e:no.onnx'], 'no.onnx: no such file'),
    ],
)
def test_wrong_words_end_with_one_line(photos, tmp_path, capsys, words, message) -> None:
    assert main(['replay', str(photos), '--out', str(tmp_path / 'o'), *words]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_nothing_to_replay_is_said(tmp_path, capsys) -> None:
    assert main(['replay', str(tmp_path / 'none')]) == 2
    assert 'no such file or folder' in capsys.readouterr().err
    (tmp_path / 'empty').mkdir()
    assert main(['replay', str(tmp_path / 'empty')]) == 2
    assert 'has no known form' in capsys.readouterr().err


DATA = Path(os.environ.get('S2E_DATA', Path(__file__).resolve().parents[4] / 'shared' / 'data'))


@pytest.mark.data
@pytest.mark.parametrize(
    ('source', 'words', 'posed'),
    [('ego/kitti_seq_a', [], True), ('posed_images/sceaux', [], False),
     ('posed_images/opensfm_berlin', [], False)],
)
def test_real_recordings(tmp_path, source, words, posed) -> None:
    if not (DATA / source).exists():
        pytest.skip(f'real data absent: {DATA / source} (set S2E_DATA to the data folder)')
    out = tmp_path / 'out'
    assert main(['replay', str(DATA / source), '--seconds', '1', '--width', '480', '--out',
                 str(out), *words]) == 0
    summed = json.loads((out / 'replay.json').read_text())
    assert (summed['against_recorded_way'] is not None) == posed
    assert (out / 'replay.mp4').stat().st_size > 5000
