"""Replays are equal to the byte or say where they part; conditions are what they say."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from navbench_gs.agents.straight import StraightToGoal
from navbench_gs.errors import RunError
from navbench_gs.metrics.record import read_log
from navbench_gs.runner.conditions import Conditions
from navbench_gs.runner.identity import changed_versions
from navbench_gs.runner.plan import RunConfig, RunFolder
from navbench_gs.runner.replay import first_difference, open_recorded, replay
from navbench_gs.runner.run import run_benchmark
from navbench_gs.runner.spoiler import Spoiler
from navbench_gs.tasks.protocol import load_protocol
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT
from s2e_core.errors import ConfigError
from s2e_core.records import CameraFrame

WORSE = Conditions(hfov=70.0, height=0.1, pitch=3.0, exposure=0.5, frame_drop=0.2, latency=0.1,
                   goal_noise=0.3)


class Straight:
    """A factory; `seeing` makes the agent look, so that cameras are drawn."""

    name = 'straight'

    def __call__(self):
        agent = StraightToGoal()
        agent.needs_images = True
        return agent


@pytest.fixture
def run(tmp_path, only_yard, hurry):
    """Return the folder of a run of one episode under bad conditions."""
    config = RunConfig(('yard',), ('obstacle_pedestrian',), load_protocol(hurry), 'coco',
                       episodes=1, conditions=WORSE)
    run_benchmark(config, Straight(), tmp_path)
    return RunFolder(tmp_path)


def episode(folder):
    return next(folder.episodes.glob('*.json'))


class Watcher(Straight):
    """Keeps the columns at the left of the images that it is shown."""

    def __init__(self, unseen):
        self.unseen, self.left = unseen, []

    def __call__(self):
        agent = super().__call__()
        agent.spec = replace(agent.spec, unseen=self.unseen)
        answer = agent.infer

        def infer(observation):
            self.left.append(observation.images[-1][:, :10].copy())
            return answer(observation)

        agent.infer = infer
        return agent


@pytest.mark.parametrize('unseen', ['black', 'edge'])
def test_what_a_lens_does_not_see_is_as_the_policy_wants_it(tmp_path, only_yard, hurry, unseen):
    """60 degrees of 90: tan(30) / tan(45) = 0.58 of the width, 27 of 128 columns at each side."""
    watcher = Watcher(unseen)
    config = RunConfig(('yard',), ('empty',), load_protocol(hurry), 'coco', episodes=1,
                       conditions=Conditions(hfov=60.0))
    run_benchmark(config, watcher, tmp_path)
    left = np.stack(watcher.left)
    assert len(left) > 3
    assert (left == left[:, :, :1]).all()
    assert left.any() == (unseen == 'edge')


def test_replay_is_equal_to_the_byte(run):
    recorded = open_recorded(episode(run))
    assert recorded.run['conditions']['latency'] == 0.1
    assert recorded.policy_source == 'straight'
    assert changed_versions(recorded.run) == []
    result = replay(recorded, Straight(), film=run.films / 'again.mp4')
    assert result.difference == ''
    assert (run.films / 'again.mp4').stat().st_size > 1000
    # Lost images are not asked about: fewer answers than periods of 0.2 s.
    assert len(result.log.modes) < result.log.duration / 0.2 - 2


def test_a_changed_record_is_named_by_tick_and_column(run):
    path = episode(run)
    content = json.loads(path.read_text())
    content['ticks']['y'][30] += 0.001
    content['ticks']['x'][37] += 0.001
    path.write_text(json.dumps(content, sort_keys=True, separators=(',', ':')) + '\n')
    result = replay(open_recorded(path), Straight())
    assert result.difference.startswith('tick 30 (1.50 s): y was ')
    path.write_text(json.dumps(json.loads(result.log.to_json()), indent=1))
    assert 'written differently' in replay(open_recorded(path), Straight()).difference


def test_first_difference_names_outcome_and_length(run):
    log = read_log(episode(run))
    assert first_difference(log, log) == 'the same values, written differently'
    assert first_difference(log, replace(log, outcome='fell')) == (
        f'outcome was {log.outcome}, is fell')
    shorter = replace(log, ticks={name: column[:41] for name, column in log.ticks.items()})
    assert first_difference(log, shorter).endswith('is 2.00 s')


def test_what_cannot_be_replayed_says_why(run):
    path = episode(run)
    record = json.loads(run.record.read_text())

    class Other(Straight):
        name = 'other'

    with pytest.raises(RunError, match="driven by 'straight', got 'other'"):
        replay(open_recorded(path), Other())
    record['versions']['numpy'] = '1.0'
    here = changed_versions(record)
    assert len(here) == 1
    assert here[0].startswith('numpy 1.0, here ')
    record['scenes'] = []
    run.record.write_text(json.dumps(record))
    with pytest.raises(RunError, match='name it with --scene'):
        replay(open_recorded(path), Straight())
    record['protocol']['values']['judge']['goal_radius'] = 0.6
    run.record.write_text(json.dumps(record))
    with pytest.raises(RunError, match='was driven by protocol'):
        open_recorded(path)
    run.record.write_text('[]')
    with pytest.raises(RunError, match='is not the record of a run'):
        open_recorded(path)
    run.record.unlink()
    with pytest.raises(RunError, match='replayed in its run folder'):
        open_recorded(path)


def test_a_run_under_other_conditions_is_refused(run, hurry):
    config = RunConfig(('yard',), ('empty',), load_protocol(hurry), 'coco', episodes=1)
    with pytest.raises(RunError, match='under other conditions'):
        run_benchmark(config, Straight(), run.root)


def test_lens_and_place_by_hand():
    camera = Conditions(hfov=60.0).lens(SMALL_CAMERA)
    # 64 / tan 30 = 110.85; the aspect 4/3 of the squeezed view stays.
    assert camera.fx == pytest.approx(110.851, abs=1e-3)
    assert camera.fy / camera.fx == pytest.approx(4.0 / 3.0)
    assert Conditions().lens(SMALL_CAMERA) is SMALL_CAMERA
    mount = Conditions(height=0.2, pitch=-9.0).place(SMALL_MOUNT)
    assert (mount.z, mount.pitch) == pytest.approx((0.8, 0.1 - math.pi / 20.0))
    assert Conditions().place(SMALL_MOUNT) == SMALL_MOUNT
    assert Conditions(blur=1.0).changed() == {'blur': 1.0}
    with pytest.raises(ConfigError, match=r'frame_drop must be in 0\.\.1'):
        Conditions(frame_drop=1.5)


@pytest.fixture
def spec(run):
    return open_recorded(episode(run)).log.spec


def test_images_are_spoiled_and_lost_the_same_each_time(spec):
    rgb = np.full((8, 8, 3), 100, np.uint8)
    rgb[:4] = 200
    frame = CameraFrame(0, rgb)
    assert Spoiler(Conditions(), spec)(frame) is frame
    bright = Spoiler(Conditions(exposure=1.0), spec)(frame).rgb
    # 2 x 100, and 2 x 200 is more than white.
    assert (bright[7, 0, 0], bright[0, 0, 0]) == (200, 255)
    soft = Spoiler(Conditions(blur=1.0), spec)(frame).rgb
    assert 100 < soft[4, 0, 0] < 150 < soft[3, 0, 0] < 200
    lost = [[Spoil(frame) is None for _ in range(400)]
            for Spoil in (Spoiler(Conditions(frame_drop=0.3), spec) for _ in range(2))]
    assert lost[0] == lost[1]
    # 0.3 x 400 = 120, and three times its deviation of 9.2.
    assert sum(lost[0]) == pytest.approx(120, abs=28)


def test_goal_noise_scales_and_depends_on_the_episode(spec):
    one, three = (Conditions(goal_noise=s).goal_offset(spec) for s in (1.0, 3.0))
    assert three == pytest.approx(3.0 * one)
    assert not np.allclose(one, Conditions(goal_noise=1.0).goal_offset(replace(spec, seed=1)))
    assert not Conditions().goal_offset(spec).any()
