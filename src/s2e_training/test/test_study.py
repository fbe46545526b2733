"""Studies: their settings, what seeds say together, and the table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from navbench_gs.metrics.outcome import Cause
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.metrics.summary import Scored
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.config import from_mapping, from_yaml
from s2e_core.errors import ConfigError
from s2e_core.paths import find_config
from s2e_core.se2 import Pose2
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.setup import _first
from s2e_training.study.config import (
    PlaceConfig,
    StudyConfig,
    parent_name,
    stages,
    trainings,
    with_workers,
)
from s2e_training.study.episodes import HEADS, write_drives
from s2e_training.study.picture import curve, draw_study
from s2e_training.study.pooled import pooled
from s2e_training.study.stops import line_of
from s2e_training.study.table import Measured, rows, write_csv, write_markdown

STUDY: dict[str, Any] = {
    'name': 'try', 'base': 'training/posttrain_study.yaml', 'seeds': [3, 4],
    'settings': {'steps': 1024, 'ppo.clip': 0.1},
    'variants': {'ram': {}, 'decoder': {'mode': 'decoder', 'ppo.clip': 0.3}},
}


SCORES = EpisodeScores(True, True, 1.0, 0, 0.0, 0.0, 0.9, 12.0, 10.0, 0.3, math.inf, math.inf,
                       0.0, 1.0, 0.0, Cause.NONE)


def scored(scene: str, index: int, success: bool) -> Scored:
    """An episode that went well, or did not with two collisions."""
    spec = EpisodeSpec(scene, 'h', 'coco', 'obstacle', index, 0, Pose2(), (9.0, 0.0), 9.0, 9.0,
                       False, 35.0)
    return Scored(spec, replace(
        SCORES, success=success, collision_free_success=success, collisions=0 if success else 2,
    ))


def test_each_seed_trains_each_variant_with_its_settings() -> None:
    study = from_mapping(StudyConfig, STUDY)
    found = trainings(study)
    assert [one.name for one in found] == ['ram-3', 'decoder-3', 'ram-4', 'decoder-4']
    clips = [one.config.ppo.clip for one in found if isinstance(one.config, PosttrainConfig)]
    assert clips == [0.1, 0.3, 0.1, 0.3], "a variant's settings win over the study's"
    assert {one.config.steps for one in found} == {1024}
    assert [one.config.seed for one in found] == [3, 3, 4, 4]
    assert isinstance(found[0].config, PosttrainConfig)
    assert with_workers(found[0].config, 64).environment.workers == 8, 'one each at most'


def test_parents_may_be_trainings_of_the_same_seed() -> None:
    study = from_mapping(StudyConfig, {**STUDY, 'settings': {
        'initial': 'runs/data/half-{seed}/last.pt',
    }})
    assert [one.config.initial for one in trainings(study)] == [
        f'runs/data/half-{seed}/last.pt' for seed in (3, 3, 4, 4)
    ]


def test_parents_of_one_name_are_refused() -> None:
    """Their folders would be one: a checkpoint is named by its folder, not `last.pt`."""
    study = from_mapping(StudyConfig, {**STUDY, 'variants': {
        'ram': {'initial': 'runs/data/half-{seed}/last.pt'},
        'decoder': {'initial': 'runs/other/half-{seed}/last.pt'},
    }})
    with pytest.raises(ConfigError, match=r"'half-3' is that of runs/data/half-3/last\.pt and"):
        trainings(study)
    assert parent_name('models/s2e-small') == 's2e-small'


def test_a_training_is_measured_at_its_stops_and_at_its_end() -> None:
    """posttrain_study.yaml: segments of 4 rollouts of 128 steps in 8 environments, 4,096 steps."""
    study = from_mapping(StudyConfig, {
        **STUDY, 'settings': {'steps': 16384}, 'variants': {'ram': {}}, 'stops': [4096, 8192],
    })
    found = stages(study, trainings(study)[0])
    assert [(one.folder, one.config.steps) for one in found] == [
        ('ram-3/steps-4096', 4096), ('ram-3/steps-8192', 8192), ('ram-3', 16384),
    ]
    for wrong, said in (([4096, 5000], 'got 5000'), ([16384], 'got 16384')):
        off = replace(study, stops=tuple(wrong))
        with pytest.raises(ConfigError, match=f'multiples of 4096 below 16384, {said}'):
            stages(off, trainings(off)[0])
    with pytest.raises(ConfigError, match='must rise'):
        replace(study, stops=(8192, 4096))
    with pytest.raises(ConfigError, match='trains: posttrain'):
        replace(study, trains='pretrain')


def test_gains_may_be_counted_from_a_variant() -> None:
    assert from_mapping(StudyConfig, {**STUDY, 'reference': 'ram'}).reference == 'ram'
    with pytest.raises(ConfigError, match=r"one of .*'ram'.* got 'none'"):
        from_mapping(StudyConfig, {**STUDY, 'reference': 'none'})


def test_pre_training_is_studied_too() -> None:
    study = from_mapping(StudyConfig, {
        **STUDY, 'trains': 'pretrain', 'base': 'training/small.yaml', 'settings': {'steps': 7},
        'variants': {'half': {'share': 0.5}, 'all': {}},
    })
    found = trainings(study)
    assert [(one.name, one.config.steps, one.config.initial) for one in found] == [
        ('half-3', 7, ''), ('all-3', 7, ''), ('half-4', 7, ''), ('all-4', 7, ''),
    ]
    shares = [one.config.share for one in found if isinstance(one.config, PretrainConfig)]
    assert shares == [0.5, 1.0, 0.5, 1.0]
    with pytest.raises(ConfigError, match=r"no setting 'ppo\.clip'"):
        trainings(replace(study, settings={'ppo.clip': 0.1}))


@pytest.mark.parametrize(('share', 'kept'), [(1.0, 8), (0.5, 4), (0.125, 1), (0.001, 1)])
def test_a_share_of_the_data_is_its_first_clips(share: float, kept: int) -> None:
    clips = [Path(f'city-{1000 + index}') for index in range(8)]
    assert _first(clips, share) == clips[:kept]


@pytest.mark.parametrize(('changes', 'said'), [
    ({'variants': {'ram': {'ppo.klip': 1}}}, "try, ram: there is no setting 'ppo.klip'"),
    ({'variants': {'ram': {'ppo.clip': 7.0}}}, 'clip must be in 0.01..1.0'),
    ({'variants': {'../x': {}}}, "got '../x'"),
    ({'variants': {}}, 'variants must be different ones'),
    ({'seeds': [1, 1]}, 'seeds must be different ones'),
    ({'places': [{'name': 'a/b'}]}, "got 'a/b'"),
])
def test_what_is_wrong_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        trainings(from_mapping(StudyConfig, {**STUDY, **changes}))


def test_the_studies_that_ship_can_be_read() -> None:
    folder = find_config('training/studies')
    files = sorted(folder.glob('*.yaml'))
    assert len(files) >= 4
    for path in files:
        assert len(trainings(from_yaml(StudyConfig, path))) >= 6


def test_seeds_that_agree_leave_only_what_scenes_and_episodes_add() -> None:
    """Seeds of 0.25 and 0.75 that no scene changes: draws give both, one or the other.

    A draw takes one seed twice with probability 1/4 each, so the bounds of 95 % are the seeds.
    """
    low = [('a', 0.25), ('b', 0.25)]
    high = [('a', 0.75), ('b', 0.75)]
    value = pooled([low, high])
    assert (value.mean, value.low, value.high, value.count) == (0.5, 0.25, 0.75, 4)
    same = pooled([low, low])
    assert (same.mean, same.low, same.high) == (0.25, 0.25, 0.25)


def test_the_spread_of_pooled_draws_is_what_arithmetic_says() -> None:
    """One scene, equal seeds, n = 100 values with mean 1/2 each: var = (1/4 / 100) (1/2 + ...).

    Both seeds drawn (1/2): the mean of two means of 100, variance 1/800. One of them twice (1/2):
    1/400. Together 3/1600, so 1.96 sqrt(3/1600) = 0.085 either side, as the centre is 1/2.
    """
    seed = [('a', float(index % 2)) for index in range(100)]
    value = pooled([seed, seed])
    assert value.high - value.low == pytest.approx(2 * 1.96 * np.sqrt(3 / 1600), rel=0.08)


def test_a_seed_without_values_has_no_mean() -> None:
    value = pooled([[('a', 1.0)], [('a', float('nan'))]])
    assert np.isnan(value.mean) and value.count == 1


def measured(seed: int | None, outcomes: Sequence[bool]) -> Measured:
    """A policy over episodes of two scenes."""
    found = [scored(f'city:{index % 2}', index, good)
             for index, good in enumerate(outcomes)]
    return Measured('here', 'ram' if seed is not None else 'parent p', seed, 1024, 0.5,
                    'abc', found)


def test_rates_are_drawn_where_there_is_no_parent(tmp_path: Path) -> None:
    table = rows([measured(0, [True, False]), measured(1, [True, True])])
    assert [row.seed for row in table] == ['0', '1', 'all']
    assert all(row.differences == {} for row in table)
    draw_study(table, {}, 'try', tmp_path / 'study.png')
    assert (tmp_path / 'study.png').stat().st_size > 10_000


def test_gains_are_those_of_the_same_episodes(tmp_path: Path) -> None:
    parent = measured(None, [False, True, False, True])
    first = replace(measured(0, [True, True, False, True]), parent=parent.scored)
    second = replace(measured(1, [True, True, True, False]), parent=parent.scored)
    table = rows([parent, first, second])
    assert [(row.variant, row.seed) for row in table] == [
        ('parent p', ''), ('ram', '0'), ('ram', '1'), ('ram', 'all'),
    ]
    assert [row.values['SR'].mean for row in table] == [0.5, 0.75, 0.75, 0.75]
    assert table[0].differences == {}
    # Seed 0 wins one of four; seed 1 wins two and loses one.
    assert [row.differences['SR'].mean for row in table[1:]] == [0.25, 0.25, 0.25]
    assert table[1].differences['CT'].mean == pytest.approx(-0.5)
    assert (table[3].episodes, table[3].hours) == (8, 1.0)
    read = list(csv.DictReader(io.StringIO(write_csv(table))))
    assert read[0]['SR_gain'] == '' and read[3]['SR_gain'] == '0.2500'
    assert write_markdown(table).count('\n') == 2 + 4
    log = tmp_path / 'log.csv'
    log.write_text('step,episodes,success,clean_success\n1,0,nan,nan\n2,1,1,0\n3,3,0,0\n')
    draw_study(table, {('ram', 0): log}, 'try', tmp_path / 'study.png')
    assert (tmp_path / 'study.png').stat().st_size > 10_000


def test_stops_are_rows_of_their_own_and_one_line(tmp_path: Path) -> None:
    parent = measured(None, [False, True])
    parent = replace(parent, steps=0)
    found = [parent, *(
        replace(measured(seed, outcomes), parent=parent.scored, steps=steps)
        for seed in (0, 1) for steps, outcomes in ((512, [False, False]), (1024, [True, True]))
    )]
    table = rows(found)
    assert [(row.seed, row.steps, row.values['SR'].mean) for row in table] == [
        ('', 0, 0.5), ('0', 512, 0.0), ('0', 1024, 1.0), ('1', 512, 0.0), ('1', 1024, 1.0),
        ('all', 512, 0.0), ('all', 1024, 1.0),
    ]
    line = line_of(table, 'here', 'ram')
    assert [(steps, row.seed) for steps, row in line] == [(0, ''), (512, 'all'), (1024, 'all')]
    draw_study(table, {}, 'try', tmp_path / 'study.png')
    alone = rows([found[0], found[1]])
    assert [steps for steps, _ in line_of(alone, 'here', 'ram')] == [0, 512]


def test_every_drive_is_a_line() -> None:
    text = write_drives([measured(None, [True]), measured(0, [False, True])])
    assert text.splitlines() == [
        ','.join(HEADS),
        'here,parent p,,1024,city-0_obstacle_000,0,1,1,0,1,12',
        'here,ram,0,1024,city-0_obstacle_000,0,0,0,2,1,12',
        'here,ram,0,1024,city-1_obstacle_001,0,1,1,0,1,12',
    ]


def test_curves_count_episodes_not_rollouts(tmp_path: Path) -> None:
    """Two rollouts with episodes, so both are one window: (1 x 1 + 3 x 0) / 4."""
    log = tmp_path / 'log.csv'
    log.write_text('step,episodes,success\n1,0,nan\n2,1,1.0\n3,3,0.0\n')
    steps, values = curve(log, 'success')
    assert (list(steps), list(values)) == ([3.0], [0.25])
    for nothing in ('step,total\n1,0.5\n', 'step,episodes,success\n1,0,nan\n'):
        log.write_text(nothing)
        assert curve(log, 'success')[0].size == 0


def test_places_have_bounds() -> None:
    with pytest.raises(ConfigError, match='episodes'):
        PlaceConfig('x', episodes=-1)
