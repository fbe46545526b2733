"""`s2e bench`: arguments, policies by name, and errors that name what was wrong."""

from __future__ import annotations

import io
import json
import pickle

import pytest

from navbench_gs.metrics.outcome import Cause
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.runner.plan import Finished, Item
from s2e_cli.bench.console import Console
from s2e_cli.bench.policies import policy_factory
from s2e_cli.main import main
from s2e_core.errors import S2EError


def test_agents_are_made_from_a_pickled_factory():
    for name in ('straight', 'privileged'):
        factory = pickle.loads(pickle.dumps(policy_factory(name, 1.2)))
        policy = factory()
        assert factory.name == name
        assert policy.spec.v_max == 1.2
        assert json.dumps(factory.details())


def test_unknown_policy_is_named():
    with pytest.raises(S2EError, match='no-such-bundle'):
        policy_factory('no-such-bundle', 1.5)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--tasks', 'fly'], "'fly'"),
        (['--scenes', '/no/such/scene'], '/no/such/scene'),
        (['--scenes', 'city:9-3'], 'city:9-3'),
        (['--protocol', '/no/such.yaml'], '/no/such.yaml'),
        (['--robot', 'tank'], 'tank'),
        (['--workers', '0'], 'workers'),
    ],
)
def test_wrong_arguments_end_with_one_line(words, message, capsys, tmp_path):
    code = main(['bench', 'run', '--policy', 'straight', '--episodes', '1', '--out',
                 str(tmp_path / 'run'), *words])
    assert code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith('s2e: error:')
    assert message in lines[-1]


def test_report_of_an_empty_folder_is_refused(capsys, tmp_path):
    assert main(['bench', 'report', str(tmp_path)]) == 2
    assert 'no finished episode' in capsys.readouterr().err


def test_console_shows_the_running_means():
    def finished(success, collisions):
        scores = EpisodeScores(
            success, success and not collisions, 1.0 if success else 0.5, collisions, 0.0, 0.0,
            0.9, 12.0, 10.0, 0.3, 1.0, 1.0, 0.0, 1.0, 0.0, Cause.NONE,
        )
        return Finished(Item('city:1', 'empty', 0), None, scores)

    stream = io.StringIO()
    console = Console(3, stream)
    console.finished(finished(True, 0))
    console.finished(finished(True, 3))
    console.finished(Finished(Item('city:1', 'empty', 2), None, None, 'no room'))
    console.close()
    shown = stream.getvalue()
    assert 'SR 1.00 clean 0.50 RC 1.00 CT 1.50' in shown
    assert 'skipped: no room' in shown
