"""`s2e train adapt` by DAgger in a small yard: rounds, drivers, what is drawn, a second start."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from navbench_gs.runner import bench
from navbench_gs.scenes import resolve
from s2e_cli.main import main
from s2e_core.config import from_mapping
from s2e_core.errors import ConfigError

pytest.importorskip('torch')

SOURCES = Path(__file__).parents[2]
sys.path += [str(SOURCES / name / 'test' / 'support') for name in ('navbench_gs', 's2e_training')]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A parent, a yard in place of every scene, and a file of settings."""
    from short_protocol import write_short_protocol
    from tiny_parent import export_tiny_parent
    from yard import make_yard

    made = make_yard()
    for module in (resolve, bench):
        monkeypatch.setattr(
            module, 'resolve_scene', lambda scene: replace(made, name=scene.partition(':')[0])
        )
    export_tiny_parent(tmp_path / 'parent')
    rules = write_short_protocol(tmp_path / 'short.yaml', 2.0)
    path = tmp_path / 'mini.yaml'
    path.write_text(yaml.safe_dump({
        'name': 'mini', 'initial': str(tmp_path / 'parent'), 'rounds': 2, 'demonstrations': 2,
        'drives': 1, 'validation': 1, 'rehearsal': 1, 'share': 0.6,
        'record': {'tasks': ['empty'], 'protocol': rules, 'workers': 1},
        'training': {'steps': 3, 'batch': 4, 'validate_every': 3, 'precision': 'float32'},
    }))
    return path


def _command(settings: Path, out: Path, *words: str) -> list[str]:
    return ['train', 'adapt', 'yard', str(out), '--config', str(settings), '--episodes', '1',
            '--tasks', 'empty', '--workers', '1', '--elsewhere', 'yard', *words]


def test_rounds_add_up_and_a_second_start_repeats_nothing(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from s2e_training.data.clip import CLIP_FILE, find_clips, load_clip

    out = tmp_path / 'site'
    assert main(_command(settings, out)) == 0
    said = capsys.readouterr().out
    for phase in ('demonstrations: 2', 'drives-1: 1', 'drives-2: 1', 'rehearsal: 1',
                  'round 1, training: 3', 'round 2, training: 3'):
        assert phase in said
    assert 'here, after minus before, the same episodes' in said
    clips = {folder.name: [load_clip(clip) for clip in find_clips(folder)]
             for folder in (out / 'clips').iterdir()}
    # The parent's images are of 32 pixels, so all are.
    assert {clip.rgb.shape[1:3] for part in clips.values() for clip in part} == {(32, 32)}
    assert {name: {clip.info.provenance['driver'] for clip in part}
            for name, part in clips.items()} == {
        'demonstrations': {'teacher'}, 'validation': {'teacher'},
        'rehearsal': {str(out / 'bundles' / 'parent')},
        'drives-1': {str(out / 'bundles' / 'parent')},
        'drives-2': {str(out / 'bundles' / 'round-1')},
    }
    # Nothing is recorded, trained or driven again.
    made = [path for path in out.rglob('*') if path.name in (CLIP_FILE, 'bundle.yaml')
            or path.parent.name == 'episodes']
    stamps = {path: path.stat().st_mtime_ns for path in made}
    assert main(_command(settings, out)) == 0
    said = capsys.readouterr().out
    assert 'demonstrations' not in said and 'step 3/3' not in said
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}
    # Another round: the policy of the end is another one, and is measured anew.
    values = yaml.safe_load(settings.read_text())
    settings.write_text(yaml.safe_dump({**values, 'rounds': 3}))
    assert main(_command(settings, out)) == 0
    assert 'round 3, training: 3' in capsys.readouterr().out
    kept = {path for path in stamps if path.exists() and path.stat().st_mtime_ns == stamps[path]}
    changed = {path.relative_to(out).parts[:2] for path in set(stamps) - kept}
    assert changed == {('bundles', 'after'), ('here', 'after'), ('elsewhere', 'after')}


def test_shares_of_the_draws_follow_the_drives(settings: Path, tmp_path: Path) -> None:
    """Of 0.6 for the place, 2 passes of the planner and 1 of each round: 0.4 and 0.2; 0.3, ..."""
    from s2e_training.dagger.config import DaggerConfig
    from s2e_training.dagger.rounds import DaggerRounds, Watch

    config = from_mapping(DaggerConfig, yaml.safe_load(settings.read_text()), source='test')
    deaf = Watch(lambda name, count: None, lambda item: None, lambda progress: None)
    rounds = DaggerRounds(config, 'yard@training', tmp_path, deaf)
    first = rounds.run_config(1, config.initial)
    assert [Path(clips).name for clips in first.clips] == [
        'demonstrations', 'drives-1', 'rehearsal'
    ]
    assert first.mix == pytest.approx((0.4, 0.2, 0.4))
    second = rounds.run_config(2, config.initial)
    assert second.mix == pytest.approx((0.3, 0.15, 0.15, 0.4))
    assert (first.seed, second.seed, second.steps) == (1, 2, 3)


def test_training_ends_with_its_share_of_the_hours(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Driving takes longer than 36 ms: no step is trained, all else is done."""
    out = tmp_path / 'site'
    assert main(_command(settings, out, '--hours', '0.00001')) == 0
    said = capsys.readouterr().out
    assert 'round 2, training' in said and 'step ' not in said
    assert (out / 'here' / 'compare.html').is_file()
    assert json.loads((out / 'clock.json').read_text())['seconds'] > 0.036


def test_what_follows_from_the_place_cannot_be_set(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from s2e_training.dagger.config import DaggerConfig
    from s2e_training.dagger.rounds import DaggerRounds, Watch

    values = yaml.safe_load(settings.read_text())
    settings.write_text(yaml.safe_dump({**values, 'record': {'driver': 'models/s2e-small'}}))
    assert main(_command(settings, tmp_path / 'site')) == 2
    assert 'record.driver follows from place' in capsys.readouterr().err
    deaf = Watch(lambda name, count: None, lambda item: None, lambda progress: None)
    config = DaggerConfig('x', str(tmp_path / 'parent'))
    with pytest.raises(ConfigError, match='city:3'):
        DaggerRounds(config, 'city:3@training', tmp_path, deaf)
