"""How few gaussians carry a picture: keep what weighs most from the camera's very own point.

Example:
    python test/benchmark/bench_visible.py --size 128x128 --views 12

Mode `fast` draws the union of what shows from four points around the camera. This asks what the
best such set could be: each view is surveyed from its own point, and only what weighs more than a
limit there is drawn. Stored per limit: gaussians in the picture, PSNR against `exact` (worst and
mean), CPU time of drawing, and that time per gaussian. It bounds what smaller cells, sharper
surveys or a better order of dropping can win.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from bench_fast import decibels, route_cameras
from bench_render import GARDEN, time_kernel

from navbench_gs.render.cells.survey import visible_from
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import prepare, take

RESULTS = Path(__file__).parent / 'results/bench_visible.csv'
RESOLUTION = 192
"""Pixels along an edge of a survey's faces: that of mode `fast` for pictures of 128x128."""
NEAR = 0.05


def main() -> None:
    """Survey, draw, print and store one row per limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', default=str(GARDEN), help='city:SEED, a bundle or a capture')
    parser.add_argument('--size', default='128x128', help='WxH')
    parser.add_argument('--views', type=int, default=12)
    parser.add_argument('--limits', default='0.003,0.006,0.012,0.025,0.05', help='least weights')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split('x'))
    cloud, cameras = route_cameras(arguments.scene, (width, height), arguments.views)
    pipeline = Pipeline(1, np.zeros(3, dtype=np.float32))
    world, still, kernel = prepare(cloud), np.eye(4), time_kernel()
    exact = [pipeline.draw(camera, [(world, still)]) for camera in cameras]
    rows = []
    for limit in map(float, arguments.limits.split(',')):
        counts, signal, busy = [], [], []
        for camera, truth in zip(cameras, exact, strict=True):
            point = camera.pose[:3, 3]
            seen = visible_from(pipeline, world, point, RESOLUTION, limit, NEAR)
            part = take(world, seen)
            counts.append(len(pipeline.project(camera, (part, still))[0]))
            signal.append(decibels(truth, pipeline.draw(camera, [(part, still)])))
            begun = time.process_time()
            pipeline.draw(camera, [(part, still)])
            busy.append(1e3 * (time.process_time() - begun))
        middle = float(np.median(busy))
        rows.append({
            'scene': Path(arguments.scene).name, 'width': width, 'height': height,
            'views': len(cameras), 'least_weight': limit,
            'gaussians_in_picture': round(float(np.mean(counts))),
            'psnr_min_db': round(min(signal), 2),
            'psnr_mean_db': round(float(np.mean(signal)), 2),
            'median_cpu_ms': round(middle, 2),
            'ns_per_gaussian': round(1e6 * middle / float(np.mean(counts))),
            'cpu_over_kernel': round(middle / kernel, 2),
        })
        print(rows[-1])
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
