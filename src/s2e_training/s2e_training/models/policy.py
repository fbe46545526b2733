"""The S2E network: frames and goal in, a mixture over trajectories out.

Structure as in the paper (reference section 1.1): frame and goal tokens are fused by
self-attention; the embedded anchors are queries that attend to the fused context; each anchor has
a score and a regression head with a velocity scale.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2e_core.contract import WAYPOINT_DT, WAYPOINTS
from s2e_training.models.attention import TransformerLayer
from s2e_training.models.config import ModelConfig
from s2e_training.models.encoder import FrozenEncoder
from s2e_training.models.free_space import FreeSpace, FreeSpaceHead
from s2e_training.models.lite0 import Lite0
from s2e_training.models.ram import ResidualAttention


class Mixture(NamedTuple):
    """What the heads say, per anchor."""

    logits: Tensor
    """Scores before the softmax. [B, M]"""
    mean: Tensor
    """Waypoints, metres, after the velocity scale. [B, M, T, 2]"""
    log_sigma: Tensor
    """Log standard deviations, ln m. [B, M, T, 2]"""
    rho: Tensor
    """Correlation of x and y. [B, M, T]"""
    speed: Tensor
    """Velocity scale: mean speed over the horizon, m/s. [B, M]"""
    free: FreeSpace | None = None
    """Free distances, where the network has the head."""


def converted(mixture: Mixture, device: torch.device | None = None) -> Mixture:
    """Return a mixture as float32, on another device if one is given."""
    free = mixture.free
    if free is not None:
        free = FreeSpace(*(part.to(device, torch.float32) for part in free))
    tensors = (mixture.logits, mixture.mean, mixture.log_sigma, mixture.rho, mixture.speed)
    logits, mean, log_sigma, rho, speed = (part.to(device, torch.float32) for part in tensors)
    return Mixture(logits, mean, log_sigma, rho, speed, free)


def make_encoder(config: ModelConfig) -> FrozenEncoder:
    """Make the encoder with random weights."""
    if config.encoder == 'lite0':
        return Lite0()
    # transformers takes 6 s to import, and only the paper's size needs it.
    from s2e_training.models.dino import DinoSmall

    return DinoSmall()


class FrameToken(nn.Module):
    """One feature map to one token; every cell keeps its place until the last linear layer."""

    def __init__(self, channels: int, side: int, config: ModelConfig) -> None:
        """Make the layers."""
        super().__init__()
        self.mix: nn.Module | None = None
        if config.token_mix:
            self.mix = nn.Sequential(
                nn.Conv2d(channels, config.token_mix, 1), nn.GELU(),
                nn.Conv2d(config.token_mix, config.token_mix, 3, padding=1), nn.GELU(),
            )
        self.squeeze = nn.Conv2d(config.token_mix or channels, config.token_channels, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.project = nn.Linear(config.token_channels * side * side, config.dim)
        self.norm = nn.LayerNorm(config.dim)

    def forward(self, features: Tensor) -> Tensor:
        """Make tokens of feature maps. [B, C, h, w] -> [B, D]"""
        if self.mix is not None:
            features = self.mix(features)
        x = F.gelu(self.squeeze(features)).flatten(1)
        return self.norm(self.project(self.dropout(x)))


def embed_anchor(anchors: Tensor, dim: int) -> Tensor:
    """Sinusoidal embedding of 2-D points, wavelengths 0.06 m to 63 m.

    Args:
        anchors: Points, metres. [M, 2]
        dim: Width; a multiple of 4.

    Returns:
        [M, dim]
    """
    steps = torch.arange(dim // 4, dtype=torch.float32) / (dim // 4)
    angles = anchors[..., None] * 100.0 * torch.pow(1000.0, -steps)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(1)


class S2EModel(nn.Module):
    """The whole network."""

    anchors: Tensor

    def __init__(self, config: ModelConfig, anchors: Tensor) -> None:
        """Make the network with random trainable weights.

        Args:
            config: Sizes.
            anchors: Intent points in base_link, metres; the first is the stop anchor. [M, 2]
        """
        super().__init__()
        self.config = config
        self.encoder = make_encoder(config)
        d = config.dim
        self.token = FrameToken(
            self.encoder.channels, config.image_size // self.encoder.stride, config
        )
        self.places = nn.Parameter(torch.randn(1, config.frames, d) * 0.02)
        self.goal = nn.Sequential(nn.Linear(3, d), nn.GELU(), nn.Linear(d, d))
        self.no_goal = nn.Parameter(torch.randn(1, 1, d) * 0.02)
        layer = (d, config.heads, config.feed_forward, config.dropout)
        self.fusion = nn.ModuleList(TransformerLayer(*layer) for _ in range(config.fusion_layers))
        self.fusion_norm = nn.LayerNorm(d)
        self.register_buffer('anchors', anchors.clone().float())
        self.register_buffer('anchor_code', embed_anchor(anchors.float(), d), persistent=False)
        self.query = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.Linear(d, d))
        self.decoder = nn.ModuleList(
            TransformerLayer(*layer) for _ in range(config.decoder_layers)
        )
        self.decoder_norm = nn.LayerNorm(d)
        self.score = nn.Linear(d, 1)
        self.regression = nn.Sequential(
            nn.Linear(d, d), nn.GELU(), nn.Linear(d, WAYPOINTS * 5 + 1)
        )
        self.free = FreeSpaceHead(d) if config.free_space else None
        self.residual: ResidualAttention | None = None
        self._start_along_anchors()

    def add_residual(self) -> None:
        """Put the residual-attention module beside the decoder; answers stay the same."""
        self.residual = ResidualAttention(self.decoder, self.config.dim)

    def tokens(self, features: Tensor) -> Tensor:
        """Turn feature maps of frames into tokens. [B, K, C, h, w] -> [B, K, D]"""
        return self.token(features.flatten(0, 1)).unflatten(0, features.shape[:2])

    def decode(self, tokens: Tensor, goal: Tensor, mask: Tensor) -> Mixture:
        """Run everything after the frame tokens.

        Args:
            tokens: Frame tokens, oldest first. [B, K, D]
            goal: Encoded goals. [B, 3]
            mask: One where the goal is present. [B, 1]

        Returns:
            The mixture in metres.
        """
        context = self.fuse(tokens, goal, mask)
        return self.answer(context, self.attend(context))

    def fuse(self, tokens: Tensor, goal: Tensor, mask: Tensor) -> Tensor:
        """Fuse frame tokens and goal. [B, K, D], [B, 3], [B, 1] -> context [B, K + 1, D]"""
        present = mask[:, :, None]
        goal_token = self.goal(goal)[:, None] * present + self.no_goal * (1.0 - present)
        x = torch.cat([tokens + self.places, goal_token], dim=1)
        for layer in self.fusion:
            x = layer(x)
        return self.fusion_norm(x)

    def attend(self, context: Tensor) -> Tensor:
        """Let the anchors attend to the context through the decoder alone. -> [B, M, D]"""
        queries = self._queries(context)
        for layer in self.decoder:
            queries = layer(queries, context)
        return queries

    def added(self, context: Tensor) -> Tensor | None:
        """Return the residual, if there is the module. [B, K + 1, D] -> [B, M, D]"""
        if self.residual is None:
            return None
        residual: Tensor = self.residual(self._queries(context), context)
        return residual

    def answer(self, context: Tensor, attended: Tensor, added: Tensor | None = None) -> Mixture:
        """Add the residual, where there is one, and run the heads.

        Args:
            context: Fused tokens. [B, K + 1, D]
            attended: What `attend` makes of them. [B, M, D]
            added: What `added` makes of them, where it is at hand. [B, M, D]

        Returns:
            The mixture in metres.
        """
        added = self.added(context) if added is None else added
        if added is not None:
            attended = attended + added
        # The goal's token is the last; the newest frame's, with its surroundings, before it.
        free = None if self.free is None else self.free(context[:, -2])
        return self._heads(self.decoder_norm(attended))._replace(free=free)

    def _queries(self, context: Tensor) -> Tensor:
        # A product keeps the batch axis of exported graphs free; the tracer fixes `zeros_like`.
        return self.query(self.anchor_code)[None] + context[:, :1] * 0.0

    def forward(self, features: Tensor, goal: Tensor, mask: Tensor) -> Mixture:
        """Run from cached features. [B, K, C, h, w], [B, 3], [B, 1]"""
        return self.decode(self.tokens(features), goal, mask)

    def _heads(self, x: Tensor) -> Mixture:
        c = self.config
        raw = self.regression(x)
        speed = F.softplus(raw[..., 0])
        shape = raw[..., 1:].unflatten(-1, (WAYPOINTS, 5))
        # Normalised waypoints count steps of the mean speed: a straight drive is 1, 2, ..., 10.
        mean = shape[..., 0:2] * (speed * WAYPOINT_DT)[..., None, None]
        log_sigma = shape[..., 2:4].clamp(c.log_sigma_low, c.log_sigma_high)
        rho = torch.tanh(shape[..., 4]) * c.rho_limit
        return Mixture(self.score(x).squeeze(-1), mean, log_sigma, rho, speed)

    def _start_along_anchors(self) -> None:
        """Let untrained modes drive straight at 1 m/s: a sane start, near the data's speed."""
        last = self.regression[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.weight.mul_(0.1)
            last.bias.zero_()
            last.bias[0] = math.log(math.e - 1.0)
            last.bias[1::5] = torch.arange(1, WAYPOINTS + 1, dtype=torch.float32)
            last.bias[3::5] = -1.0
            last.bias[4::5] = -1.0
