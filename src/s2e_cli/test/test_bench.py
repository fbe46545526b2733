"""`s2e bench`: arguments, policies by name, and errors that name what was wrong."""

from __future__ import annotations

import io
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from navbench_gs.metrics.outcome import Cause
from navbench_gs.metrics.scores import EpisodeScores
from navbench_gs.metrics.summary import Scored
from navbench_gs.runner.plan import Finished, Item
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_cli.bench.console import Console
from s2e_cli.bench.policies import AGENTS, policy_factory
from s2e_cli.main import main
from s2e_core.errors import S2EError
from s2e_core.se2 import Pose2


def test_agents_are_made_from_a_pickled_factory():
    for name in AGENTS:
        factory = pickle.loads(pickle.dumps(policy_factory(name, 1.2)))
        policy = factory()
        assert factory.name == name
        assert policy.spec.name == name and policy.spec.v_max == 1.2
        assert json.dumps(factory.details())


def test_unknown_policy_is_named():
    with pytest.raises(S2EError, match='no-such-bundle'):
        policy_factory('no-such-bundle', 1.5)


def test_an_adapter_is_opened_in_each_worker(tmp_path):
    """Its name travels with absolute paths; what it is goes into the report."""
    path = stand_in(tmp_path / 'mbra.onnx')
    factory = pickle.loads(pickle.dumps(policy_factory(f'adapter:mbra:{path}', 1.5)))
    assert factory().spec.frames == 6
    assert factory.name.startswith('mbra@')
    assert json.dumps(factory.details())
    assert factory.details()['as_published'] is False


def test_a_policys_modes_are_chosen_by_who_knows_the_map():
    factory = pickle.loads(pickle.dumps(policy_factory('informed:s2e-small', 1.5)))
    policy = factory()
    assert factory.name.startswith('informed:s2e-small')
    assert policy.spec.frames == 11 and policy.spec.name == 'informed:s2e-small'
    # A replay opens it by what the report says.
    assert factory.details()['source'] == 'informed:s2e-small'
    assert policy_factory(factory.details()['source'], 1.5).name == factory.name
    with pytest.raises(S2EError, match='not a reference agent'):
        policy_factory('informed:privileged', 1.5)


def test_a_refused_adapter_ends_with_its_difference(tmp_path, capsys):
    path = stand_in(tmp_path / 's2e.onnx')
    code = main(['bench', 'run', '--policy', f'adapter:s2e:{path}', '--out', str(tmp_path / 'r')])
    assert code == 2
    text = capsys.readouterr().err
    assert 'not the published S2E graph' in text
    assert '- input obs_images float [batch, 11, 3, 256, 256]' in text


@pytest.mark.parametrize('step', ['info', 'check'])
def test_adapters_are_described_and_checked(tmp_path, capsys, step):
    path = stand_in(tmp_path / 'mbra.onnx')
    assert main(['policy', step, f'adapter:mbra:{path}']) == 0
    assert 'metres_per_unit: 0.25' in capsys.readouterr().out
    assert main(['policy', step, f'adapter:s2e:{path}']) == 2
    assert 'not the published S2E graph' in capsys.readouterr().err


def stand_in(path):
    """Write a graph with MBRA's inputs and outputs."""
    value, make, kind = helper.make_tensor_value_info, helper.make_node, TensorProto.FLOAT
    nodes = [
        make('Unsqueeze', ['goal', 'one'], ['row']), make('Expand', ['row', 'shape'], ['way']),
        make('ReduceMean', ['obs'], ['unused'], axes=[1, 2, 3, 4], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes, 'mbra', [value('obs', kind, [1, 6, 3, 96, 96]), value('goal', kind, [1, 2])],
        [value('way', kind, [1, 8, 2])],
        [numpy_helper.from_array(np.array([1]), 'one'),
         numpy_helper.from_array(np.array([1, 8, 2]), 'shape')],
    )
    opset = [helper.make_opsetid('', 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--tasks', 'fly'], "'fly'"),
        (['--scenes', '/no/such/scene'], '/no/such/scene'),
        (['--scenes', 'city:9-3'], 'city:9-3'),
        (['--protocol', '/no/such.yaml'], '/no/such.yaml'),
        (['--tracks', '/no/such.txt'], '/no/such.txt: tracks cannot be read'),
        (['--robot', 'tank'], 'tank'),
        (['--conditions', 'latency'], "--conditions takes NAME=VALUE, got 'latency'"),
        (['--conditions', 'latency=9'], 'latency must be in 0..2 s, got 9'),
        (['--conditions', 'fog=1'], 'fog'),
        (['--workers', '0'], 'workers'),
        (['--episodes', '0'], 'episodes must be in 1'),
    ],
)
def test_wrong_arguments_end_with_one_line(words, message, capsys, tmp_path):
    code = main(['bench', 'run', '--policy', 'straight', '--episodes', '1', '--out',
                 str(tmp_path / 'run'), *words])
    assert code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-1].startswith('s2e: error:')
    assert message in lines[-1]


@pytest.mark.parametrize('action', ['report', 'compare'])
def test_an_empty_folder_is_refused(action, capsys, tmp_path):
    assert main(['bench', action, str(tmp_path)]) == 2
    assert 'no finished episode' in capsys.readouterr().err


