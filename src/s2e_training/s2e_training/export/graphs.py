"""The two forms of the network that are exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from s2e_training.models.free_space import answers
from s2e_training.models.policy import Mixture, S2EModel


class WindowGraph(nn.Module):
    """All frames of the window at once."""

    def __init__(self, model: S2EModel) -> None:
        """Wrap the network."""
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, goal: Tensor, goal_mask: Tensor) -> tuple[Tensor, ...]:
        """Answer a window.

        Args:
            images: RGB in [0, 1], oldest first. [B, K, 3, H, W]
            goal: Encoded goals. [B, 3]
            goal_mask: One where the goal is present. [B, 1]

        Returns:
            Trajectories [B, M, T, 2], scores [B, M], sigmas [B, M, T, 2], rho [B, M, T];
            with the head also free distances and confidences, [B, 48] each.
        """
        frames = self.model.config.frames
        features = self.model.encoder(images.flatten(0, 1))
        tokens = self.model.token(features).unflatten(0, (-1, frames))
        return _answers(self.model.decode(tokens, goal, goal_mask))


class StreamingGraph(nn.Module):
    """The newest frame, and the tokens of the frames before it."""

    def __init__(self, model: S2EModel) -> None:
        """Wrap the network."""
        super().__init__()
        self.model = model

    def forward(
        self, image: Tensor, cache: Tensor, goal: Tensor, goal_mask: Tensor
    ) -> tuple[Tensor, ...]:
        """Answer as the window graph does. [B, 3, H, W], [B, K - 1, D]; the last is the cache."""
        token = self.model.token(self.model.encoder(image))[:, None]
        tokens = torch.cat([cache, token], dim=1)
        return (*_answers(self.model.decode(tokens, goal, goal_mask)), tokens[:, 1:])


def _answers(mixture: Mixture) -> tuple[Tensor, ...]:
    result = (
        mixture.mean, torch.softmax(mixture.logits, dim=-1), torch.exp(mixture.log_sigma),
        mixture.rho,
    )
    return result if mixture.free is None else (*result, *answers(mixture.free))
