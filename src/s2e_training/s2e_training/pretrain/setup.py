"""Puts clips, features and trainer together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from s2e_training.data.clip import find_clips
from s2e_training.data.draws import DrawWeights
from s2e_training.data.features import FeatureEncoder, encode_clips
from s2e_training.data.windows import WindowSet
from s2e_training.errors import TrainingError
from s2e_training.models.lite0 import Lite0
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.trainer import Trainer


def make_trainer(config: PretrainConfig, folder: Path, clock: Callable[[], float]) -> Trainer:
    """Encode what is not encoded yet and make the trainer.

    Args:
        config: Settings.
        folder: Folder of the run.
        clock: Seconds, monotonic.

    Raises:
        TrainingError: The encoder cannot be cached, or clips are missing.
    """
    if config.model.encoder != 'lite0':
        raise TrainingError(
            f'pretrain: only the frozen encoder lite0 has cached features, got '
            f'{config.model.encoder}'
        )
    encoder = Lite0()
    encoder.load_imagenet()
    runner = FeatureEncoder(encoder, config.model.image_size, config.threads)
    roots = [find_clips(Path(root)) for root in config.clips]
    train = [clip for root in roots for clip in root]
    validation = [clip for root in config.validation for clip in find_clips(Path(root))]
    encode_clips(train, runner, views=config.views)
    encode_clips(validation, runner)
    shape = (runner.key, config.model.frames, config.model.goal_encoding)
    weights = DrawWeights(
        config.turn_weight, config.brake_weight,
        tuple(number for number, root in enumerate(roots) for _ in root), config.mix,
    )
    return Trainer(
        config, folder, WindowSet(train, *shape, weights, config.views),
        WindowSet(validation, *shape), clock,
    )
