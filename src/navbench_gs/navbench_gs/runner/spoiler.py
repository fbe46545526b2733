"""Images on their way to the policy: some are lost, some are spoiled."""

from __future__ import annotations

import numpy as np

from navbench_gs.runner.conditions import Conditions
from navbench_gs.sensors.jitter import Light
from navbench_gs.tasks.spec import EpisodeSpec
from s2e_core.records import CameraFrame


class Spoiler:
    """Loses and spoils the images of one episode; the same ones in each run."""

    def __init__(self, conditions: Conditions, spec: EpisodeSpec) -> None:
        """Prepare.

        Args:
            conditions: What goes wrong.
            spec: The episode, for its seed.
        """
        self._drop = conditions.frame_drop
        self._rng = np.random.default_rng(np.random.SeedSequence([spec.seed, 0xD209]))
        levels = np.arange(256, dtype=np.float64)[:, None] * 2.0**conditions.exposure
        table = np.repeat(np.minimum(levels, 255.0), 3, axis=1).astype(np.float32)
        spoils = bool(conditions.exposure or conditions.blur)
        self._light = Light(table, conditions.blur, 0.0) if spoils else None

    def __call__(self, frame: CameraFrame) -> CameraFrame | None:
        """Return what arrives of an image, None if it is lost."""
        if self._drop and self._rng.random() < self._drop:
            return None
        if self._light is None:
            return frame
        return CameraFrame(frame.stamp_ns, self._light(frame.rgb, self._rng))
