"""The policy's memory of images: K frames, one frame period apart."""

from __future__ import annotations

from collections import deque

import numpy as np

from s2e_core.contract import Observation, PolicySpec
from s2e_core.errors import ContractError
from s2e_core.records import CameraFrame, Odometry

MAX_GAP_NS = 1_000_000_000
"""Images further apart belong to different drives: 1 s is five policy periods. For policies that
look less often it is two of their frame periods."""


class ObservationHistory:
    """Keeps the newest images and lays them out oldest first.

    Cameras run faster than the policy, so each slot takes the image nearest to its due time
    ``newest - i * period``. Before the window is full the oldest image is repeated.
    """

    def __init__(self, spec: PolicySpec) -> None:
        """Start empty.

        Args:
            spec: Gives image size, number of frames and the time between them.
        """
        self._spec = spec
        self._period = spec.frame_period_ns
        self._gap = max(MAX_GAP_NS, 2 * self._period)
        # A 60 Hz camera fills 12 images a period; older ones are dropped by time, not by count.
        self._frames: deque[tuple[CameraFrame, Odometry | None]] = deque()

    def __len__(self) -> int:
        """Count the images held."""
        return len(self._frames)

    def clear(self) -> None:
        """Forget every image."""
        self._frames.clear()

    def add(self, frame: CameraFrame, odometry: Odometry | None = None) -> bool:
        """Take an image that already has the policy camera's view.

        Args:
            frame: The newest image.
            odometry: Where it was taken, for policies that look at their own past way.

        Returns:
            Whether the window began anew, because the image came more than a second (or two
            frame periods) after the last one or before it.

        Raises:
            ContractError: The image has another size than the policy's camera.
        """
        expected = (self._spec.height, self._spec.width, 3)
        if frame.rgb.shape != expected:
            raise ContractError(f'history: images must be {expected}, got {frame.rgb.shape}')
        restarted = not self._frames
        if self._frames:
            step = frame.stamp_ns - self._frames[-1][0].stamp_ns
            if step <= 0 or step > self._gap:
                self._frames.clear()
                restarted = True
        self._frames.append((frame, odometry))
        # Half a period of slack keeps the image that is nearest to the oldest slot.
        horizon = frame.stamp_ns - self._period * self._spec.frames - self._period // 2
        while self._frames[0][0].stamp_ns < horizon:
            self._frames.popleft()
        return restarted

    def observation(self, goal: np.ndarray | None, odometry: Odometry) -> Observation:
        """Lay the window out for the policy.

        Args:
            goal: Goal in base_link at the newest image, metres, or None. [2]
            odometry: Odometry at the newest image.

        Raises:
            ContractError: No image has come yet.
        """
        if not self._frames:
            raise ContractError('history: no image yet')
        stamps = np.array([frame.stamp_ns for frame, _ in self._frames], np.int64)
        due = stamps[-1] - self._period * np.arange(self._spec.frames - 1, -1, -1, dtype=np.int64)
        nearest = np.abs(stamps[None, :] - due[:, None]).argmin(axis=1)
        images = np.stack([self._frames[i][0].rgb for i in nearest])
        return Observation(images, stamps[nearest], goal, odometry, self._poses(nearest))

    def _poses(self, indices: np.ndarray) -> np.ndarray | None:
        """Poses of some frames, or None if that of one is not known. [K, 3]"""
        poses = [None if known is None else known.pose for _, known in self._frames]
        picked = [poses[i] for i in indices]
        if any(pose is None for pose in picked):
            return None
        return np.array([[pose.x, pose.y, pose.yaw] for pose in picked if pose is not None])
