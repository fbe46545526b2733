"""Puts clips, features and trainer together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from s2e_training.data.clip import find_clips
from s2e_training.data.draws import DrawWeights
from s2e_training.data.features import FeatureEncoder, encode_clips
from s2e_training.data.windows import WindowSet
from s2e_training.models.policy import make_encoder
from s2e_training.pretrain.config import PretrainConfig
from s2e_training.pretrain.devices import choose_devices
from s2e_training.pretrain.trainer import Trainer


def make_trainer(
    config: PretrainConfig, folder: Path, clock: Callable[[], float],
    encoded: Callable[[int, int], None] | None = None,
) -> Trainer:
    """Encode what is not encoded yet and make the trainer.

    Of several processes each encodes its share of the clips, then all wait for each other.

    Args:
        config: Settings.
        folder: Folder of the run.
        clock: Seconds, monotonic.
        encoded: Called with clips encoded and in all, of the first process's share.

    Raises:
        TrainingError: Clips or weights of the encoder are missing.
    """
    runner = feature_encoder(config, config.threads)
    roots = [_first(find_clips(Path(root)), config.share) for root in config.clips]
    train = [clip for root in roots for clip in root]
    validation = [clip for root in config.validation for clip in find_clips(Path(root))]
    devices = choose_devices(config.device, config.precision)
    share = slice(devices.rank, None, devices.world)
    show = encoded if devices.first else None
    encode_clips(train[share], runner, show, config.views)
    encode_clips(validation[share], runner, show)
    devices.wait()
    shape = (runner.key, config.model.frames, config.model.goal_encoding)
    weights = DrawWeights(
        config.turn_weight, config.brake_weight,
        tuple(number for number, root in enumerate(roots) for _ in root), config.mix,
    )
    return Trainer(
        config, folder, WindowSet(train, *shape, weights, config.views),
        WindowSet(validation, *shape), clock,
    )


def _first(clips: list[Path], share: float) -> list[Path]:
    """Return the first share of some clips, at least one."""
    return clips[:max(1, round(share * len(clips)))]


def feature_encoder(config: PretrainConfig, threads: int) -> FeatureEncoder:
    """Make the encoder that clips are encoded with for a run.

    Raises:
        TrainingError: Its weights are missing or of another network.
    """
    encoder = make_encoder(config.model)
    encoder.load_pretrained(config.encoder_weights)
    return FeatureEncoder(encoder, config.model.image_size, threads)
