"""The gate: bounds by hand, and the shipped protocol's record belongs to the shipped protocol."""

from __future__ import annotations

import json

import pytest

from navbench_gs.metrics.calibration import CEILING, FLOOR, gate
from navbench_gs.metrics.estimate import Estimate
from navbench_gs.metrics.summary import Summary
from navbench_gs.tasks.protocol import load_protocol
from navbench_gs.tasks.spec import TASKS
from s2e_core.paths import find_config


def summary(task: str, success: float, clean: float) -> Summary:
    metrics = {
        'success': Estimate(success, success - 0.1, success, 20),
        'collision_free_success': Estimate(clean, clean, clean + 0.1, 20),
    }
    return Summary(task, 20, 2, metrics, {})


def test_bounds_are_held_to_the_letter() -> None:
    privileged = [summary(task, CEILING[task], 0.0) for task in TASKS]
    straight = [summary(task, 1.0, FLOOR[task]) for task in TASKS]
    rows = gate(privileged, straight)
    assert len(rows) == 8
    assert all(row.held for row in rows)
    # 19 of 20 are .95; 18 of 20 are not.
    assert not gate([summary('empty', 18 / 20, 1.0)], [])[0].held
    assert not gate([], [summary('obstacle_pedestrian', 1.0, 3 / 20)])[0].held


def test_a_row_says_what_it_is() -> None:
    row = gate([], [summary('empty', 1.0, 0.6)])[0]
    assert str(row).startswith('BAD empty')
    assert 'at most 0.50' in str(row)
    assert gate([summary('all', 0.0, 0.0)], []) == []


@pytest.mark.parametrize(('name', 'file'), [
    ('default', 'calibration.json'), ('crowd', 'calibration_crowd.json'),
])
def test_the_protocol_is_the_one_that_was_calibrated(name: str, file: str) -> None:
    """It is frozen: with other constants `s2e bench calibrate` has to be run again."""
    record = json.loads(find_config(f'navbench/{file}').read_text())
    assert record['protocol']['hash'] == load_protocol(name).hash
    assert record['passed'] is True
    assert {row['task'] for row in record['rows']} == set(TASKS)
    for row in record['rows']:
        assert row['episodes'] >= 100
        bound = (CEILING if row['agent'] == 'privileged' else FLOOR)[row['task']]
        assert row['bound'] == pytest.approx(bound)
