"""Puts parent, environments, learner and evaluation together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from navbench_gs.env.gym.truth import TRUTH
from s2e_core.robot import load_robot
from s2e_training.data.features import FeatureEncoder
from s2e_training.posttrain.actor import Actor
from s2e_training.posttrain.config import PosttrainConfig
from s2e_training.posttrain.curriculum import Stage
from s2e_training.posttrain.environment import VectorEnv
from s2e_training.posttrain.evaluate import Evaluator
from s2e_training.posttrain.learner import Learner, Reinforcement, Supervised
from s2e_training.posttrain.navbench import NavBenchFactory, write_protocol
from s2e_training.posttrain.scenes import check_training_scenes, check_validation_scenes
from s2e_training.posttrain.sft import load_windows
from s2e_training.posttrain.trainer import Trainer
from s2e_training.posttrain.workers import Workers
from s2e_training.pretrain.parent import Parent, load_parent


def make_trainer(
    config: PosttrainConfig, folder: Path, clock: Callable[[], float],
    watch: Callable[[int, int], None] | None = None,
) -> Trainer:
    """Load the parent and make the trainer.

    Args:
        config: Settings.
        folder: Folder of the run; made if absent.
        clock: Seconds, monotonic.
        watch: Called with the episodes of an evaluation done and in all.

    Raises:
        TrainingError: The parent cannot be had, or the folder holds another run.
        ConfigError: Scenes are not for training.
    """
    check_training_scenes(config.environment.scenes)
    check_validation_scenes(config.evaluation.scenes)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads)
    parent = load_parent(config.initial)
    runner = FeatureEncoder(
        parent.model.encoder, parent.model.config.image_size, config.threads
    )
    actor = Actor(
        parent.model, config.mode, config.exploration, config.seed, truths_of(config),
        config.ppo.bfloat16,
    )
    evaluate = Evaluator(
        config.evaluation, config.environment.robot, folder / 'evaluation', parent.margins, watch
    )
    learner = _learner(config, folder, parent, actor, runner)
    return Trainer(config, folder, parent, actor, learner, evaluate, clock)


def _learner(
    config: PosttrainConfig, folder: Path, parent: Parent, actor: Actor, runner: FeatureEncoder
) -> Learner:
    if config.mode == 'sft':
        windows = load_windows(config.sft, actor.model, runner)
        return Supervised(config, actor, windows, parent.pretrain.loss)

    environment = config.environment

    def make(stage: Stage) -> VectorEnv:
        rules = write_protocol(environment, stage, folder)
        factory = NavBenchFactory(
            environment, stage, rules, runner.size, runner.model, config.threads,
            config.foresight.people if config.foresight.weight > 0.0 else '',
        )
        if environment.workers == 1:
            return factory(environment.count)
        return Workers(factory, environment.count, environment.workers)

    return Reinforcement(config, actor, make, load_robot(environment.robot))


def truths_of(config: PosttrainConfig) -> int:
    """Return how many numbers about the world the value head sees."""
    return TRUTH if config.environment.truth else 0
