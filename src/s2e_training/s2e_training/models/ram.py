"""The residual-attention module: a trainable copy of the decoder beside the frozen one.

Q' = psi(Q; K, V; Theta_D) + Z_out(psi(Z_in(Q); K, V; Theta_l)) (reference, section 1.2). psi is
the whole pre-trained decoder, Theta_l a copy of it, both Z are linear layers that start at zero.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn


class ResidualAttention(nn.Module):
    """What is added to the frozen decoder's answer; zero to the last bit at the start.

    With Z_out zero only Z_out has a gradient at first. It is not zero, since psi(0) is not: the
    layers' biases and the context's values pass. That first answer is the same for all anchors;
    they part as soon as Z_in has moved.
    """

    def __init__(self, decoder: nn.ModuleList, dim: int) -> None:
        """Copy the decoder.

        Args:
            decoder: The pre-trained cross-attention layers.
            dim: Width of the tokens.
        """
        super().__init__()
        self.enter = nn.Linear(dim, dim)
        self.layers = copy.deepcopy(decoder).requires_grad_(True)
        self.leave = nn.Linear(dim, dim)
        for linear in (self.enter, self.leave):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, queries: Tensor, context: Tensor) -> Tensor:
        """Return the residual; gradients of anchors and context end here.

        Args:
            queries: Embedded anchors. [B, M, D]
            context: Fused tokens. [B, N, D]

        Returns:
            [B, M, D]
        """
        x: Tensor = self.enter(queries.detach())
        fixed = context.detach()
        for layer in self.layers:
            x = layer(x, fixed)
        return self.leave(x)
