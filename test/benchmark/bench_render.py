"""Time the renderers: prepare, first frame, frames along a path; results as CSV.

Example:
    python test/benchmark/bench_render.py --sizes 128x128,256x256,640x480 --batches 1,8
    python test/benchmark/bench_render.py --scene capture.sog --modes fast --threads 2
    python test/benchmark/bench_render.py --scene street:100000 --scene street:5000000 --out g.csv

Times are per picture. Mode `fast` is timed after its survey, whose time stands beside. Wall time
and CPU time (all threads) are given, the latter also as a ratio to a fixed small kernel timed in
the same run, so that runs on different days, busy or not, compare.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import time
from pathlib import Path
from typing import cast

import numba
import numpy as np
from street import make_street

from navbench_gs.errors import NavBenchError
from navbench_gs.render import RenderCamera, View, make_renderer
from navbench_gs.render.cells.renderer import CellRenderer
from navbench_gs.render.factory import Mode
from navbench_gs.splats import GaussianCloud, find_environment, load

RESULTS = Path(__file__).parent / 'results/bench_render.csv'
DATA = Path(os.environ.get('S2E_DATA', Path(__file__).resolve().parents[3] / 'shared/data'))
GARDEN = DATA / 'splats/scenes/headquarter_garden'
KERNEL_SIZE = 1 << 20


@numba.njit(fastmath=True)
def _kernel(values: np.ndarray, out: np.ndarray) -> None:
    for i in range(values.size):
        x = values[i]
        out[i] = x * (1.0 + x * (0.5 + x * (0.25 + x * 0.125))) / (1.0 + x * x)


def time_kernel(repeats: int = 31) -> float:
    """Return the median CPU time of a polynomial over 2^20 float32, milliseconds, one thread."""
    values = np.linspace(0.0, 1.0, KERNEL_SIZE, dtype=np.float32)
    out = np.empty_like(values)
    _kernel(values, out)
    times = []
    for _ in range(repeats):
        start = time.process_time()
        _kernel(values, out)
        times.append(time.process_time() - start)
    return 1e3 * float(np.median(times))


def load_scene(name: str) -> tuple[GaussianCloud, np.ndarray, np.ndarray]:
    """Return a cloud (sky included) and the first and last point of a straight path, metres."""
    if name.startswith('street:'):
        cloud = make_street(int(name.partition(':')[2]))
        return cloud, np.array([-30.0, 0.0, 0.6]), np.array([-10.0, 1.0, 0.6])
    cloud = load(name)
    sky = find_environment(Path(name))
    if 'headquarter_garden' in name:
        path = np.array([3.0, 8.0]), np.array([3.0, -7.0])
    else:
        middle = np.median(cloud.means[:, :2], axis=0)
        path = middle, middle + [0.0, -5.0]
    ends = []
    for point in path:
        near = np.abs(cloud.means[:, :2] - point).max(axis=1) < 1.0
        floor = np.percentile(cloud.means[near, 2], 5) if near.any() else cloud.means[:, 2].min()
        ends.append(np.array([*point, floor + 1.2]))
    if sky is not None:
        cloud = GaussianCloud.concatenate([cloud, load(name, environment=True)])
    return cloud, ends[0], ends[1]


def path_cameras(
    start: np.ndarray, end: np.ndarray, width: int, height: int, frames: int
) -> list[RenderCamera]:
    """Return cameras of 80 degrees that move along a segment and look ahead, 3 degrees down."""
    ahead = (end - start) / np.linalg.norm(end - start)
    ahead = ahead + [0.0, 0.0, -0.05]
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    cameras = []
    for fraction in np.linspace(0.0, 1.0, frames):
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead], axis=1)
        pose[:3, 3] = start + fraction * (end - start)
        cameras.append(RenderCamera.from_fov(width, height, np.radians(80.0), pose))
    return cameras


def measure(
    arguments: argparse.Namespace, scene: str, mode: Mode, size: tuple[int, int],
    threads: int, batch: int,
) -> dict[str, object]:
    """Time one scene, mode, size, thread count and number of views a call."""
    cloud, start, end = arguments.clouds[scene]
    kernel = time_kernel()
    begun = time.perf_counter()
    renderer = make_renderer(cloud, mode=mode, backend=arguments.backend, threads=threads)
    prepared = time.perf_counter()
    cameras = path_cameras(start, end, *size, arguments.frames)
    surveyed = 0.0
    if isinstance(renderer, CellRenderer):
        renderer.survey(cameras)
        surveyed = time.perf_counter() - prepared
    views = [View(camera) for camera in cameras]
    groups = [views[first : first + batch] for first in range(0, len(views), batch)]
    first = time.perf_counter()
    renderer.render_many(groups[0])
    first = time.perf_counter() - first
    for group in groups:
        renderer.render_many(group)
    times, busy = [], []
    for group in groups * arguments.rounds:
        before, before_cpu = time.perf_counter(), time.process_time()
        renderer.render_many(group)
        times.append(1e3 * (time.perf_counter() - before) / len(group))
        busy.append(1e3 * (time.process_time() - before_cpu) / len(group))
    return {
        'scene': Path(scene).name,
        'gaussians': len(cloud),
        'backend': arguments.backend,
        'mode': mode,
        'width': size[0],
        'height': size[1],
        'threads': threads,
        'batch': batch,
        'pictures': arguments.rounds * len(views),
        'prepare_ms': round(1e3 * (prepared - begun), 1),
        'survey_ms': round(1e3 * surveyed, 1),
        'first_call_ms': round(1e3 * first, 1),
        'median_ms': round(float(np.median(times)), 2),
        'p95_ms': round(float(np.percentile(times, 95)), 2),
        'median_cpu_ms': round(float(np.median(busy)), 2),
        'kernel_cpu_ms': round(kernel, 4),
        'cpu_over_kernel': round(float(np.median(busy)) / kernel, 2),
        'cpu': platform.processor() or platform.machine(),
        'cores': os.cpu_count(),
    }


def main() -> int:
    """Parse the command line, measure, print and write the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--scene',
        action='append',
        help='street:COUNT or a splat path, repeatable; default: a street and headquarter_garden',
    )
    parser.add_argument('--sizes', default='128x128,320x240,640x480', help='WxH, comma separated')
    parser.add_argument('--modes', default='exact,fast', help='modes, comma separated')
    parser.add_argument('--threads', default='1,2', help='thread counts, comma separated')
    parser.add_argument('--batches', default='1', help='views a call, comma separated')
    parser.add_argument('--frames', type=int, default=16, help='views along the path')
    parser.add_argument('--rounds', type=int, default=3, help='times along the path')
    parser.add_argument('--backend', default='cpu', choices=['cpu', 'reference', 'cuda'])
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    sizes = [tuple(map(int, size.split('x'))) for size in arguments.sizes.split(',')]
    scenes = arguments.scene or ['street:300000', *([str(GARDEN)] if GARDEN.exists() else [])]
    try:
        arguments.clouds = {scene: load_scene(scene) for scene in scenes}
    except NavBenchError as error:
        print(f'bench_render: {error}', file=sys.stderr)
        return 2
    rows = [
        measure(arguments, scene, cast('Mode', mode), size, threads, batch)
        for scene in scenes
        for mode in arguments.modes.split(',')
        for size in sizes
        for threads in map(int, arguments.threads.split(','))
        for batch in map(int, arguments.batches.split(','))
    ]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open('w', newline='') as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(', '.join(f'{key} {value}' for key, value in row.items() if key != 'cpu'))
    print(f'written to {arguments.out}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
