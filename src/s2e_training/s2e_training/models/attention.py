"""Transformer layers, written out so that every exporter gives the same plain graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention of queries over a context."""

    def __init__(self, dim: int, heads: int) -> None:
        """Make the layer."""
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)
        self.scale = (dim // heads) ** -0.5

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Attend.

        Args:
            x: Queries. [B, Q, D]
            context: Keys and values. [B, N, D]

        Returns:
            [B, Q, D]
        """
        q = self._split(self.query(x)) * self.scale
        k, v = self._split(self.key(context)), self._split(self.value(context))
        weights = torch.softmax(q @ k.transpose(-1, -2), dim=-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class TransformerLayer(nn.Module):
    """Pre-norm attention and feed-forward; over itself, or over a context when one is given."""

    def __init__(self, dim: int, heads: int, feed_forward: int, dropout: float) -> None:
        """Make the layer."""
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm_feed_forward = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, feed_forward), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(feed_forward, dim),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Apply the layer. x [B, Q, D], context [B, N, D] -> [B, Q, D]"""
        y = self.norm_attention(x)
        x = x + self.dropout(self.attention(y, y if context is None else context))
        return x + self.dropout(self.feed_forward(self.norm_feed_forward(x)))
