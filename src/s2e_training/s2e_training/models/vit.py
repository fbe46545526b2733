"""A ViT-S class encoder: 16 px patches, 384-d, 12 layers (Dosovitskiy et al., 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from s2e_training.models.attention import TransformerLayer
from s2e_training.models.lite0 import IMAGENET_MEAN, IMAGENET_STD

PATCH = 16
DIM = 384
HEADS = 6
LAYERS = 12


class VitSmall(nn.Module):
    """Images to feature maps; the class token is left out, the map keeps places."""

    channels = DIM
    stride = PATCH

    def __init__(self, image_size: int) -> None:
        """Make the encoder with random weights.

        Args:
            image_size: Height and width, pixels.
        """
        super().__init__()
        self.side = image_size // PATCH
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer('mean', torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.patches = nn.Conv2d(3, DIM, PATCH, PATCH)
        self.places = nn.Parameter(torch.randn(1, self.side**2, DIM) * 0.02)
        self.layers = nn.ModuleList(
            TransformerLayer(DIM, HEADS, 4 * DIM, 0.0) for _ in range(LAYERS)
        )
        self.norm = nn.LayerNorm(DIM)

    def forward(self, images: Tensor) -> Tensor:
        """Encode images. [B, 3, H, W] in [0, 1] -> [B, 384, H / 16, W / 16]"""
        x = self.patches((images - self.mean) / self.std).flatten(2).transpose(1, 2) + self.places
        for layer in self.layers:
            x = layer(x)
        return self.norm(x).transpose(1, 2).unflatten(2, (self.side, self.side))
