"""What each robot's newest frames left, as the policy's window would hold them."""

from __future__ import annotations

import torch
from torch import Tensor


class FrameHistory:
    """K frames for each of E robots, oldest first, one policy period apart.

    As in `s2e_core.history.ObservationHistory`: before the window is full its first frame is
    repeated. A frame is what `Actor.perceive` keeps of it.
    """

    def __init__(self, frames: int) -> None:
        """Start empty.

        Args:
            frames: K.
        """
        self._frames = frames
        self._kept: Tensor | None = None

    def begin(self, newest: Tensor) -> None:
        """Begin new windows everywhere. [E, ...]"""
        self._kept = torch.stack([newest] * self._frames, dim=1)

    def push(self, newest: Tensor, fresh: Tensor) -> None:
        """Take the newest frames.

        Args:
            newest: [E, ...]
            fresh: Where a new episode begins. [E] bool
        """
        self._kept = self.following(newest)
        self._kept[fresh] = newest[fresh][:, None]

    def following(self, newest: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the windows that newest frames would give, or some robots' only.

        Args:
            newest: [R, ...]
            rows: Whose they are; everybody's by default. [R]

        Returns:
            [R, K, ...]
        """
        kept = self.windows if rows is None else self.windows[rows]
        return torch.cat([kept[:, 1:], newest[:, None]], dim=1)

    @property
    def windows(self) -> Tensor:
        """The windows. [E, K, ...]"""
        assert self._kept is not None, 'begin() comes first'
        return self._kept
