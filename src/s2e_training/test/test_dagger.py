"""DAgger in one place: cut off anywhere, it comes to the weights of an unbroken run."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from navbench_gs.scenes import resolve
from s2e_training.dagger.config import DaggerConfig, RoundConfig
from s2e_training.dagger.rounds import DaggerRounds, Watch
from s2e_training.data.record import RecordConfig
from s2e_training.export.bundle import ExportInfo, export_bundle
from s2e_training.pretrain.checkpoint import load_checkpoint
from s2e_training.pretrain.parent import load_parent

sys.path.append(str(Path(__file__).parents[2] / 'navbench_gs' / 'test' / 'support'))


class CutOffError(Exception):
    """Stands for a kill."""


def _export(source: str, bundle: Path) -> None:
    if not bundle.is_dir():
        parent = load_parent(source)
        export_bundle(parent.model, bundle, ExportInfo(bundle.name, source, parent.margins))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DaggerConfig:
    """Two short rounds in a yard, which also stands for the cities."""
    from short_protocol import write_short_protocol
    from tiny_parent import export_tiny_parent
    from yard import make_yard

    made = make_yard()
    monkeypatch.setattr(resolve, 'resolve_scene', lambda scene: replace(made, name='yard'))
    export_tiny_parent(tmp_path / 'parent')
    rules = write_short_protocol(tmp_path / 'short.yaml', 2.0)
    return DaggerConfig(
        'mini', str(tmp_path / 'parent'), demonstrations=1, drives=1, validation=1, rehearsal=1,
        record=RecordConfig(tasks=('empty',), protocol=rules, workers=1),
        training=RoundConfig(steps=4, batch=4, validate_every=2, precision='float32',
                             checkpoint_minutes=0.0),
    )


class Count:
    """Ends the run at the n-th thing that happens, of one kind."""

    def __init__(self, at: int) -> None:
        self.left, self.phases = at, []

    def __call__(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise CutOffError

    def phase(self, name: str, count: int) -> None:
        self.phases.append((name, count))


def _run(config: DaggerConfig, folder: Path, drive: int = 0, step: int = 0) -> list[Any]:
    drives, steps = Count(drive), Count(step)
    rounds = DaggerRounds(config, 'yard@training', folder, Watch(steps.phase, drives, steps))
    rounds.run(_export, lambda: 0.0, lambda number: False)
    return steps.phases


def test_a_run_that_is_cut_off_twice_ends_with_the_weights_of_an_unbroken_one(
    config: DaggerConfig, tmp_path: Path
) -> None:
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    assert _run(config, whole) == [
        ('demonstrations', 1), ('validation', 1), ('rehearsal', 1), ('drives-1', 1),
        ('round 1, training', 4), ('drives-2', 1), ('round 2, training', 4),
    ]
    # In the third folder of clips, and three steps into the second round.
    with pytest.raises(CutOffError):
        _run(config, broken, drive=3)
    assert not (broken / 'clips' / 'rehearsal' / 'recorded').exists()
    with pytest.raises(CutOffError):
        _run(config, broken, step=4 + 3)
    phases = _run(config, broken)
    assert phases == [('round 1, training', 4), ('round 2, training', 4)]
    ends = [load_checkpoint(folder / 'round-2' / 'last.pt') for folder in (whole, broken)]
    assert ends[0]['step'] == ends[1]['step'] == 4
    for name, value in ends[0]['average'].items():
        torch.testing.assert_close(value, ends[1]['average'][name], rtol=0, atol=0)
    parent = load_parent(config.initial).model.state_dict()
    assert any(not torch.equal(value, parent[name]) for name, value in ends[0]['average'].items())


def test_a_round_that_is_told_so_ends_early(config: DaggerConfig, tmp_path: Path) -> None:
    steps = Count(0)
    rounds = DaggerRounds(config, 'yard@training', tmp_path / 'out',
                          Watch(steps.phase, Count(0), steps))
    asked: list[int] = []

    def enough(number: int) -> bool:
        asked.append(number)
        return number == 1 and -steps.left >= 2

    last = rounds.run(_export, lambda: 0.0, enough)
    assert load_checkpoint(tmp_path / 'out' / 'round-1' / 'last.pt')['step'] == 2
    assert load_checkpoint(last)['step'] == 4
    assert asked == [1, 1, 1, 2, 2, 2, 2]
