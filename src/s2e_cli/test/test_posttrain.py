"""`s2e train posttrain` in a small yard: rollouts, evaluation, a break, the rest, export."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from navbench_gs.runner import bench
from navbench_gs.scenes import resolve
from s2e_cli.main import main
from s2e_cli.training.progress import count_line
from s2e_policy.bundle import load_bundle

pytest.importorskip('torch')

SOURCES = Path(__file__).parents[2]
sys.path += [str(SOURCES / name / 'test' / 'support') for name in ('navbench_gs', 's2e_training')]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A parent, a scene and a file of settings."""
    from short_protocol import write_short_protocol
    from tiny_parent import export_tiny_parent
    from yard import make_yard

    made = make_yard()
    for module in (resolve, bench):
        monkeypatch.setattr(module, 'resolve_scene', lambda scene: made)
    export_tiny_parent(tmp_path / 'parent')
    rules = write_short_protocol(tmp_path / 'short.yaml', 1.0)
    path = tmp_path / 'mini.yaml'
    path.write_text(yaml.safe_dump({
        'name': 'mini', 'initial': str(tmp_path / 'parent'), 'steps': 48, 'rollout': 8,
        'segment': 1, 'checkpoint_minutes': 0.0, 'ppo': {'minibatch': 8, 'value_warmup': 1},
        'environment': {'count': 2, 'workers': 1, 'scenes': ['yard']},
        'curriculum': {'stages': [{'tasks': ['empty'], 'geodesic_low': 6.0, 'geodesic_high': 9.0,
                                   'people': 0}]},
        'evaluation': {'every': 3, 'scenes': ['yard'], 'tasks': ['empty'], 'episodes': 1,
                       'workers': 1, 'protocol': rules},
    }))
    return path


