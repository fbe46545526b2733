"""Encodes clips with the frozen encoder once, so that training never runs it again.

Each clip keeps its features beside its frames, for the images as they are and mirrored: mirroring
a feature map is not the same as encoding a mirrored image.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from s2e_policy.tensors import image_tensor
from s2e_training.data.clip import load_clip
from s2e_training.data.views import view_of
from s2e_training.errors import TrainingError

VARIANTS = 2
"""Plain and mirrored."""
CHUNK = 4
"""Images encoded at once: 4.5 ms of processor an image; 32 at once spill the cache, 12.8 ms."""


class EncoderSession:
    """An exported encoder, opened; processes get its bytes."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        """Open it.

        Args:
            model: ONNX, images [B, 3, H, W] in [0, 1] to maps [B, C, h, w].
            threads: Threads within an operator.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(model, options, providers=['CPUExecutionProvider'])

    def encode(self, rgb: np.ndarray) -> np.ndarray:
        """Encode images as they are. [N, H, W, 3] uint8 -> [N, C, h, w] float16"""
        parts = []
        for start in range(0, len(rgb), CHUNK):
            images = image_tensor(rgb[start:start + CHUNK])
            parts.append(self._session.run(None, {'images': images})[0].astype(np.float16))
        return np.concatenate(parts)


class FeatureEncoder:
    """The frozen encoder in ONNX Runtime, with mirror images."""

    def __init__(self, encoder: nn.Module, image_size: int, threads: int = 1) -> None:
        """Export the encoder in memory.

        Args:
            encoder: Images [B, 3, H, W] in [0, 1] to maps [B, C, h, w].
            image_size: Height and width, pixels.
            threads: Threads within an operator.
        """
        example = torch.zeros(2, 3, image_size, image_size)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter('ignore')
            path = Path(folder) / 'encoder.onnx'
            torch.onnx.export(
                encoder.eval(), (example,), str(path), input_names=['images'],
                output_names=['features'], dynamo=False, opset_version=17,
                dynamic_axes={'images': {0: 'batch'}, 'features': {0: 'batch'}},
            )
            self.model = path.read_bytes()
        self._session = EncoderSession(self.model, threads)
        self.size = image_size
        self.key = encoder_key(encoder)

    def encode(self, rgb: np.ndarray) -> np.ndarray:
        """Encode images and their mirror images.

        Args:
            rgb: [N, H, W, 3] uint8

        Returns:
            [N, 2, C, h, w] float16
        """
        mirrored = self._session.encode(rgb[:, :, ::-1])
        return np.stack([self._session.encode(rgb), mirrored], axis=1)


def encoder_key(encoder: nn.Module) -> str:
    """Name an encoder by its weights: features of another one must not be mixed in."""
    digest = hashlib.sha256()
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def features_path(clip: Path, key: str, view: int = 0) -> Path:
    """Where the features of one of a clip's views lie."""
    return clip / (f'features-{key}-view{view}.npy' if view else f'features-{key}.npy')


def encode_clips(
    clips: Sequence[Path], encoder: FeatureEncoder,
    progress: Callable[[int, int], None] | None = None, views: int = 1,
) -> None:
    """Encode every clip that has no features of this encoder yet.

    Args:
        clips: Clip folders.
        encoder: The frozen encoder.
        progress: Called with clips encoded and to encode; never if nothing is left to do.
        views: Views of each clip; see `data.views`.

    Raises:
        TrainingError: A clip has another image size.
    """
    todo = [
        clip for clip in clips
        if not all(features_path(clip, encoder.key, view).is_file() for view in range(views))
    ]
    for done, clip in enumerate(todo):
        for view in range(views):
            target = features_path(clip, encoder.key, view)
            if not target.is_file():
                _encode(clip, encoder, view, target)
        if progress is not None:
            progress(done + 1, len(todo))


def _encode(clip: Path, encoder: FeatureEncoder, view: int, target: Path) -> None:
    loaded = load_clip(clip)
    if loaded.rgb.shape[1:3] != (encoder.size, encoder.size):
        raise TrainingError(
            f'{clip}: images must be {encoder.size}x{encoder.size}, got '
            f'{loaded.rgb.shape[1]}x{loaded.rgb.shape[2]}'
        )
    buffer = io.BytesIO()
    np.save(buffer, encoder.encode(view_of(loaded, view)))
    # Trainings side by side may encode the same clip.
    staging = target.with_suffix(f'.{os.getpid()}.tmp')
    staging.write_bytes(buffer.getvalue())
    staging.rename(target)
