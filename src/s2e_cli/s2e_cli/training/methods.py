"""How a policy is trained further in one place: taught by the planner there, or by reward."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from s2e_cli.training.measuring import export_network
from s2e_cli.training.progress import DriveLines, StepLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from s2e_training.pretrain.trainer import Progress as StepProgress

T = TypeVar('T')


class Method(Protocol):
    """One way of training."""

    initial: str
    """The parent: a bundle, a run or a checkpoint."""
    protocol: str
    """Rules by which it is measured."""
    robot: str
    """Profile of the robot that drives."""

    def train(self) -> str:
        """Train, or go on; return the checkpoint to be measured."""


class Dagger:
    """The planner on the true map labels its own drives and the policy's."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Read the settings.

        Raises:
            ConfigError: They are wrong.
        """
        from s2e_training.dagger.config import DaggerConfig

        values = _values(DaggerConfig, args, 'record')
        values['record']['workers'] = args.workers
        self._config = _checked(DaggerConfig, values)
        self._args = args
        self.initial = self._config.initial
        self.protocol, self.robot = self._config.record.protocol, self._config.record.robot

    def train(self) -> str:
        """Go through the rounds; each ends by its share of the hours at the latest."""
        from s2e_training.dagger.rounds import DaggerRounds, Watch
        from s2e_training.posttrain.site import Budget

        args, seconds = self._args, 3600.0 * self._args.hours
        budget = Budget(args.out, seconds, time.monotonic)
        lines = _Lines(budget.save)
        rounds = DaggerRounds(
            self._config, f'{args.scene}@training', args.out,
            Watch(lines.phase, lines.drive, lines.step),
        )

        def enough(number: int) -> bool:
            return budget.spent >= seconds * number / self._config.rounds

        last = rounds.run(export_network, time.monotonic, enough)
        budget.save()
        return str(last)


class PPO:
    """The policy drives in the place and elsewhere, and is paid for what comes of it."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Read the settings.

        Raises:
            ConfigError: They are wrong.
        """
        from s2e_training.posttrain.config import PosttrainConfig
        from s2e_training.posttrain.site import site_config
        from s2e_training.study.config import with_workers

        config = _checked(PosttrainConfig, _values(PosttrainConfig, args, 'environment'))
        self._config = site_config(with_workers(config, args.workers), args.scene)
        self._args = args
        self.initial = config.initial
        self.protocol, self.robot = config.evaluation.protocol, config.environment.robot

    def train(self) -> str:
        """Train until the hours are over."""
        from s2e_cli.training.posttrain import rollout_line, show_evaluation
        from s2e_training.posttrain.setup import make_trainer
        from s2e_training.posttrain.site import Budget
        from s2e_training.posttrain.trainer import Progress
        from s2e_training.pretrain.checkpoint import BEST

        hours, folder = self._args.hours, self._args.out / 'train'
        budget = Budget(self._args.out, 3600.0 * hours, time.monotonic)
        if budget.used_up():
            print('training: its time is used up')
            return str(folder / BEST)
        trainer = make_trainer(self._config, folder, time.monotonic, show_evaluation)

        def show(p: Progress) -> None:
            budget.save()
            share = budget.spent / (3600.0 * hours)
            print(f'{min(share, 1.0):4.0%} of {hours:g} h  {rollout_line(p)}', flush=True)

        trainer.run(show, enough=budget.used_up)
        budget.save()
        return str(folder / BEST)


METHODS: dict[str, Callable[[argparse.Namespace], Method]] = {'dagger': Dagger, 'ppo': PPO}


class _Lines:
    """What is printed while driving and training, phase by phase."""

    def __init__(self, save: Callable[[], None]) -> None:
        self._save = save
        self._drives, self._steps = DriveLines(0), StepLines()

    def phase(self, name: str, count: int) -> None:
        print(f'{name}: {count}', flush=True)
        self._drives, self._steps = DriveLines(count), StepLines()

    def drive(self, item: Any) -> None:
        self._save()
        self._drives(item)

    def step(self, progress: StepProgress) -> None:
        self._save()
        self._steps(progress)


def _values(kind: type[Any], args: argparse.Namespace, world: str) -> dict[str, Any]:
    """Read the settings of a method's file, with what the command line says instead.

    Args:
        kind: Their dataclass.
        args: The command line.
        world: The group of settings that names the robot.
    """
    from s2e_core.config import from_yaml, to_mapping
    from s2e_core.paths import find_config

    file: Path = args.config or find_config(f'training/adapt_{args.method}.yaml')
    values = to_mapping(from_yaml(kind, file))
    for key in ('initial', 'seed'):
        if getattr(args, key) is not None:
            values[key] = getattr(args, key)
    if args.robot is not None:
        values[world]['robot'] = args.robot
    return values


def _checked(kind: type[T], values: dict[str, Any]) -> T:
    from s2e_core.config import from_mapping

    return from_mapping(kind, values, source='command line')