def test_rollouts_a_break_the_rest_and_the_export(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command takes up what the one before left."""
    run, bundle = tmp_path / 'run', tmp_path / 'bundle'
    assert main(['train', 'posttrain', str(settings), str(run), '--until', '2']) == 0
    said = capsys.readouterr().out
    assert 'evaluation after rollout 0, empty: SR' in said
    assert 'rollout 2/3  32 steps  reward' in said
    assert main(['train', 'posttrain', str(settings), str(run)]) == 0
    said = capsys.readouterr().out
    # The break came before the checkpoint that a third rollout would have begun with.
    assert 'going on after rollout 1 of 3' in said and 'rollout 3/3' in said
    assert 'evaluation after rollout 3, empty: SR' in said
    with (run / 'log.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row['step']) for row in rows] == [16, 32, 48]
    for name in ('reward_progress', 'reward_goal', 'reward_rules', 'reward_human', 'kl'):
        assert name in rows[0]
    with (run / 'evaluation.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row['step']) for row in rows] == [0, 48]
    assert 0 <= float(rows[1]['empty_success_low']) <= float(rows[1]['empty_success_high']) <= 1
    assert (run / 'tensorboard').is_dir()
    assert main(['policy', 'export', str(run), str(bundle), '--name', 'mini']) == 0
    assert main(['policy', 'check', str(bundle)]) == 0
    assert 'post-trained by driving' in (bundle / 'MODEL_CARD.md').read_text()


def test_a_place_is_learned_within_its_time_and_measured(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, words = tmp_path / 'site', ['--episodes', '1', '--tasks', 'empty', '--workers', '1']
    command = ['train', 'adapt', 'yard', str(out), '--config', str(settings), *words,
               '--elsewhere', 'yard', '--hours', '0.00001', '--method', 'ppo']
    assert main(command) == 0
    said = capsys.readouterr().out
    # 0.036 s are over after the first segment of one rollout.
    assert '16 steps' in said and '32 steps' not in said
    assert '100% of 1e-05 h' in said
    for place in ('here', 'elsewhere'):
        assert f'{place}, after minus before, the same episodes' in said
        assert (out / place / 'compare.html').is_file()
    scenes = yaml.safe_load((out / 'here' / 'after' / 'run.json').read_text())['scenes']
    assert scenes == ['yard@held-out']
    # Once more: nothing is trained or driven again.
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob('*.json')
              if path.parent.name == 'episodes'}
    assert main(command) == 0
    assert 'its time is used up' in capsys.readouterr().out
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}


def test_what_is_wrong_is_said(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Test scenes, unknown keys and a missing parent are named."""
    values = yaml.safe_load(settings.read_text())
    for changes, message in (
        ({'environment': {'scenes': ['city:3']}}, 'city:3'),
        ({'environment': {'scenes': ['city:3@training']}}, 'city:3'),
        ({'ppo': {'klip': 0.2}}, 'klip'),
        ({'initial': 'nowhere'}, 'nowhere'),
    ):
        settings.write_text(yaml.safe_dump({**values, **changes}))
        assert main(['train', 'posttrain', str(settings), str(tmp_path / 'run')]) == 2
        assert message in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_counting_fills_a_line_of_a_terminal_and_ten_of_a_file() -> None:
    file, terminal = io.StringIO(), Terminal()
    for done in range(1, 41):
        for stream in (file, terminal):
            count_line(f'{done} of 40', done, 40, stream)
    assert file.getvalue().splitlines() == [f'{done} of 40' for done in range(4, 41, 4)]
    assert terminal.getvalue().count('\n') == 1 and terminal.getvalue().endswith('\r40 of 40\n')
    few = io.StringIO()
    for done in (1, 2, 3):
        count_line(f'{done} of 3', done, 3, few)
    assert few.getvalue() == '1 of 3\n2 of 3\n3 of 3\n'


def test_variants_are_trained_measured_and_not_again(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, study = tmp_path / 'study', tmp_path / 'study.yaml'
    study.write_text(yaml.safe_dump({
        'name': 'mini', 'base': str(settings), 'seeds': [0, 1],
        'settings': {'steps': 16, 'evaluation.every': 1000},
        'variants': {'ram': {}, 'decoder': {'mode': 'decoder'}},
        'places': [{'name': 'yard', 'protocol': str(tmp_path / 'short.yaml'), 'scenes': ['yard'],
                    'tasks': ['empty'], 'episodes': 1}],
    }, sort_keys=False))
    command = ['train', 'study', str(study), str(out), '--workers', '1']
    assert main([*command, '--report']) == 2
    assert 'nothing has been measured yet' in capsys.readouterr().err
    assert main([*command, '--only', 'ramp']) == 2
    assert "--only: ramp is not in the study, which has ['ram', 'decoder']" in (
        capsys.readouterr().err
    )
    assert main([*command, '--seeds', '1']) == 0
    said = capsys.readouterr().out
    assert 'decoder-1, 2 of 2' in said and 'ram-0' not in said
    with (out / 'study.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [(row['variant'], row['seed']) for row in rows] == [
        ('parent parent', ''), ('ram', '1'), ('decoder', '1'),
    ]
    # Trained by one rollout that moves the value head alone: the parent's drive to the bit.
    assert {row['SR_gain'] for row in rows[1:]} == {'0.0000'}
    assert all(float(row['hours']) > 0 for row in rows[1:])
    assert (out / 'study.png').is_file()
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob('*.pt')}
    assert main([*command, '--seeds', '1']) == 0
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}


