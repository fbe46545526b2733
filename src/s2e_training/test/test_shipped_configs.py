"""Every settings file that ships can be read by the command it is for, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2e_core.config import from_yaml
from s2e_core.errors import ConfigError
from s2e_training.dagger.config import DaggerConfig
from s2e_training.data.record import RecordConfig
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.pretrain.config import PretrainConfig

FOLDER = Path(__file__).parents[3] / 'config/training'
# Files named `_measured` are what a bundle's card says, not settings.
FILES = sorted(path for path in FOLDER.glob('*.yaml') if not path.stem.endswith('_measured'))
KINDS = (RecordConfig, PretrainConfig, PosttrainConfig, DaggerConfig)


def readable_by(path: Path) -> list[type]:
    """Return the kinds of settings that a file holds."""
    found = []
    for kind in KINDS:
        try:
            from_yaml(kind, path)
        except ConfigError:
            continue
        found.append(kind)
    return found


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_each_file_is_settings_of_one_command(path: Path) -> None:
    """No file is readable as another kind by chance, and none by nothing."""
    assert len(readable_by(path)) == 1


def test_there_are_files_of_each_kind() -> None:
    """The test above has something to read."""
    found = [readable_by(path)[0] for path in FILES]
    assert len(found) > 15 and set(found) == set(KINDS)


def test_careful_labels_differ_from_the_usual_in_the_teacher_alone() -> None:
    """The validation drives of both are the same drives."""
    usual = from_yaml(RecordConfig, FOLDER / 'validation.yaml')
    careful = from_yaml(RecordConfig, FOLDER / 'careful_validation.yaml')
    assert careful.terrain.comfort > usual.terrain.comfort
    assert careful.caution.near > usual.caution.near
    for name in ('first_seed', 'scenes', 'tasks', 'seed', 'noise', 'jitter'):
        assert getattr(careful, name) == getattr(usual, name)


def test_what_is_tried_has_the_size_of_the_paper() -> None:
    """One step of another network would show nothing."""
    paper = from_yaml(PretrainConfig, FOLDER / 'paper.yaml')
    tried = from_yaml(PretrainConfig, FOLDER / 'try_paper.yaml')
    assert tried.model == paper.model and tried.encoder_weights == 'random'
