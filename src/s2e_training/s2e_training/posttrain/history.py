"""Features of each robot's newest frames, as the policy's window would hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class FeatureHistory:
    """K feature maps for each of E robots, oldest first, one policy period apart.

    As in `s2e_core.history.ObservationHistory`: before the window is full its first frame is
    repeated. Features are half precision, as those that pre-training reads.
    """

    def __init__(self, frames: int) -> None:
        """Start empty.

        Args:
            frames: K.
        """
        self._frames = frames
        self._maps: NDArray[np.float16] | None = None

    def begin(self, features: NDArray[np.float16]) -> None:
        """Begin new windows everywhere. [E, C, h, w]"""
        self._maps = np.repeat(features[:, None], self._frames, axis=1)

    def push(self, features: NDArray[np.float16], fresh: NDArray[np.bool_]) -> None:
        """Take the newest frames.

        Args:
            features: [E, C, h, w]
            fresh: Where a new episode begins. [E]
        """
        self._maps = self.following(features)
        self._maps[fresh] = features[fresh][:, None]

    def following(self, features: NDArray[np.float16]) -> NDArray[np.float16]:
        """Return the windows that newest frames would give. [E, K, C, h, w]"""
        maps = self.windows
        return np.concatenate([maps[:, 1:], features[:, None]], axis=1)

    @property
    def windows(self) -> NDArray[np.float16]:
        """The windows. [E, K, C, h, w]"""
        assert self._maps is not None, 'begin() comes first'
        return self._maps