def test_stops_are_measured_and_more_steps_only_add(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, study = tmp_path / 'study', tmp_path / 'study.yaml'
    values: dict[str, Any] = {
        'name': 'mini', 'base': str(settings), 'seeds': [0], 'variants': {'ram': {}},
        'settings': {'steps': 32, 'evaluation.every': 1000}, 'stops': [16],
        'places': [{'name': 'yard', 'protocol': str(tmp_path / 'short.yaml'), 'scenes': ['yard'],
                    'tasks': ['empty'], 'episodes': 1}],
    }
    study.write_text(yaml.safe_dump(values))
    command = ['train', 'study', str(study), str(out), '--workers', '1']
    assert main(command) == 0
    stop, end = out / 'ram-0/steps-16/bundle', out / 'ram-0/bundle'
    hashes = [(folder / 'policy.onnx').read_bytes() for folder in (stop, end)]
    # Both drive with the margins of their parent, or gains would be those of margins.
    for folder in (out / 'parent/parent/bundle', stop, end):
        assert load_bundle(folder).spec.unseen == 'edge'
    # What was measured then stays; training goes on, and its end is measured anew.
    study.write_text(yaml.safe_dump({
        **values, 'settings': {'steps': 48, 'evaluation.every': 1000}
    }))
    assert main(command) == 0
    said = capsys.readouterr().out
    assert 'ram-0: 3/3' in said and said.count('ram-0: 2/2') == 1
    assert (stop / 'policy.onnx').read_bytes() == hashes[0]
    with (out / 'study.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['steps'] for row in rows] == ['0', '16', '48']
    assert float(rows[1]['hours']) < float(rows[2]['hours'])
    # Its steps cannot be taken back.
    study.write_text(yaml.safe_dump({**values, 'stops': []}))
    assert main(command) == 2
    assert 'has been trained past 32 steps' in capsys.readouterr().err


def test_trainings_side_by_side_and_one_that_fails(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their processes know nothing of this one's yard, so generated cities are driven."""
    values = yaml.safe_load(settings.read_text())
    values['environment']['scenes'] = ['city:1000']
    settings.write_text(yaml.safe_dump(values))
    out, study = tmp_path / 'study', tmp_path / 'study.yaml'
    study.write_text(yaml.safe_dump({
        'name': 'mini', 'base': str(settings), 'seeds': [0],
        'settings': {'steps': 16, 'evaluation.every': 1000, 'evaluation.scenes': ['city:100']},
        'variants': {'ram': {}, 'sft': {'mode': 'sft', 'sft.clips': ['nowhere']},
                     'full': {'mode': 'full'}},
        'places': [{'name': 'here', 'protocol': str(tmp_path / 'short.yaml'),
                    'scenes': ['city:101'], 'tasks': ['empty'], 'episodes': 1}],
    }, sort_keys=False))
    command = ['train', 'study', str(study), str(out), '--workers', '2', '--parallel']
    assert main([*command, '0']) == 2
    assert '--parallel must be at least 1' in capsys.readouterr().err
    assert main([*command, '2']) == 2
    said = capsys.readouterr()
    assert 'failed, others went on: sft-0; OUT/NAME/study.log says why' in said.err
    assert 'nowhere' in (out / 'sft-0/study.log').read_text()
    assert 'ram-0 is done' in said.out and 'full-0 is done' in said.out
    with (out / 'study.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert {row['variant'] for row in rows} == {'parent parent', 'ram', 'full'}


def test_pre_trainings_are_compared_with_one_of_them(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from arc_clips import make_clip

    for seed in range(4):
        make_clip(tmp_path / f'clips/{seed}', seed)
    base, study, out = tmp_path / 'base.yaml', tmp_path / 'study.yaml', tmp_path / 'study'
    base.write_text(yaml.safe_dump({
        'name': 'mini', 'clips': [str(tmp_path / 'clips')],
        'validation': [str(tmp_path / 'clips')], 'steps': 2, 'batch': 4, 'threads': 1,
        'validation_samples': 8,
        'model': {'frames': 2, 'image_size': 32, 'token_channels': 4, 'dim': 16, 'heads': 2,
                  'feed_forward': 32, 'fusion_layers': 1, 'decoder_layers': 1, 'anchors': 4},
    }))
    study.write_text(yaml.safe_dump({
        'name': 'mini', 'trains': 'pretrain', 'base': str(base), 'seeds': [0, 1], 'settings': {},
        'variants': {'all': {}, 'quarter': {'share': 0.25}, 'one': {'model.anchors': 1}},
        'reference': 'all',
        'places': [{'name': 'yard', 'protocol': str(tmp_path / 'short.yaml'), 'scenes': ['yard'],
                    'tasks': ['empty'], 'episodes': 1}],
    }, sort_keys=False))
    command = ['train', 'study', str(study), str(out), '--workers', '1']
    assert main(command) == 0
    assert 'one-1, 6 of 6' in capsys.readouterr().out
    with (out / 'study.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [(row['variant'], row['seed'], row['steps']) for row in rows] == [
        (variant, seed, '2') for seed in ('0', '1', 'all') for variant in ('all', 'quarter', 'one')
    ]
    alone = {(row['variant'], row['seed']): row for row in rows if row['seed'] != 'all'}
    for (variant, seed), row in alone.items():
        gain = float(row['SR']) - float(alone['all', seed]['SR'])
        assert row['SR_gain'] == ('' if variant == 'all' else f'{gain:.4f}'), 'one episode'
    assert (out / 'study.png').is_file()
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob('*.pt')}
    assert main(command) == 0
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}
