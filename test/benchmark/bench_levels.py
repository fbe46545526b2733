"""Mode `coarse` beside `exact`: CPU time a picture with depth, likeness, and the time to prepare.

Run: python test/benchmark/bench_levels.py
     python test/benchmark/bench_levels.py --scenes city:1001 --views 24

Views lie along routes through generated scenes, 0.6 m high, 128x128, one thread, in alternating
order. `psnr` is of the colours against `exact`, `depth` the share of pixels nearer than 20 m whose
depth is within 2 %.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from bench_fast import route_cameras
from kernel import kernel_seconds

from navbench_gs.render import Frame, RenderCamera, Renderer, make_renderer

RESULTS = Path(__file__).parent / 'results/bench_levels.csv'


def timed(renderer: Renderer, camera: RenderCamera) -> tuple[Frame, float]:
    """Return a picture and the least CPU time of five, milliseconds."""
    times = []
    for _ in range(5):
        begin = time.process_time()
        frame = renderer.render(camera)
        times.append(time.process_time() - begin)
    return frame, 1e3 * min(times)


def measure(scene: str, size: int, views: int) -> dict[str, object]:
    """Compare the modes in one scene."""
    cloud, cameras = route_cameras(scene, (size, size), views)
    begin = time.process_time()
    coarse = make_renderer(cloud, mode='coarse', threads=1)
    prepared = time.process_time() - begin
    exact = make_renderer(cloud, threads=1)
    times, likeness, depths = [], [], []
    for camera in cameras:
        one, slow = timed(exact, camera)
        other, quick = timed(coarse, camera)
        times.append((slow, quick))
        error = float(np.mean((one.rgb.astype(float) - other.rgb) ** 2))
        likeness.append(10.0 * np.log10(255.0**2 / max(error, 1e-9)))
        near = (one.alpha > 0.5) & (one.depth < 20.0)
        off = np.abs(other.depth - one.depth)[near] < 0.02 * one.depth[near]
        depths.append(float(off.mean()))
    slow, quick = np.array(times).T
    return {
        'scene': scene, 'gaussians': len(cloud), 'size': size, 'views': views,
        'exact_cpu_ms': round(float(slow.mean()), 2),
        'coarse_cpu_ms': round(float(quick.mean()), 2),
        'ratio_median': round(float(np.median(quick / slow)), 2),
        'psnr_worst': round(float(min(likeness)), 1),
        'psnr_mean': round(float(np.mean(likeness)), 1),
        'depth': round(float(np.mean(depths)), 3), 'prepare_s': round(prepared, 1),
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scenes', nargs='+', default=['city:1001', 'city:1003', 'city:5003'])
    parser.add_argument('--size', type=int, default=128)
    parser.add_argument('--views', type=int, default=24)
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    args = parser.parse_args()
    kernel, rows = 1e3 * kernel_seconds(), []
    for scene in args.scenes:
        rows.append({**measure(scene, args.size, args.views), 'kernel_cpu_ms': round(kernel, 1)})
        print(rows[-1], flush=True)
    with args.out.open('w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
