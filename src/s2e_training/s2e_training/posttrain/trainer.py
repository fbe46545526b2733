"""The loop of post-training: resumable to the bit, evaluated on scenes it never trains on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from s2e_core.config import to_mapping
from s2e_training.errors import TrainingError
from s2e_training.models.policy import S2EModel
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.posttrain.guard import NonFiniteError, dump
from s2e_training.posttrain.learner import Learner
from s2e_training.pretrain.checkpoint import BEST, LAST, load_checkpoint, save_checkpoint
from s2e_training.pretrain.journal import EVALUATION, Journal
from s2e_training.pretrain.parent import Parent

Evaluate = Callable[[S2EModel, int], dict[str, float]]
"""Measures a network; the number is that of the rollouts behind it. Holds `score`."""


@dataclass(frozen=True)
class Progress:
    """State of a run after a rollout."""

    rollout: int
    rollouts: int
    steps: int
    """Environment steps so far."""
    measured: dict[str, float]
    evaluation: dict[str, float] | None
    """Of the network before this rollout, where it was evaluated."""
    seconds: float
    """Wall time since this process began."""


class Trainer:
    """One post-training run in a folder."""

    def __init__(
        self, config: PosttrainConfig, folder: Path, parent: Parent, actor: Actor,
        learner: Learner, evaluate: Evaluate | None, clock: Callable[[], float],
    ) -> None:
        """Begin a run, or go on with the one in the folder.

        Args:
            config: Settings.
            folder: Checkpoints and logs; made if absent.
            parent: Where the network comes from.
            actor: The network in training.
            learner: How it learns.
            evaluate: Measures it now and then; without, the last is the best.
            clock: Seconds, monotonic; decides only when checkpoints are written.

        Raises:
            TrainingError: The folder holds a run with other settings, or one that has ended
                inside a segment and is to go on.
        """
        self.config, self.folder, self.rollout = config, folder, 0
        self._parent, self._actor, self._learner = parent, actor, learner
        self._evaluate, self._clock = evaluate, clock
        self._best, self._evaluated = -math.inf, -1
        folder.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(config.threads)
        after = -1
        if (folder / LAST).is_file():
            self._resume(load_checkpoint(folder / LAST))
            after = self._steps
        self._journal = Journal(folder, after=after)
        self._evaluations = Journal(folder, EVALUATION, after, 'validation')

    @property
    def _steps(self) -> int:
        """Environment steps so far."""
        return self.rollout * self.config.rollout * self.config.environment.count

    def run(
        self, progress: Callable[[Progress], None] | None = None, stop_at: int | None = None,
        enough: Callable[[], bool] | None = None,
    ) -> dict[str, float] | None:
        """Train until the end, a given rollout, or until it is enough.

        Args:
            progress: Called after each rollout.
            stop_at: Stop after this rollout as a kill would: what came after the last
                checkpoint is done again later.
            enough: Asked between segments; once it says yes the run ends in good order, as if
                it had come to its last rollout.

        Returns:
            The evaluation of the end, if the run has come to it just now.

        Raises:
            TrainingError: A number is not finite; the last states lie in the folder.
        """
        c = self.config
        started = saved = self._clock()
        last = min(stop_at or c.rollouts, c.rollouts)
        try:
            while self.rollout < last:
                evaluation = None
                if self.rollout % c.segment == 0:
                    if enough is not None and self.rollout and enough():
                        return self._finish()
                    evaluation = self._judge()
                    if self._clock() - saved >= 60 * c.checkpoint_minutes:
                        self._save(LAST)
                        saved = self._clock()
                    self._learner.begin(self.rollout)
                measured = self._learn()
                if progress is not None:
                    progress(Progress(self.rollout, c.rollouts, self._steps, measured, evaluation,
                                      self._clock() - started))
            if self.rollout < c.rollouts:
                return None
            return self._finish()
        finally:
            self._learner.close()

    def _finish(self) -> dict[str, float] | None:
        report = self._judge(final=True)
        self._save(LAST)
        return report

    def _learn(self) -> dict[str, float]:
        try:
            measured = self._learner.learn(self.rollout)
        except NonFiniteError as error:
            raise dump(self.folder, error, {
                'rollout': self.rollout, 'model': self._actor.model.state_dict(),
                'learner': self._learner.state(), **self._learner.last_states(),
            }) from error
        self.rollout += 1
        self._journal.write({'step': self._steps, **measured})
        return measured

    def _judge(self, final: bool = False) -> dict[str, float] | None:
        """Evaluate where it is due and keep the best."""
        due = final or self.rollout % self.config.evaluation.every == 0
        if self._evaluate is None:
            if final:
                self._save(BEST)
            return None
        if not due or self._evaluated == self.rollout:
            return None
        report = self._evaluate(self._actor.model, self.rollout)
        self._evaluated = self.rollout
        self._evaluations.write({'step': self._steps, **report})
        if report['score'] > self._best:
            self._best = report['score']
            self._save(BEST)
        return report

    def _save(self, name: str) -> None:
        model = self._actor.model
        save_checkpoint(self.folder / name, {
            'config': to_mapping(self._parent.pretrain), 'posttrain': to_mapping(self.config),
            'model': model.state_dict(), 'anchors': model.anchors, 'step': self._steps,
            'parent_step': self._parent.step, 'provenance': self._parent.provenance,
            'rollout': self.rollout, 'best': self._best, 'evaluated': self._evaluated,
            'learner': self._learner.state(), 'examples': self._parent.examples,
        })

    def _resume(self, content: dict[str, Any]) -> None:
        path = self.folder / LAST
        if _decisive(content.get('posttrain')) != _decisive(to_mapping(self.config)):
            raise TrainingError(f'{path}: was made with other settings; choose another folder')
        whole = content['rollout'] % self.config.segment == 0
        if content['rollout'] < self.config.rollouts and not whole:
            raise TrainingError(
                f'{path}: ended after {content["rollout"]} rollouts, inside a segment of '
                f'{self.config.segment}; only a run of whole segments can be made longer'
            )
        self._actor.model.load_state_dict(content['model'])
        self._learner.load(content['learner'])
        self.rollout, self._best = content['rollout'], content['best']
        self._evaluated = content['evaluated']


def _decisive(settings: dict[str, Any] | None) -> dict[str, Any]:
    """Return the settings that decide numbers: not processes, nor when to save or to end."""
    if settings is None:
        return {}
    parts = {
        name: {key: value for key, value in settings[name].items() if key != 'workers'}
        for name in ('environment', 'evaluation')
    }
    return {**settings, **parts, 'checkpoint_minutes': None, 'steps': None}
