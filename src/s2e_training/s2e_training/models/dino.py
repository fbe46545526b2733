"""DINOv3 ViT-S/16 (Simeoni et al., 2025) from the library `transformers`, frozen.

The paper's encoder (reference section 1.1). Its weights have a licence that a user accepts by
himself, so they are read from a local folder as its authors publish it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import DINOv3ViTConfig, DINOv3ViTModel

from s2e_training.errors import TrainingError
from s2e_training.models.encoder import FrozenEncoder

PATCH = 16
DIM = 384
REGISTERS = 4
WEIGHTS_FILE = 'model.safetensors'
RANDOM = 'random'
"""In place of a folder: weights drawn from one seed, to try the road without the licensed ones."""


class DinoSmall(FrozenEncoder):
    """Images to feature maps; the class and register tokens are left out."""

    channels = DIM
    stride = PATCH

    def __init__(self) -> None:
        """Make the encoder with random weights; see `load_pretrained`."""
        super().__init__()
        self.network = _network()
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> DinoSmall:
        """Stay in evaluation mode: in training it would scale the places of patches at random."""
        return super().train(False)

    def forward(self, images: Tensor) -> Tensor:
        """Encode images. [B, 3, H, W] in [0, 1] -> [B, 384, H / 16, W / 16]"""
        side = images.shape[-1] // PATCH
        tokens = self.network(self.normalised(images)).last_hidden_state
        return tokens[:, 1 + REGISTERS:].transpose(1, 2).unflatten(2, (-1, side))

    def load_pretrained(self, source: str = '') -> None:
        """Read `model.safetensors`, or a folder with it. No code and no pickle is read.

        `random` draws weights, always the same.

        Raises:
            TrainingError: Missing, damaged, or of another network.
        """
        if not source:
            raise TrainingError(
                'the encoder dino needs encoder_weights: the folder of DINOv3 ViT-S/16 '
                '(facebook/dinov3-vits16-pretrain-lvd1689m) with its model.safetensors, or '
                f"'{RANDOM}' to try"
            )
        if source == RANDOM:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                self.network.load_state_dict(_network().state_dict())
            return
        path = Path(source)
        path = path / WEIGHTS_FILE if path.is_dir() else path
        try:
            self.network.load_state_dict(load_file(path))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise TrainingError(f'{path}: is not a DINOv3 ViT-S/16: {error}') from error


def _network() -> DINOv3ViTModel:
    return DINOv3ViTModel(DINOv3ViTConfig(
        hidden_size=DIM, intermediate_size=4 * DIM, num_attention_heads=6,
        num_hidden_layers=12, patch_size=PATCH, num_register_tokens=REGISTERS,
    ))
