"""Hold mode `fast` of the CPU renderer against mode `exact` along a scene's longest route.

Example:
    python test/benchmark/bench_fast.py --scene city:100 --size 128x128 --views 200
    python test/benchmark/bench_fast.py --bundle s2e-small

Views lie on the route at robot height, turned at random by up to 35 degrees. Printed and stored
are the worst and the mean PSNR, the share of pixels whose depth is within 2 %, and with --bundle
how far the end of the policy's best trajectory moves when it sees the one or the other. Beside it
stands how far it moves between two pictures of mode `exact` of which one has each value up or down
by one grey level at random: what no two renderers, nor two cameras, can keep apart.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_render import GARDEN

from navbench_gs.render import Frame, RenderCamera, make_renderer
from navbench_gs.scenes.resolve import resolve_scene
from navbench_gs.scenes.survey import survey
from navbench_gs.splats import GaussianCloud
from s2e_core.contract import POLICY_PERIOD_NS, Observation
from s2e_core.paths import find_model
from s2e_core.records import Odometry
from s2e_core.se2 import Pose2
from s2e_policy.bundle import load_bundle
from s2e_policy.runtime import OnnxPolicy

RESULTS = Path(__file__).parent / 'results/bench_fast.csv'
HEIGHT = 0.6
"""Of the camera above the floor, metres."""
GOAL = np.array([8.0, 0.0])
"""Goal given to the policy, base_link, metres."""
SHIFTS = ('median_m', 'max_m', 'over_5cm')


def route_cameras(
    scene: str, size: tuple[int, int], views: int, length: float = np.inf
) -> tuple[GaussianCloud, list[RenderCamera]]:
    """Return the scene's cloud and cameras of 80 degrees along its longest route.

    Args:
        scene: `city:SEED`, a bundle or a capture.
        size: Width and height, pixels.
        views: How many.
        length: Metres of the route that they cover.
    """
    bundle = resolve_scene(scene)
    route = survey(bundle).route
    steps = np.linalg.norm(np.diff(route, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0.0, min(length, along[-1] - 0.5), views)
    points = np.stack([np.interp(at, along, route[:, axis]) for axis in range(2)], axis=1)
    ahead = np.stack([np.interp(at + 0.5, along, route[:, axis]) for axis in range(2)], axis=1)
    turns = np.random.default_rng(0).uniform(-0.6, 0.6, views)
    yaws = np.arctan2(*(ahead - points).T[::-1]) + turns
    floors = bundle.collision.floor(points)
    cameras = []
    for point, floor, yaw in zip(points, floors, yaws, strict=True):
        forward = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
        pose[:3, 3] = [*point, floor + HEIGHT]
        cameras.append(RenderCamera.from_fov(*size, np.radians(80.0), pose))
    return bundle.cloud(), cameras


def decibels(one: Frame, other: Frame) -> float:
    """Return the peak signal-to-noise ratio of two pictures, dB."""
    error = np.mean((one.rgb.astype(np.float64) - other.rgb) ** 2)
    return float(10.0 * np.log10(255.0**2 / max(error, 1e-9)))


def same_depth(exact: Frame, fast: Frame) -> float:
    """Return the share of pixels whose depths differ by at most 2 %, or are infinite in both."""
    with np.errstate(invalid='ignore'):
        close = np.abs(exact.depth - fast.depth) <= 0.02 * exact.depth
    return float((close | (np.isinf(exact.depth) & np.isinf(fast.depth))).mean())


def end_points(bundle_name: str, frames: list[Frame]) -> np.ndarray:
    """Return where the best trajectory ends when a policy stands before each view, `[V, 2]`."""
    policy = OnnxPolicy(load_bundle(find_model(bundle_name)))
    count = policy.spec.frames
    ends = []
    for index, frame in enumerate(frames):
        policy.reset()
        stamps = (np.arange(count) + index * count) * POLICY_PERIOD_NS
        images = np.repeat(frame.rgb[None], count, axis=0)
        odometry = Odometry(int(stamps[-1]), Pose2(0.0, 0.0, 0.0))
        output = policy.infer(Observation(images, stamps, GOAL, odometry))
        ends.append(output.modes[int(np.argmax(output.scores)), -1])
    return np.array(ends)


def grainy(frame: Frame, rng: np.random.Generator) -> Frame:
    """Return a frame with -1, 0 or 1 added to each value: 49.9 dB."""
    grain = rng.integers(-1, 2, frame.rgb.shape)
    return replace(frame, rgb=np.clip(frame.rgb + grain, 0, 255).astype(np.uint8))


def shifts(bundle: str, ones: list[Frame], others: list[Frame]) -> dict[str, object]:
    """Return how far the policy's end point moves between pictures of the same views, metres."""
    moved = np.linalg.norm(end_points(bundle, ones) - end_points(bundle, others), axis=1)
    return {
        'median_m': round(float(np.median(moved)), 4), 'max_m': round(float(moved.max()), 4),
        'over_5cm': int((moved > 0.05).sum()),
    }


def main() -> None:
    """Render, compare, print and store one row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', default=str(GARDEN), help='city:SEED, a bundle or a capture')
    parser.add_argument('--size', default='128x128', help='WxH')
    parser.add_argument('--views', type=int, default=200)
    parser.add_argument('--bundle', help='policy whose answers are compared; 128x128 only')
    parser.add_argument('--cache', type=Path, help='folder that keeps surveys')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, appended to')
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split('x'))
    cloud, cameras = route_cameras(arguments.scene, (width, height), arguments.views)
    exact = make_renderer(cloud)
    fast = make_renderer(cloud, mode='fast', cache=arguments.cache)
    pairs = [(exact.render(camera), fast.render(camera)) for camera in cameras]
    signal = np.array([decibels(*pair) for pair in pairs])
    depth = np.array([same_depth(*pair) for pair in pairs])
    row: dict[str, object] = {
        'scene': Path(arguments.scene).name,
        'width': width,
        'height': height,
        'views': len(pairs),
        'psnr_min_db': round(float(signal.min()), 2),
        'psnr_5th_db': round(float(np.percentile(signal, 5)), 2),
        'psnr_mean_db': round(float(signal.mean()), 2),
        'depth_within_2pc_min': round(float(depth.min()), 4),
        'depth_within_2pc_mean': round(float(depth.mean()), 4),
        'bundle': arguments.bundle or '',
        **{f'{kind}_shift_{what}': '' for kind in ('end', 'grain') for what in SHIFTS},
    }
    if arguments.bundle:
        rng = np.random.default_rng(0)
        plain, quick = [one for one, _ in pairs], [other for _, other in pairs]
        others = {'end': quick, 'grain': [grainy(frame, rng) for frame in plain]}
        for kind, frames in others.items():
            moved = shifts(arguments.bundle, plain, frames)
            row |= {f'{kind}_shift_{what}': value for what, value in moved.items()}
    print(row)
    new = not arguments.out.exists()
    with arguments.out.open('a', newline='') as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == '__main__':
    main()
