"""`s2e teleop study` and `compare` in a small yard: runs, report, and figures from the CSV."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from navbench_gs.runner import bench
from s2e_cli.main import main
from s2e_cli.teleop.comparison import difference, mean_of
from s2e_cli.teleop.reading import read_drivers
from s2e_cli.teleop.study import OperatorFactory
from s2e_teleop.study.operator import Lateness

sys.path.append(str(Path(__file__).parents[2] / 'navbench_gs' / 'test' / 'support'))


@pytest.fixture(scope='module')
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study: straight at the goal, and operators over two links."""
    from yard import make_yard

    made, out = make_yard(), tmp_path_factory.mktemp('study')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, 'resolve_scene', lambda scene: made)
        command = ['teleop', 'study', str(out), '--policy', 'straight', '--links', 'none',
                   'satellite', '--scenes', 'yard', '--tasks', 'empty', '--episodes', '2',
                   '--workers', '1']
        assert main(command) == 0
        stamps = {p: p.stat().st_mtime_ns for p in out.rglob('episodes/*.json')}
        # A second call drives nothing again.
        assert main(command) == 0
    assert stamps == {p: p.stat().st_mtime_ns for p in out.rglob('episodes/*.json')}
    assert len(stamps) == 6
    return out


def test_everyone_drives_the_same_episodes_and_operators_are_late(study: Path) -> None:
    drivers = read_drivers(sorted((study / 'runs').iterdir(), reverse=True))
    assert [driver.name.split()[0] for driver in drivers] == ['straight', 'scripted', 'scripted']
    assert len({row.spec for driver in drivers for row in driver.rows}) == 2
    by_delay = {driver.delay: driver for driver in drivers}
    # none: 0.5 / 30; satellite: 0.5 / 15 + 25 kB x (480 / 640)^2 at 5 Mbit/s + 2 x 0.29.
    assert sorted(d for d in by_delay if d) == [
        pytest.approx(0.0167, abs=1e-4), pytest.approx(0.0333 + 0.0225 + 0.58, abs=1e-4),
    ]
    assert 'true map' in drivers[1].inputs


def test_the_summary_can_be_made_again_from_the_drives(study: Path) -> None:
    with (study / 'drives.csv').open() as file:
        drives = list(csv.DictReader(file))
    with (study / 'summary.csv').open() as file:
        summary = list(csv.DictReader(file))
    for line in summary:
        values = [float(d[line['metric']]) for d in drives if d['driver'] == line['driver']]
        values = [value for value in values if np.isfinite(value)]
        assert int(line['drives']) == len(values)
        if values:
            assert float(line['mean']) == pytest.approx(np.mean(values), rel=1e-3)
    base = [d for d in drives if d['driver'] == summary[0]['driver']]
    far = next(line for line in summary if 'satellite' in line['driver']
               and line['metric'] == 'path')
    other = [d for d in drives if d['driver'] == far['driver']]
    apart = [float(b['path']) - float(a['path']) for a, b in zip(base, other, strict=True)]
    assert float(far['difference']) == pytest.approx(np.mean(apart), rel=1e-3, abs=1e-4)
    assert float(far['share_more']) == np.mean([(x > 0) + 0.5 * (x == 0) for x in apart])


def test_the_page_says_that_the_operator_is_a_program(study: Path) -> None:
    page = (study / 'compare.html').read_text()
    assert 'A scripted operator is a program' in page
    assert page.count('<svg') == 1 and '>nan<' not in page
    assert (study / 'curves.svg').read_text().startswith('<?xml')


def test_a_run_beside_itself_differs_by_nothing(study: Path) -> None:
    one = read_drivers([study / 'runs' / 'autonomy'])[0]
    found = difference(one, one, 'path')
    assert (found.estimate.mean, found.d, found.more) == (0.0, 0.0, 0.5)
    assert mean_of(one.rows, 'success').count == 2


def test_an_unknown_link_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['teleop', 'study', str(tmp_path), '--links', 'pigeon']) == 2
    assert 'pigeon' in capsys.readouterr().err


def test_an_operator_is_named_as_scripted() -> None:
    factory = OperatorFactory('4g', 1.0, Lateness(0.4, 0.25, 0.0, 0.0, 0.0, 1.0))
    assert factory.name == 'scripted operator (4g)'
    assert factory.details()['kind'] == 'scripted operator'
    assert factory().spec.v_max == 1.0
