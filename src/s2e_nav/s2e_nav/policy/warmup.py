"""The first answer of a policy, before a robot depends on it."""

from __future__ import annotations

import time

import numpy as np

from s2e_core.contract import Observation, Policy
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_nav.errors import StartError


def warm_up(policy: Policy) -> float:
    """Let the policy answer a grey image and reset it.

    Returns:
        Seconds it took.

    Raises:
        StartError: The answer is unusable.
    """
    spec = policy.spec
    images = np.full((spec.frames, spec.height, spec.width, 3), 127, np.uint8)
    stamps = np.arange(spec.frames, dtype=np.int64) * spec.frame_period_ns
    odometry = Odometry(int(stamps[-1]), Pose2())
    started = time.perf_counter()
    poses = np.zeros((spec.frames, 3))
    seen = Observation(images, stamps, np.array([5.0, 0.0]), odometry, poses)
    output = policy.infer(seen)
    seconds = time.perf_counter() - started
    policy.reset()
    problem = output.problem()
    if problem is not None:
        raise StartError(f'policy {spec.name}: its first answer is unusable: {problem}')
    return seconds
