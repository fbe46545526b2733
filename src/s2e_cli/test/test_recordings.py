"""`s2e train import`, `s2e train inspect` and `s2e policy evaluate` from the command line."""

import csv
import os
import pickle

import cv2
import numpy as np
import pytest
import yaml

from s2e_cli.main import main


@pytest.fixture
def drive(tmp_path):
    """A GNM folder: 10 s at 4 Hz and 1 m/s."""
    root = tmp_path / 'drive'
    root.mkdir()
    rng = np.random.default_rng(0)
    for i in range(40):
        cv2.imwrite(str(root / f'{i}.jpg'), rng.integers(0, 255, (30, 40, 3), np.uint8))
    position = np.column_stack([0.25 * np.arange(40), np.zeros(40)])
    data = {'position': position, 'yaw': np.zeros(40)}
    (root / 'traj_data.pkl').write_bytes(pickle.dumps(data))
    return root


GIVEN = ['--hfov', '90', '--mount', '0.2', '0.5', '0', '--licence', 'CC0']


def test_import_inspect_evaluate(drive, tmp_path, capsys):
    clips = tmp_path / 'clips'
    assert main(['train', 'import', str(drive), str(clips), *GIVEN]) == 0
    out = capsys.readouterr().out
    assert '4 images per second assumed' in out and '1 clips' in out
    strip = tmp_path / 'strip.png'
    assert main(['train', 'inspect', str(clips), '--strip', str(strip)]) == 0
    said = capsys.readouterr().out
    assert 'CC0' in said and 'interventions' not in said
    assert cv2.imread(str(strip)).shape == (128, 7 * 128, 3)
    table = tmp_path / 'open_loop.csv'
    assert main(['policy', 'evaluate', 's2e-small', str(clips), '--out', str(table)]) == 0
    assert 'drive (' in capsys.readouterr().out
    with table.open() as file:
        assert {row['group'] for row in csv.DictReader(file)} == {'all', 'task', 'source'}


def test_inspect_counts_the_interventions(drive, tmp_path, capsys):
    clips = tmp_path / 'clips'
    assert main(['train', 'import', str(drive), str(clips), *GIVEN]) == 0
    path = next(clips.glob('*/clip.yaml'))
    info = yaml.safe_load(path.read_text())
    moments = [{'time': 1.0, 'kind': kind, 'reason': ''} for kind in ('e_stop', 'e_stop', 'veto')]
    info['provenance']['interventions'] = moments
    path.write_text(yaml.safe_dump(info))
    capsys.readouterr()
    assert main(['train', 'inspect', str(clips)]) == 0
    assert 'interventions: 3 (2 e stop, 1 veto)' in capsys.readouterr().out
    info['provenance']['interventions'] = 'many'
    path.write_text(yaml.safe_dump(info))
    assert main(['train', 'inspect', str(clips)]) == 2
    assert 'interventions must be a list' in capsys.readouterr().err


def test_what_a_source_lacks_is_asked_for(drive, tmp_path, capsys):
    assert main(['train', 'import', str(drive), str(tmp_path / 'clips')]) == 2
    assert 'give a camera or hfov' in capsys.readouterr().err


def test_a_settings_file_with_a_wrong_key_is_refused(drive, tmp_path, capsys):
    settings = tmp_path / 'settings.yaml'
    settings.write_text('hfof: 90\n')
    words = ['train', 'import', str(drive), str(tmp_path / 'c'), '--source-settings', settings]
    assert main([str(word) for word in words]) == 2
    assert "unknown key 'hfof'" in capsys.readouterr().err


def test_a_malicious_pickle_does_not_run(drive, tmp_path, capsys):
    class Run:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'ran'),)

    (drive / 'traj_data.pkl').write_bytes(pickle.dumps(Run()))
    assert main(['train', 'import', str(drive), str(tmp_path / 'clips'), *GIVEN]) == 2
    assert 'mkdir, which is refused; nothing was run' in capsys.readouterr().err
    assert not (tmp_path / 'ran').exists()
