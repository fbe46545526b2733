"""How few gaussians carry a picture: keep what weighs most from the camera's very own point.

Example:
    python test/benchmark/bench_visible.py --size 128x128 --views 12
    python test/benchmark/bench_visible.py --merged 400000,200000 --limits 0.006

Mode `fast` draws the union of what shows from four points around the camera. This asks what the
best such set could be: each view is surveyed from its own point, and only what weighs more than a
limit there is drawn. Stored per limit: gaussians in the picture, PSNR against `exact` (worst and
mean), CPU time of drawing, and that time per gaussian. It bounds what smaller cells, sharper
surveys or a better order of dropping can win. `--merged` adds rows for whole scenes whose
neighbours were merged instead, the level of detail of `s2e scene import --gaussians N`.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from bench_fast import decibels, route_cameras
from bench_render import GARDEN, time_kernel

from navbench_gs.render import Frame, RenderCamera
from navbench_gs.render.cells.survey import visible_from
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import PreparedCloud, prepare, take
from navbench_gs.splats.reduce import reduced

RESULTS = Path(__file__).parent / 'results/bench_visible.csv'
RESOLUTION = 192
"""Pixels along an edge of a survey's faces: that of mode `fast` for pictures of 128x128."""
NEAR = 0.05
STILL = np.eye(4)


def compare(
    pipeline: Pipeline, cameras: list[RenderCamera], exact: list[Frame],
    parts: list[PreparedCloud], kernel: float,
) -> dict[str, object]:
    """Draw each view from its own part of the scene and hold it against the exact picture."""
    counts, signal, busy = [], [], []
    for camera, truth, part in zip(cameras, exact, parts, strict=True):
        counts.append(len(pipeline.project(camera, (part, STILL))[0]))
        signal.append(decibels(truth, pipeline.draw(camera, [(part, STILL)])))
        begun = time.process_time()
        pipeline.draw(camera, [(part, STILL)])
        busy.append(1e3 * (time.process_time() - begun))
    middle, count = float(np.median(busy)), float(np.mean(counts))
    return {
        'gaussians_in_picture': round(count),
        'psnr_min_db': round(min(signal), 2),
        'psnr_mean_db': round(float(np.mean(signal)), 2),
        'median_cpu_ms': round(middle, 2),
        'ns_per_gaussian': round(1e6 * middle / count),
        'cpu_over_kernel': round(middle / kernel, 2),
    }


def main() -> None:
    """Survey, draw, print and store one row per limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', default=str(GARDEN), help='city:SEED, a bundle or a capture')
    parser.add_argument('--size', default='128x128', help='WxH')
    parser.add_argument('--views', type=int, default=12)
    parser.add_argument('--limits', default='0.003,0.006,0.012,0.025,0.05', help='least weights')
    parser.add_argument('--merged', default='', help='numbers of gaussians to merge down to')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split('x'))
    cloud, cameras = route_cameras(arguments.scene, (width, height), arguments.views)
    pipeline = Pipeline(1, np.zeros(3, dtype=np.float32))
    world, kernel = prepare(cloud), time_kernel()
    exact = [pipeline.draw(camera, [(world, STILL)]) for camera in cameras]
    rows = []
    for count in map(int, filter(None, arguments.merged.split(','))):
        merged = prepare(reduced(cloud, count))
        rows.append({'way': 'merged', 'limit': count}
                    | compare(pipeline, cameras, exact, [merged] * len(cameras), kernel))
    for limit in map(float, arguments.limits.split(',')):
        parts = [
            take(world, visible_from(pipeline, world, camera.pose[:3, 3], RESOLUTION, limit, NEAR))
            for camera in cameras
        ]
        rows.append({'way': 'weight', 'limit': limit}
                    | compare(pipeline, cameras, exact, parts, kernel))
    scene = {'scene': Path(arguments.scene).name, 'width': width, 'height': height,
             'views': len(cameras)}
    rows = [scene | row for row in rows]
    for row in rows:
        print(row)
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
