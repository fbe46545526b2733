"""Which mode most of a mixture speaks for, rather than which one has the highest score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from s2e_core.contract import PolicyOutput, PolicySpec

_LEAST = 1e-6
"""Added to scores before their logarithm: who was at zero once may come back within a second."""


def votes(
    modes: NDArray[np.floating], scores: NDArray[np.floating], width: float
) -> NDArray[np.float64]:
    """Return how much of a mixture lies around each of its modes.

    q'_m = sum_k q_k exp(-d_mk^2 / 2 w^2), with d the RMS distance of waypoints: a kernel density
    (Parzen, 1962) at the modes. With many modes a way is shared by several that differ by
    centimetres, and a lone one beats each of them though together they weigh more; motion
    forecasting suppresses neighbours for this reason (Shi et al., 2022, "MTR", section 3.3). No
    mode is moved: the mean of left and right is the obstacle between them.

    Args:
        modes: Waypoints, metres. [M, T, 2]
        scores: q, not negative. [M]
        width: w, metres; with 0 the scores remain.

    Returns:
        [M], summing to one; all zero where the scores are.
    """
    shares: NDArray[np.float64] = np.asarray(scores, np.float64)
    if width > 0.0:
        flat = np.asarray(modes, np.float64).reshape(len(modes), -1)
        square = np.square(flat[:, None] - flat[None]).sum(axis=2) / modes.shape[1]
        # The square of a width of 1e-200 m is zero.
        shares = np.exp(-0.5 * square / max(width**2, 1e-12)) @ shares
    total = shares.sum()
    return shares / total if total > 0.0 else shares


class ModeVote:
    """Votes of one answer after another, remembered for a moment.

    l_t = b l_(t-1) + (1 - b) log q'_t: a mode that is best once only does not turn the robot.
    Modes belong to base_link, which moves on by 0.3 m between answers, so b stays small.
    """

    def __init__(self, spec: PolicySpec) -> None:
        """Take width and memory from what the policy says of itself."""
        self._width, self._memory = spec.vote, spec.memory
        self._log: NDArray[np.float64] | None = None

    def reset(self) -> None:
        """Forget the answers so far."""
        self._log = None

    def __call__(self, output: PolicyOutput) -> PolicyOutput:
        """Return an answer with the scores by which to choose.

        Args:
            output: The policy's answer.

        Returns:
            The answer itself where the policy asks for neither votes nor memory, or where nobody
            may use it.
        """
        wanted = self._width > 0.0 or self._memory > 0.0
        if not wanted or output.problem() is not None:
            return output
        new = votes(output.modes, output.scores, self._width)
        if self._memory > 0.0:
            log = np.log(new + _LEAST)
            if self._log is not None and self._log.shape == log.shape:
                log = self._memory * self._log + (1.0 - self._memory) * log
            self._log = log
            new = np.exp(log - log.max())
            new /= new.sum()
        return replace(output, scores=new.astype(np.float32))
