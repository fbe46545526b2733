"""The training loop: resumable to the bit, validated on scenes it never trains on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2e_core.config import to_mapping
from s2e_training.data.windows import Batch, BatchOptions, WindowSet
from s2e_training.errors import TrainingError
from s2e_training.models.agdm import agdm_loss
from s2e_training.models.anchors import choose_anchors
from s2e_training.models.free_space import answers
from s2e_training.models.policy import S2EModel, converted
from s2e_training.pretrain.allocator import keep_freed_memory
from s2e_training.pretrain.checkpoint import (
    BEST,
    LAST,
    load_checkpoint,
    save_checkpoint,
)
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.devices import choose_devices
from s2e_training.pretrain.journal import Journal
from s2e_training.pretrain.metrics import (
    BASELINE_SPEED,
    direction_error,
    free_space_errors,
    open_loop,
    straight_to_goal,
)
from s2e_training.pretrain.parent import load_parent


@dataclass(frozen=True)
class Progress:
    """State of a run after a step."""

    step: int
    steps: int
    loss: dict[str, float]
    validation: dict[str, float] | None
    seconds: float
    """Wall time since this process began."""


class Trainer:
    """One pre-training run in a folder."""

    def __init__(
        self, config: PretrainConfig, folder: Path, train: WindowSet, validation: WindowSet,
        clock: Callable[[], float],
    ) -> None:
        """Begin a run, or go on with the one in the folder.

        Args:
            config: Settings.
            folder: Checkpoints and log; made if absent.
            train: Training samples.
            validation: Samples of other scenes.
            clock: Seconds, monotonic; decides only when checkpoints are written.

        Raises:
            TrainingError: The folder holds a run with other settings.
        """
        self.config, self.folder = config, folder
        self._devices = choose_devices(config.device, config.precision)
        self._share = self._devices.share(config.batch)
        self._train, self._validation, self._clock = train, validation, clock
        folder.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(config.threads)
        keep_freed_memory()
        torch.manual_seed(config.seed)
        self.model = _initial_model(config, train).to(self._devices.device)
        self._journal = Journal(folder) if self._devices.first else None
        parameters = [p for p in self.model.parameters() if p.requires_grad]
        self._optimiser = torch.optim.AdamW(
            parameters, lr=config.learning_rate, weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
        )
        self._average = {n: p.detach().clone() for n, p in self._trainable()}
        self.step, self._best, self._stale = 0, math.inf, 0
        if (folder / LAST).is_file():
            self._resume(load_checkpoint(folder / LAST))

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes; of several one does."""
        return self._devices.first

    def run(
        self, progress: Callable[[Progress], None] | None = None, stop_at: int | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> dict[str, float]:
        """Train until the end, an early stop, a given step, or until it is enough.

        Args:
            progress: Called after each step.
            stop_at: Pause after this step, as a kill after a checkpoint would.
            enough: Asked before each step.

        Returns:
            The last validation.
        """
        started = saved = self._clock()
        last = min(stop_at or self.config.steps, self.config.steps)
        report: dict[str, float] = {}
        while self.step < last and self._stale < self.config.patience and not enough():
            loss = self._train_step()
            validation = None
            if self.step % self.config.validate_every == 0 or self.step == self.config.steps:
                validation = report = self.validate()
                self._judge(report['loss'])
                measured = {f'val_{name}': value for name, value in report.items()}
                if self._journal is not None:
                    self._journal.write({'step': self.step, **loss, **measured})
            if self._clock() - saved > 60 * self.config.checkpoint_minutes:
                self._save(LAST)
                saved = self._clock()
            if progress is not None:
                progress(Progress(self.step, self.config.steps, loss, validation,
                                  self._clock() - started))
        self._save(LAST)
        return report or self.validate()

    def validate(self) -> dict[str, float]:
        """Measure the averaged weights on a fixed set of validation samples."""
        config = self.config
        rng = np.random.default_rng([config.seed, 1])
        count = min(config.validation_samples, len(self._validation))
        picked = rng.choice(len(self._validation), count, replace=False)
        kept = {n: p.detach().clone() for n, p in self._trainable()}
        self._load(self._average)
        self.model.eval()
        sums: dict[str, list[Tensor]] = {}
        with torch.no_grad():
            for part in np.array_split(picked, max(1, count // 128)):
                for name, values in self._measure(part, rng).items():
                    sums.setdefault(name, []).append(values)
        self._load(kept)
        return {name: float(torch.cat(v).nanmean()) for name, v in sums.items()}

    def _measure(self, samples: np.ndarray, rng: np.random.Generator) -> dict[str, Tensor]:
        batch = self._validation.batch(samples, BatchOptions(), rng)
        there = batch.to(self._devices.device)
        cpu = torch.device('cpu')
        mixture = converted(self.model(there.features, there.goal, there.mask), cpu)
        anchors = self.model.anchors.to(cpu)
        loss = agdm_loss(mixture, anchors, batch.plan, self.config.loss, batch.free)
        result = open_loop(mixture, batch.plan)
        size = len(samples)
        result['loss'] = loss['total'].expand(size)
        result['accuracy'] = loss['accuracy'].expand(size)
        if mixture.free is not None:
            result.update(free_space_errors(*answers(mixture.free), batch.free))
        baseline = straight_to_goal(batch.goal_xy, BASELINE_SPEED)
        result['straight_fde_2.0'] = (baseline - batch.plan)[:, -1].norm(dim=-1)
        result['straight_direction'] = direction_error(baseline, batch.plan)
        return result

    def _train_step(self) -> dict[str, float]:
        c = self.config
        # Randomness depends on step and process alone, so a resumed run repeats an unbroken one.
        rank = self._devices.rank
        rng = np.random.default_rng([c.seed, 0, self.step, *([rank] if rank else [])])
        torch.manual_seed(int(rng.integers(2**31)))
        options = BatchOptions(c.mirror, c.goal_free, c.restart)
        batch = self._train.draw(self._share, options, rng).to(self._devices.device)
        self._optimiser.param_groups[0]['lr'] = c.learning_rate * self._rate()
        self.model.train()
        loss = self._loss(batch)
        self._optimiser.zero_grad(set_to_none=True)
        loss['total'].backward()
        self._devices.average(p for _, p in self._trainable())
        norm = torch.nn.utils.clip_grad_norm_(
            [p for _, p in self._trainable()], c.clip_norm, error_if_nonfinite=True
        )
        self._optimiser.step()
        self.step += 1
        decay = min(c.average, self.step / (self.step + 20.0))
        with torch.no_grad():
            for name, parameter in self._trainable():
                self._average[name].lerp_(parameter, 1.0 - decay)
        return {**{k: float(v.detach()) for k, v in loss.items()}, 'norm': float(norm)}

    def _loss(self, batch: Batch) -> dict[str, Tensor]:
        with self._devices.autocast():
            mixture = self.model(batch.features, batch.goal, batch.mask)
        anchors = self.model.anchors
        return agdm_loss(converted(mixture), anchors, batch.plan, self.config.loss, batch.free)

    def _rate(self) -> float:
        c = self.config
        if self.step < c.warmup:
            return (self.step + 1) / c.warmup
        done = (self.step - c.warmup) / max(1, c.steps - c.warmup)
        return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))

    def _trainable(self) -> list[tuple[str, torch.nn.Parameter]]:
        return [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]

    def _load(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._trainable():
                parameter.copy_(values[name])

    def _judge(self, loss: float) -> None:
        if loss < self._best:
            self._best, self._stale = loss, 0
            self._save(BEST)
        else:
            self._stale += 1

    def _save(self, name: str) -> None:
        if not self._devices.first:
            return
        save_checkpoint(self.folder / name, {
            'config': to_mapping(self.config), 'model': self.model.state_dict(),
            'average': self._average, 'anchors': self.model.anchors,
            'optimiser': self._optimiser.state_dict(), 'step': self.step, 'best': self._best,
            'stale': self._stale,
        })

    def _resume(self, content: dict[str, Any]) -> None:
        if content['config'] != to_mapping(self.config):
            raise TrainingError(
                f'{self.folder / LAST}: was made with other settings; choose another folder'
            )
        if not torch.equal(content['anchors'], self.model.anchors.cpu()):
            raise TrainingError(f'{self.folder / LAST}: the training clips have changed since')
        self.model.load_state_dict(content['model'])
        self._optimiser.load_state_dict(content['optimiser'])
        self._average = {n: v.to(self._devices.device) for n, v in content['average'].items()}
        self.step, self._best = content['step'], content['best']
        self._stale = content['stale']


def _initial_model(config: PretrainConfig, train: WindowSet) -> S2EModel:
    """Make a fresh network, or the one that an earlier run ended with."""
    if config.initial:
        model = load_parent(config.initial).model
        if model.config != config.model:
            raise TrainingError(f'{config.initial}: holds a network of another size or form')
        return model
    anchors = choose_anchors(config.anchors, config.model.anchors, train.plans, config.seed)
    model = S2EModel(config.model, torch.from_numpy(anchors))
    model.encoder.load_pretrained(config.encoder_weights)
    return model
