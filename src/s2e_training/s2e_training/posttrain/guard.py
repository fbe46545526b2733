"""Stops a run at the first number that is not finite, and keeps what led to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s2e_training.errors import TrainingError
from s2e_training.pretrain.checkpoint import save_checkpoint

DUMP = 'nonfinite.pt'


class NonFiniteError(TrainingError):
    """A tensor holds NaN or infinity."""

    def __init__(self, message: str, tensors: dict[str, Tensor]) -> None:
        """Keep the tensors for the dump."""
        super().__init__(message)
        self.tensors = tensors


def demand_finite(where: str, **tensors: Tensor) -> None:
    """Check tensors.

    Args:
        where: What they come from, for the message.
        tensors: By name.

    Raises:
        NonFiniteError: Naming the first that is not finite and its first bad row.
    """
    for name, tensor in tensors.items():
        if bool(torch.isfinite(tensor).all()):
            continue
        bad = (~torch.isfinite(tensor)).nonzero()[0].tolist()
        value = float(tensor[tuple(bad)]) if bad else float(tensor)
        raise NonFiniteError(
            f'{where}: {name} must be finite, got {value} at {bad}',
            {key: kept.detach().clone() for key, kept in tensors.items()},
        )


def dump(folder: Path, error: NonFiniteError, state: dict[str, Any]) -> TrainingError:
    """Write what is known of the failure.

    Args:
        folder: The run's folder.
        error: What was found.
        state: Weights, the last rollout, counters; anything a checkpoint may hold.

    Returns:
        The error that says where it lies.
    """
    path = folder / DUMP
    save_checkpoint(path, {'message': str(error), 'tensors': error.tensors, **state})
    return TrainingError(f'{error}; weights and last states are in {path}')
