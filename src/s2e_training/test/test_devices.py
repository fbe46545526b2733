"""Several processes, lower precision, and what a run writes down."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from s2e_training.errors import TrainingError
from s2e_training.pretrain.devices import Devices, choose_devices
from s2e_training.pretrain.journal import EVENTS, Journal

TWO_PROCESSES = """
import sys, torch, torch.distributed as dist
from s2e_training.pretrain.devices import choose_devices
devices = choose_devices('cpu', 'float32')
weights = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))]
weights[0].grad = torch.tensor([1.0, 2.0]) * (1 + 2 * devices.rank)
if devices.rank == 0:
    weights[1].grad = torch.tensor([5.0])
devices.average(weights)
if devices.first:
    print(devices.world, devices.share(8), weights[0].grad.tolist(), weights[1].grad.tolist())
dist.destroy_process_group()
"""


def test_two_processes_agree_on_the_mean_gradient(tmp_path: Path) -> None:
    """(1, 2) and (3, 6) give (2, 4); a process without a gradient counts as zero: 5 / 2."""
    script = tmp_path / 'two.py'
    script.write_text(TWO_PROCESSES)
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2',
               '--local-addr=127.0.0.1', str(script)]
    paths = os.pathsep.join(sys.path)
    environment = {**os.environ, 'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '2 4 [2.0, 4.0] [2.5]' in done.stdout


def test_a_batch_that_cannot_be_divided_is_refused() -> None:
    """Nine samples over two processes."""
    with pytest.raises(TrainingError, match='multiple of 2 processes, got 9'):
        Devices(torch.device('cpu'), 0, 2).share(9)


def test_a_wish_for_an_absent_gpu_is_refused() -> None:
    """No silent fall-back."""
    if torch.cuda.is_available():
        pytest.skip('GPU present: its absence cannot be tested')
    with pytest.raises(TrainingError, match='no GPU'):
        choose_devices('cuda', 'float32')
    assert choose_devices('auto', 'float32').device.type == 'cpu'


def test_lower_precision_reaches_the_network() -> None:
    """A linear layer answers in bfloat16 within the context, in float32 without."""
    layer = torch.nn.Linear(4, 4)
    x = torch.ones(1, 4)
    with Devices(torch.device('cpu'), precision='bfloat16').autocast():
        assert layer(x).dtype == torch.bfloat16
    with Devices(torch.device('cpu')).autocast():
        assert layer(x).dtype == torch.float32


def test_the_journal_keeps_rows_and_events(tmp_path: Path) -> None:
    """A second journal in the same folder goes on in the same file."""
    Journal(tmp_path).write({'step': 1, 'total': 0.123456789, 'val_loss': 2.0})
    Journal(tmp_path).write({'step': 2, 'total': 0.5, 'val_loss': 1.0})
    with (tmp_path / 'log.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['total'] for row in rows] == ['0.12346', '0.5']
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    events = accumulator.EventAccumulator(str(tmp_path / EVENTS))
    events.Reload()
    # Files of one second are read by their names, whose last part counts the process's writers:
    # the tenth comes before the ninth.
    losses = sorted((e.step, e.value) for e in events.Scalars('validation/loss'))
    assert losses == [(1, 2.0), (2, 1.0)]
    assert sorted(e.step for e in events.Scalars('training/total')) == [1, 2]
