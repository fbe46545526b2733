"""Time and memory of one image on its way through the policy node, without ROS around it.

Run: python test/benchmark/bench_frame.py

Decoding, the check for frozen and blank pictures, the policy's view, the window of images and the
model, with the classes the node uses. `new_kb` is what a stage holds at its highest beside what
was there before it, as tracemalloc counts it: Python and NumPy (OpenCV's results included), not
what ONNX Runtime keeps in its own arena. Processor time, the median of the runs, with its ratio to
a fixed small kernel timed in the same run.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kernel import product_seconds

from s2e_core.camera import CameraModel
from s2e_core.image_watch import FrozenWatch, blank
from s2e_core.navigator import Navigator
from s2e_core.pixels import rgb_from_encoded, rgb_from_raw
from s2e_core.records import CameraFrame, Odometry
from s2e_core.reprojection import Reprojector
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2
from s2e_policy.named import open_policy

RESULTS = Path(__file__).parent / 'results/bench_frame.csv'
SIZES = ((320, 240), (640, 480), (1280, 720))
KINDS = ('rgb8', 'bgr8', 'bgra8', 'yuv422', 'mono8', 'jpeg')
WARM_UP = 15
"""Images before the measured ones: the window of the policy fills."""


def messages(kind: str, width: int, height: int, count: int) -> list[tuple[Any, int]]:
    """Make the bytes of images as drivers send them, with their row steps."""
    rng, made = np.random.default_rng(0), []
    channels = {'rgb8': 3, 'bgr8': 3, 'bgra8': 4, 'yuv422': 2, 'mono8': 1}
    for _ in range(count):
        if kind == 'jpeg':
            small = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
            good, data = cv2.imencode('.jpg', cv2.resize(small, (width, height)))
            assert good
            made.append((data.tobytes(), 0))
        else:
            row = width * channels[kind]
            made.append((rng.integers(0, 256, row * height, np.uint8).tobytes(), row))
    return made


class Frame:
    """Takes images through the stages and keeps what each costs."""

    def __init__(self, kind: str, width: int, height: int, robot: str) -> None:
        profile = load_robot(robot)
        policy = open_policy('s2e-small').policy
        camera = CameraModel.from_fov(width, height, profile.camera.hfov)
        mounts = policy.spec.mounts(profile.camera.mount())
        self._kind, self._size = kind, (height, width)
        self._spare: np.ndarray | None = None
        self._reproject = Reprojector(camera, policy.spec.camera, mounts, policy.spec.unseen)
        self._navigator, self._frozen = Navigator(policy), FrozenWatch()
        self._navigator.set_goal((10.0, 1.0))
        self.cost: dict[str, list[float]] = {}
        self.count = 0

    def measure(self, name: str, call: Callable[[], Any], memory: bool) -> Any:
        """Run a stage; note its time, or its memory."""
        if memory:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            result = call()
            cost = (tracemalloc.get_traced_memory()[1] - before) / 1024.0
        else:
            begin = time.process_time()
            result = call()
            cost = 1e3 * (time.process_time() - begin)
        if self.count > WARM_UP:
            self.cost.setdefault(name, []).append(cost)
        return result

    def take(self, data: Any, step: int, memory: bool) -> None:
        """Take one image through every stage."""
        self.count += 1
        stamp = self.count * 200_000_000
        odometry = Odometry(stamp, Pose2(0.1 * self.count, 0.0, 0.0))
        self.measure('frozen', lambda: self._frozen.add(
            np.frombuffer(data, np.uint8), odometry.pose), memory)
        if self._kind == 'jpeg':
            rgb = self.measure('decode', lambda: rgb_from_encoded(data), memory)
        else:
            rgb = self.measure('decode', lambda: rgb_from_raw(
                data, *self._size, step, self._kind, self._spare), memory)
            self._spare = rgb if rgb.flags.owndata else None
        seen = self.measure('view', lambda: self._reproject(rgb), memory)
        self.measure('blank', lambda: blank(seen), memory)
        frame = CameraFrame(stamp, seen)
        self.measure('policy', lambda: self._navigator.step(frame, odometry), memory)


def row(kind: str, width: int, height: int, robot: str, runs: int) -> dict[str, object]:
    """Measure one kind of image."""
    made = messages(kind, width, height, 8)
    found: dict[str, object] = {'encoding': kind, 'width': width, 'height': height,
                                'robot': robot}
    for memory in (False, True):
        frame = Frame(kind, width, height, robot)
        if memory:
            tracemalloc.start()
        for i in range(runs + WARM_UP):
            frame.take(*made[i % len(made)], memory)
        if memory:
            tracemalloc.stop()
        unit = 'new_kb' if memory else 'ms'
        medians = {name: float(np.median(cost)) for name, cost in frame.cost.items()}
        found |= {f'{name}_{unit}': round(value, 3) for name, value in medians.items()}
        if not memory:
            found['before_policy_ms'] = round(sum(medians.values()) - medians['policy'], 3)
    return found


def main() -> None:
    """Measure every size and encoding and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--runs', type=int, default=60)
    parser.add_argument('--robot', default='turtlebot4')
    parser.add_argument('--out', type=Path, default=RESULTS)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    kernel = product_seconds()
    rows = []
    for width, height in SIZES:
        for kind in KINDS:
            rows.append(row(kind, width, height, args.robot, args.runs) | {
                'kernel_ms': round(1e3 * kernel, 3), 'load': round(os.getloadavg()[0], 1)})
            print(rows[-1], flush=True)
    args.out.parent.mkdir(exist_ok=True)
    with args.out.open('w', newline='', encoding='utf-8') as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