def test_compare_prints_each_run_by_task_and_corner(capsys, monkeypatch, tmp_path):
    def episode(index, success):
        spec = EpisodeSpec('city:1', 'h', 'coco', 'empty', index, 0, Pose2(), (9.0, 0.0), 9.0, 9.0,
                           index % 2 == 1, 35.0)
        scores = EpisodeScores(
            success, success, 1.0, 0, 0.0, 0.0, 0.9, 12.0, 10.0, 0.3, 1.0, 1.0, 0.0, 1.0, 0.0,
            Cause.NONE if success else Cause.LOST,
        )
        return Scored(spec, scores)

    runs = {'a': [episode(0, True), episode(1, False)], 'b': [episode(0, True)]}
    monkeypatch.setattr(
        'navbench_gs.report.compare.read_run',
        lambda folder: (
            {'policy': f'policy-{folder.name}'}, [SimpleNamespace(protocol='p')],
            runs[folder.name],
        ),
    )
    assert main(['bench', 'compare', str(tmp_path / 'a'), str(tmp_path / 'b')]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith('a: policy-a, sees RGB, odometry, goal')
    assert [line.split('  ')[0] for line in lines if line.startswith('empty')] == [
        'empty, line free', 'empty, corner blocks', 'empty', 'empty, line free', 'empty', 'empty',
    ]
    # One episode is shared, and both succeed in it.
    assert lines[-2].split()[:3] == ['empty', '1', '+0.00']
    assert lines[-1].startswith('policy-b drove 1 episodes and policy-a 2, 1 of them the same')
    assert next(line for line in lines if line.startswith('empty, corner')).split()[3] == '1'


class Terminal(io.StringIO):
    def isatty(self):
        return True


def finished(success, collisions, cause=Cause.NONE, detail=''):
    scores = EpisodeScores(
        success, success and not collisions, 1.0 if success else 0.5, collisions, 0.0, 0.0,
        0.9, 12.0, 10.0, 0.3, 1.0, 1.0, 0.0, 1.0, 0.0, cause,
    )
    return Finished(Item('city:1', 'empty', 0), None, scores, detail)


def test_a_log_file_is_not_filled_with_bars():
    stream = io.StringIO()
    console = Console(400, stream)
    for _ in range(400):
        console.finished(finished(True, 0))
    console.close()
    drawn = stream.getvalue().split('\r')
    assert len(drawn) < 6 and '400/400' in drawn[-1] and 'SR 1.00' in drawn[-1]


def test_console_shows_the_running_means_and_each_failure_once():
    stream = Terminal()
    console = Console(5, stream)
    console.finished(finished(True, 0))
    console.finished(finished(True, 3))
    console.finished(Finished(Item('city:1', 'empty', 2), None, None, 'no room'))
    for _ in range(2):
        console.finished(finished(False, 0, Cause.POLICY_ERROR, 'ValueError: no idea'))
    console.close()
    shown = stream.getvalue()
    assert 'SR 1.00 clean 0.50 RC 1.00 CT 1.50' in shown
    assert 'skipped: no room' in shown
    assert shown.count('city:1 empty 0: policy error: ValueError: no idea') == 1


def test_replay_refuses_what_is_not_there_and_other_versions(capsys, monkeypatch, tmp_path):
    assert main(['bench', 'replay', str(tmp_path / 'none.json')]) == 2
    assert 'none.json' in capsys.readouterr().err
    recorded = SimpleNamespace(run={'versions': {'mujoco': '0.1'}})
    monkeypatch.setattr('navbench_gs.runner.replay.open_recorded', lambda path: recorded)
    assert main(['bench', 'replay', str(tmp_path / 'none.json')]) == 2
    text = capsys.readouterr().err
    assert 'mujoco 0.1, here ' in text
    assert '--anyway' in text


@pytest.mark.parametrize(('words', 'message'), [
    (['--axes', 'fog'], "got 'fog'"),
    (['--axes', 'blur=much'], "got 'blur=much'"),
    (['--axes', 'latency=9'], 'latency must be in'),
    (['--axes', 'people', '--tasks', 'empty'], 'people matters only in'),
])
def test_wrong_axes_of_a_sweep_end_with_one_line(words, message, capsys, tmp_path):
    assert main(['bench', 'sweep', '--policy', 'straight', '--out', str(tmp_path), *words]) == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


def test_calibration_says_what_is_not_held_and_goes_on(capsys, tmp_path):
    words = ['bench', 'calibrate', '--scenes', 'city:101', '--episodes', '1', '--out',
             str(tmp_path)]
    # The first episode of a scene has a free line: driving straight arrives, 1.00 > 0.50.
    assert main(words) == 1
    shown = capsys.readouterr().out
    assert 'BAD empty                straight' in shown
    assert 'ok  empty                privileged' in shown
    record = json.loads((tmp_path / 'calibration.json').read_text())
    assert record['passed'] is False
    assert len(record['rows']) == 8
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('episodes/*.json')}
    assert len(before) == 8
    assert main(words) == 1
    assert {path: path.stat().st_mtime_ns for path in before} == before
