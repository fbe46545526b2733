"""`s2e train` and `s2e policy export`: four steps, a break, the rest, and what comes out."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from s2e_cli.main import main

pytest.importorskip('torch')

from s2e_training.data.clip import Clip, ClipInfo, save_clip

SIZE = 32


def write_clip(folder: Path, seed: int) -> None:
    """Write a drive with random images and labels that fan out."""
    rng = np.random.default_rng(seed)
    count = 16
    steps, turn = 0.2 * np.arange(1, 11), rng.uniform(-0.4, 0.4, count)
    plan = np.stack([np.outer(np.cos(turn), steps), np.outer(np.sin(turn), steps)], axis=-1)
    info = ClipInfo(
        source=f'city:{1000 + seed}', licence='Apache-2.0', frames=count, width=SIZE, height=SIZE,
        fx=16.0, fy=16.0, cx=16.0, cy=16.0, mount_x=0.3, mount_z=0.6, mount_pitch=0.1,
        provenance={'task': 'empty', 'driver': 'teacher'},
    )
    odometry = np.column_stack([0.2 * np.arange(count), np.zeros((count, 2)), np.ones(count),
                                np.zeros(count)])
    save_clip(Clip(
        info, rng.integers(0, 256, (count, SIZE, SIZE, 3), np.uint8),
        np.arange(count, dtype=np.int64) * 200_000_000, odometry, np.array([9.0, 1.0]),
        plan.astype(np.float32), rng.uniform(0.5, 9.0, (count, 48)),
    ), folder)


@pytest.fixture(scope='module')
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips and settings."""
    root = tmp_path_factory.mktemp('train')
    for seed in range(3):
        write_clip(root / 'clips' / f'{seed}', seed)
    write_clip(root / 'validation' / '9', 9)
    (root / 'mini.yaml').write_text(yaml.safe_dump({
        'name': 'mini', 'clips': [str(root / 'clips')], 'validation': [str(root / 'validation')],
        'model': {'frames': 3, 'image_size': SIZE, 'token_channels': 4, 'dim': 16, 'heads': 2,
                  'feed_forward': 32, 'fusion_layers': 1, 'decoder_layers': 1, 'anchors': 4},
        'steps': 4, 'batch': 8, 'warmup': 1, 'validate_every': 2, 'threads': 1,
        'validation_samples': 16,
    }))
    return root


def test_four_steps_a_break_the_rest_export_and_check(
    workshop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command takes up what the one before left."""
    run, bundle = workshop / 'run', workshop / 'bundle'
    assert main(['train', 'pretrain', str(workshop / 'mini.yaml'), str(run), '--until', '2']) == 0
    assert 'step 2/4' in capsys.readouterr().out
    assert main(['train', 'pretrain', str(workshop / 'mini.yaml'), str(run)]) == 0
    said = capsys.readouterr().out
    assert 'step 4/4' in said and 'step 2/4' not in said and 'free_within' in said
    assert main(['policy', 'export', str(run), str(bundle), '--name', 'mini']) == 0
    assert main(['policy', 'check', str(bundle)]) == 0
    assert 'hashes and contract hold' in capsys.readouterr().out
    weights = bundle / 'policy.weights'
    data = bytearray(weights.read_bytes())
    data[100] ^= 1
    weights.write_bytes(data)
    assert main(['policy', 'check', str(bundle)]) == 2
    assert 'policy.weights' in capsys.readouterr().err


def test_two_processes_train_as_one_and_one_goes_on(
    workshop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clips without features are shared out; one process speaks; then one alone takes over."""
    shutil.copytree(workshop / 'clips', tmp_path / 'clips',
                    ignore=shutil.ignore_patterns('features*'))
    settings = yaml.safe_load((workshop / 'mini.yaml').read_text())
    (tmp_path / 'mini.yaml').write_text(yaml.safe_dump(
        {**settings, 'clips': [str(tmp_path / 'clips')]}))
    words = ['train', 'pretrain', str(tmp_path / 'mini.yaml'), str(tmp_path / 'run')]
    starter = 'import sys\nfrom s2e_cli.main import main\nsys.exit(main(sys.argv[1:]))\n'
    (tmp_path / 's2e.py').write_text(starter)
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2',
         '--local-addr=127.0.0.1', str(tmp_path / 's2e.py'), *words, '--until', '2'],
        capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path), 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('step 2/4') == 1 and done.stdout.count('"loss"') == 1
    assert 'encoded 2/2 clips' in done.stdout       # of three clips the first process has two
    assert len(list((tmp_path / 'clips').glob('*/features-*.npy'))) == 3
    assert main(words) == 0
    said = capsys.readouterr().out
    assert 'step 4/4' in said and 'step 2/4' not in said and 'encoded' not in said


def test_evaluate_writes_rows_by_task_and_source(
    workshop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All, one task and one source; the straight baseline stands beside the network."""
    run = workshop / 'evaluated'
    assert main(['train', 'pretrain', str(workshop / 'mini.yaml'), str(run), '--until', '2']) == 0
    assert main(['train', 'evaluate', str(run), str(workshop / 'validation')]) == 0
    assert 'straight' in capsys.readouterr().out
    with (run / 'evaluation.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [(row['group'], row['name']) for row in rows] == [
        ('all', 'all'), ('task', 'empty'), ('source', 'city:1009'),
    ]
    assert all(row['samples'] == '16' and float(row['ade_2.0']) > 0 for row in rows)
    # Labels drive at 1 m/s, odometry says 1 m/s straight on: 0 only where the label is straight.
    assert 0 < float(rows[0]['constant_fde_2.0']) < 2 * 0.4 * 2.0


def test_anchors_leave_a_file_and_a_picture(
    workshop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both lie where asked, and the number is right."""
    out = workshop / 'anchors.npy'
    words = ['train', 'anchors', str(workshop / 'clips'), '--count', '5', '--out', str(out)]
    assert main(words) == 0
    assert '5 anchors from 48 samples' in capsys.readouterr().out
    assert np.load(out, allow_pickle=False).shape == (5, 2)
    assert cv2.imread(str(out.with_suffix('.png'))).shape == (900, 900, 3)


def test_nothing_to_train_on_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder of clips and an unknown key are named."""
    (tmp_path / 'x.yaml').write_text('name: x\nclips: [nowhere]\nvalidation: [nowhere]\n')
    assert main(['train', 'pretrain', str(tmp_path / 'x.yaml'), str(tmp_path / 'run')]) == 2
    assert 'nowhere' in capsys.readouterr().err
    (tmp_path / 'x.yaml').write_text('name: x\nclips: [a]\nvalidation: [a]\nleraning_rate: 1\n')
    assert main(['train', 'pretrain', str(tmp_path / 'x.yaml'), str(tmp_path / 'run')]) == 2
    assert 'leraning_rate' in capsys.readouterr().err
