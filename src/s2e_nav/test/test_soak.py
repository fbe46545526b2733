"""The soak: its figures from /proc, its trends, its verdicts."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy', reason='ROS missing: no rclpy')

from s2e_core.errors import ConfigError
from s2e_core.paths import find_config
from s2e_nav.soak import table, verdict
from s2e_nav.soak.meter import Cost, Meter, Usage, look_at
from s2e_nav.soak.run import SoakConfig
from s2e_nav.soak.stack import STARTED
from s2e_nav.soak.watch import GATE_PERIOD_NS, Counts


def rows(count=60, **columns):
    """Return a healthy table of one-minute rows, with some columns replaced by functions."""
    steady = {
        'gate_rss_mb': 100.0, 'gate_threads': 9, 'gate_files': 20, 'plans': 300, 'plans_late': 1,
        'commands': 3000, 'commands_late': 5, 'latency_p50_ms': 9.0, 'latency_p95_ms': 20.0,
        'latency_p99_ms': 30.0, 'machine_late_p99_ms': 2.0, 'reached': 4, 'goals': 5,
    }
    return [
        {'minutes': float(i + 1), **steady, **{k: f(i + 1) for k, f in columns.items()}}
        for i in range(count)
    ]


def level_of(name, made, restarts=()):
    found = {v.name: v for v in verdict.judge(made, restarts, 60.0)}
    return found[name].level


def test_a_healthy_table_has_nothing_but_good_verdicts():
    assert {v.level for v in verdict.judge(rows(), [], 60.0)} == {'ok'}


def test_a_slope_is_per_hour_and_one_outlier_does_not_bend_it():
    minutes = np.arange(1.0, 61.0)
    values = 50.0 + 3.0 * minutes / 60.0
    values[40] = 900.0
    line = verdict.trend(minutes, values)
    assert line.slope == pytest.approx(3.0, abs=0.05)
    assert line.low <= line.slope <= line.high and line.chance < 1e-6


def test_the_warm_up_is_no_trend():
    minutes = np.arange(1.0, 61.0)
    # 100 MB are filled within the first quarter of an hour.
    line = verdict.trend(minutes, np.minimum(minutes, 15.0) * 100.0 / 15.0)
    assert line.slope == 0.0 and line.chance == 1.0
    assert verdict.after_warm_up(minutes).sum() == 45
    # A third of a short one.
    assert verdict.after_warm_up(np.arange(1.0, 13.0)).sum() == 8


@pytest.mark.parametrize(('an_hour', 'level'), [(1.5, 'ok'), (2.5, 'fail'), (-9.0, 'ok')])
def test_memory_may_grow_by_two_megabytes_an_hour(an_hour, level):
    made = rows(gate_rss_mb=lambda minute: 100.0 + an_hour * minute / 60.0)
    assert level_of('memory of gate', made) == level


def test_what_fills_and_then_stays_is_no_leak_and_what_goes_on_is():
    # 6 MB an hour until minute 38, the middle of the 45 that count, and nothing after it.
    fills = rows(gate_rss_mb=lambda minute: 100.0 + 6.0 * min(minute, 36.0) / 60.0)
    assert level_of('memory of gate', fills) == 'ok'
    # 0.2 MB every four minutes are 3 an hour, in steps as an allocator takes them.
    steps = rows(gate_rss_mb=lambda minute: 100.0 + 0.2 * (minute // 4))
    assert level_of('memory of gate', steps) == 'fail'
    # One that only begins half way.
    late = rows(gate_rss_mb=lambda minute: 100.0 + 9.0 * max(0.0, minute - 38.0) / 60.0)
    assert level_of('memory of gate', late) == 'fail'


def test_a_leaked_thread_or_file_is_found():
    assert level_of('handles of gate', rows(gate_threads=lambda m: 9 + (m > 50))) == 'fail'
    assert level_of('handles of gate', rows(gate_files=lambda m: 20 + m // 20)) == 'fail'


def test_deadlines_fail_by_their_trend_unless_the_machine_has_the_same():
    worse = {'plans_late': lambda minute: minute}
    assert level_of('deadlines of policy', rows(**worse)) == 'fail'
    busy = rows(**worse, machine_late_p99_ms=lambda minute: 2.0 + minute)
    assert level_of('deadlines of policy', busy) == 'warn'
    # Many, but as many at first: the machine is too slow, nothing becomes slower.
    assert level_of('deadlines of policy', rows(plans_late=lambda minute: 40)) == 'ok'


def test_short_soaks_judge_no_trend_and_a_drive_without_arrival_fails():
    assert level_of('memory of gate', rows(10)) == 'skip'
    assert level_of('drive', rows(reached=lambda minute: 0)) == 'fail'
    assert level_of('drive', rows(1, reached=lambda minute: 0)) == 'skip'
    assert level_of('drive', rows(1, reached=lambda minute: 0, plans=lambda minute: 0)) == 'fail'
    assert level_of('processes', rows(), ['gate']) == 'fail'
    # Interrupted before the first row.
    assert {v.level for v in verdict.judge([], [], 60.0)} == {'ok', 'skip'}


def test_this_process_is_read_from_proc():
    usage = look_at(os.getpid())
    assert usage.rss > 10.0 and usage.cpu > 0.0 and usage.threads >= 1 and usage.files >= 3
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(7)]
    assert look_at(os.getpid()).files == usage.files + 7
    for file in held:
        os.close(file)
    ended = subprocess.Popen([sys.executable, '-c', ''])
    ended.wait()
    assert look_at(ended.pid) is None


@pytest.mark.parametrize(('count', 'an_hour', 'level'), [
    (24, 4.0, 'skip'), (24, 168.0, 'skip'), (120, 4.0, 'skip'), (120, 168.0, 'fail'),
    (240, 4.0, 'fail'),
])
def test_a_step_or_a_buffer_that_fills_in_a_short_soak_is_no_leak(count, an_hour, level):
    """Rows of 5 s. After the warm-up 10 minutes have 6.6 left, at 4 MB an hour 0.44 MB."""
    made = [
        {**row, 'minutes': row['minutes'] / 12,
         'gate_rss_mb': 100.0 + an_hour * row['minutes'] / 720} for row in rows(count)
    ]
    assert level_of('memory of gate', made) == level


def test_a_row_has_the_median_memory_and_the_processor_share(monkeypatch):
    looks = iter([Usage(10.0, 1.0, 4, 7), Usage(90.0, 1.1, 5, 8), Usage(12.0, 1.5, 4, 9),
                  Usage(13.0, 1.6, 4, 9), Usage(11.0, 0.1, 4, 9), Usage(11.0, 0.3, 4, 9)])
    monkeypatch.setattr('s2e_nav.soak.meter.look_at', lambda pid: next(looks))
    meter = Meter()
    for now in (0.0, 1.0, 2.0):
        meter.look({'gate': 1}, now)
    # 0.5 s of processor time in 2 s.
    assert meter.take() == {'gate': Cost(12.0, 25.0, 5, 9)}
    # The last look begins the next row: 0.1 s in 1 s, until it was started again.
    meter.look({'gate': 1}, 3.0)
    assert meter.take()['gate'].cpu == pytest.approx(10.0)
    meter.look({'gate': 2}, 4.0)
    meter.look({'gate': 2}, 5.0)
    assert meter.take()['gate'].cpu == pytest.approx(20.0)


def test_a_table_is_written_with_columns_that_came_later(tmp_path):
    counts = Counts(plans=3, plans_late=1, ages=[0.01, 0.02, 0.03],
                    ends=Counter(NONE=2, REPLACED=1))
    row = table.Row(1.0, {'gate': Cost(12.0, 25.0, 5, 9)}, counts, {'infer_p50_ms': '6.1'},
                    [0.001, 0.003])
    made = [row.values(), {**row.values(), 'late_column': 4.0}]
    assert made[0]['reached'] == 2 and made[0]['goals'] == 3
    assert made[0]['plan_age_p50_ms'] == 20.0 and made[0]['machine_late_max_ms'] == 3.0
    assert made[0]['ends'] == 'NONE:2 REPLACED:1' and made[0]['infer_p50_ms'] == 6.1
    table.write_csv(tmp_path / 'soak.csv', made)
    with (tmp_path / 'soak.csv').open(newline='') as file:
        back = list(csv.DictReader(file))
    assert [row['late_column'] for row in back] == ['', '4.0']
    assert {name: str(value) for name, value in made[1].items()} == back[1]
    assert table.processes(made) == ['gate']
    assert table.column(made, 'gate_rss_mb').tolist() == [12.0, 12.0]
    assert np.isnan(table.column(made, 'late_column')[0])


def test_the_gate_is_held_to_the_period_of_its_settings():
    settings = yaml.safe_load(find_config('nodes/gate_robot.yaml').read_text())
    assert settings['/**']['gate']['ros__parameters']['gate']['tick_period'] * 1e9 == (
        GATE_PERIOD_NS)


def test_launch_tells_processes_and_a_soak_has_a_length():
    line = '[INFO] [policy-1]: process started with pid [123]'
    assert STARTED.search(line).groups() == ('policy', '123')
    assert [SoakConfig(minutes=m).row for m in (1.0, 30.0, 600.0)] == [5.0, 30.0, 60.0]
    with pytest.raises(ConfigError, match='minutes'):
        SoakConfig(minutes=0.0)
