"""Rounds of DAgger in one place: the newest policy drives, the planner labels, all is trained on.

Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to
No-Regret Online Learning" (2011). The network goes on from the round before; clips add up. Drives
of the parent in generated cities are mixed in, so that it keeps what it knew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from s2e_training.dagger.config import DaggerConfig
from s2e_training.data.record import Recorded, record
from s2e_training.posttrain.scenes import check_training_scenes
from s2e_training.pretrain.checkpoint import LAST
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.parent import load_parent
from s2e_training.pretrain.setup import make_trainer
from s2e_training.pretrain.trainer import Progress

DONE = 'recorded'
"""Marks a folder of clips that is complete: drives too short for a clip leave none."""
_VALIDATION, _REHEARSAL = 98, 99


@dataclass(frozen=True)
class Watch:
    """Who hears how far it is."""

    phase: Callable[[str, int], None]
    """Called with what begins, and how many drives or steps it has."""
    drive: Callable[[Recorded], None]
    """Called after each drive."""
    step: Callable[[Progress], None]
    """Called after each step of training."""


class DaggerRounds:
    """One adaptation in a folder; begun again, it goes on where it was cut off."""

    def __init__(self, config: DaggerConfig, place: str, folder: Path, watch: Watch) -> None:
        """Prepare.

        Args:
            config: Settings.
            place: The scene, or the part of its routes that may be trained on.
            folder: Clips, bundles and runs; made if absent.
            watch: Hears how far it is.

        Raises:
            ConfigError: The place is a generated city that is not for training.
            TrainingError: The parent cannot be had.
        """
        check_training_scenes((place,))
        self._config, self._place, self._folder, self._watch = config, place, folder, watch
        self._image_size = load_parent(config.initial).model.config.image_size

    def run(
        self, export: Callable[[str, Path], None], clock: Callable[[], float],
        enough: Callable[[int], bool],
    ) -> Path:
        """Go through all rounds.

        Args:
            export: Makes a bundle of a network that is not there yet: its source, its folder.
            clock: Seconds, monotonic; decides only when checkpoints are written.
            enough: Asked with the number of the round, from 1, whether its training should end.

        Returns:
            The checkpoint of the last round.

        Raises:
            TrainingError: The folder holds another adaptation.
        """
        c, newest = self._config, self._config.initial
        bundles = self._folder / 'bundles'
        export(newest, bundles / 'parent')
        self._drive('demonstrations', c.demonstrations, 0)
        self._drive('validation', c.validation, _VALIDATION)
        self._drive('rehearsal', c.rehearsal, _REHEARSAL, bundles / 'parent')
        for number in range(1, c.rounds + 1):
            driver = bundles / ('parent' if number == 1 else f'round-{number - 1}')
            export(newest, driver)
            self._drive(f'drives-{number}', c.drives, number, driver)
            newest = str(self._train(number, newest, clock, enough))
        return Path(newest)

    def run_config(self, number: int, initial: str) -> PretrainConfig:
        """Return the settings of a round's training. Clips of the place weigh by their number."""
        c, parent = self._config, load_parent(initial)
        there = ['demonstrations', *(f'drives-{n}' for n in range(1, number + 1))]
        weights = [c.demonstrations, *[c.drives] * number]
        shares = [c.share * weight / sum(weights) for weight in weights]
        return replace(
            parent.pretrain, name=f'{c.name}-{number}', initial=initial,
            clips=tuple(str(self._clips(name)) for name in (*there, 'rehearsal')),
            mix=(*shares, 1.0 - c.share), validation=(str(self._clips('validation')),),
            views=1, seed=c.seed + number, patience=1000,
            steps=c.training.steps, batch=c.training.batch, warmup=c.training.warmup,
            learning_rate=c.training.learning_rate, turn_weight=c.training.turn_weight,
            brake_weight=c.training.brake_weight, precision=c.training.precision,
            threads=c.training.threads, validate_every=c.training.validate_every,
            checkpoint_minutes=c.training.checkpoint_minutes, model=parent.model.config,
        )

    def _train(
        self, number: int, initial: str, clock: Callable[[], float],
        enough: Callable[[int], bool],
    ) -> Path:
        folder = self._folder / f'round-{number}'
        config = self.run_config(number, initial)
        trainer = make_trainer(config, folder, clock)
        self._watch.phase(f'round {number}, training', config.steps)
        trainer.run(self._watch.step, enough=lambda: enough(number))
        return folder / LAST

    def _drive(self, name: str, passes: int, number: int, driver: Path | None = None) -> None:
        """Record what is missing of a folder of clips."""
        c, clips = self._config, self._clips(name)
        if (clips / DONE).is_file():
            return
        city = number == _REHEARSAL
        settings = replace(
            c.record, scene='' if city else self._place, driver=str(driver or ''),
            first_seed=c.first_city if city else 0, scenes=passes, seed=100 * c.seed + number,
            image_size=self._image_size,
        )
        self._watch.phase(name, passes * len(settings.tasks))
        record(settings, clips, self._watch.drive)
        (clips / DONE).touch()

    def _clips(self, name: str) -> Path:
        return self._folder / 'clips' / name
