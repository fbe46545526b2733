"""Where the time of an image goes."""

from __future__ import annotations

import numpy as np

from s2e_core.camera import SMALL_CAMERA
from s2e_core.records import CameraFrame, Odometry
from s2e_core.se2 import Pose2
from s2e_nav.gate.latency import REMEMBERED, CommandLatency
from s2e_nav.policy.intake import Intake
from s2e_nav.runtime.stages import StageTimes


def test_percentiles_by_hand() -> None:
    """1 to 100 ms: the median lies between 50 and 51, the 95th at 1 + 0.95 x 99 = 95.05."""
    times = StageTimes()
    for value in range(1, 101):
        times.add({'infer': value * 1e-3, 'publish': 1e-3})
    facts = times.facts(0.0)
    assert (facts['infer_p50_ms'], facts['infer_p95_ms']) == ('50.5', '95.0')
    # The sum is of each image, 1 ms more.
    assert (facts['latency_p50_ms'], facts['publish_p99_ms']) == ('51.5', '1.0')


def test_the_gate_times_the_command_from_the_image_by_hand() -> None:
    """Seen at 1000 ms; its plan comes at 1030, the first command made of it leaves at 1034."""
    latency, ms = CommandLatency(), 1_000_000
    latency.camera(5, 1000 * ms)
    latency.plan(5, 1030 * ms)
    # The gate decides again before the follower has answered: that command is of the plan before.
    latency.sent(1031 * ms)
    assert latency.facts(0) == {}
    latency.command()
    latency.sent(1034 * ms)
    # What follows is of the same plan, and no longer the first.
    latency.command()
    latency.sent(1084 * ms)
    facts = latency.facts(0)
    assert (facts['image_to_plan_p50_ms'], facts['plan_to_command_p50_ms']) == ('30.0', '4.0')
    assert (facts['latency_p50_ms'], facts['latency_p99_ms']) == ('34.0', '34.0')


def test_a_plan_of_an_image_that_nobody_saw_is_not_timed() -> None:
    latency = CommandLatency()
    for stamp in range(REMEMBERED + 1):
        latency.camera(stamp, stamp)
    for stamp in (0, 9999):
        latency.plan(stamp, 50)
        latency.command()
        latency.sent(60)
    assert latency.facts(0) == {}


def test_only_the_newest_count_and_only_once_a_second() -> None:
    times = StageTimes(size=2)
    assert times.facts(0.0) == {}
    for value in (9.0, 1.0, 2.0):
        times.add({'decode': value})
    assert times.facts(5.0)['decode_p50_ms'] == '1500.0'
    times.add({'decode': 3.0})
    assert times.facts(5.9)['decode_p50_ms'] == '1500.0'
    assert times.facts(6.0)['decode_p50_ms'] == '2500.0'


def test_an_image_brings_its_stages() -> None:
    intake = Intake(SMALL_CAMERA, lockstep=False)
    intake.set_camera(SMALL_CAMERA)
    intake.add_odometry(Odometry(1, Pose2(0.0, 0.0, 0.0)))
    intake.offer(1, lambda: CameraFrame(1, np.zeros((128, 128, 3), np.uint8)))
    sample = intake.take(1.0)
    assert sample is not None
    assert list(sample.timing) == ['wait', 'decode', 'preprocess']
    assert all(0.0 <= value < 10.0 for value in sample.timing.values())
