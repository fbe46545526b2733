"""Where a run computes: processor or GPU, one process or several of `torchrun`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist

from s2e_training.errors import TrainingError


@dataclass(frozen=True)
class Devices:
    """This process's device and its place among the processes of the run."""

    device: torch.device
    rank: int = 0
    world: int = 1
    precision: str = 'float32'

    @property
    def first(self) -> bool:
        """Whether this process writes checkpoints and logs."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """Return this process's part of a batch.

        Raises:
            TrainingError: The batch cannot be divided evenly.
        """
        if batch % self.world:
            raise TrainingError(f'batch must be a multiple of {self.world} processes, got {batch}')
        return batch // self.world

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which the network runs."""
        if self.precision == 'float32':
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self.precision))

    def average(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Replace gradients by their mean over all processes."""
        if self.world == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            dist.all_reduce(parameter.grad)
            parameter.grad /= self.world

    def wait(self) -> None:
        """Wait until every process has come here."""
        if self.world > 1:
            dist.barrier()


def choose_devices(device: str, precision: str) -> Devices:
    """Take the wished device and join the process group that `torchrun` announces.

    Args:
        device: `auto` (a GPU if there is one), `cpu` or `cuda`.
        precision: `float32` or `bfloat16`.

    Raises:
        TrainingError: There is no GPU.
    """
    present = torch.cuda.is_available()
    if device == 'cuda' and not present:
        raise TrainingError("device 'cuda' is not there: torch sees no GPU")
    use_gpu = present if device == 'auto' else device == 'cuda'
    rank, world = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
    index = int(os.environ.get('LOCAL_RANK', 0))
    if world > 1 and not dist.is_initialized():
        dist.init_process_group('nccl' if use_gpu else 'gloo')
    chosen = torch.device('cuda', index) if use_gpu else torch.device('cpu')
    return Devices(chosen, rank, world, precision)
