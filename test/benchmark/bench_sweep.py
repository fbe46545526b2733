"""Time mode `exact` against the plain pipeline that lists all in view, picture by picture.

Example:
    python test/benchmark/bench_sweep.py --scenes city:100,city:1001 --sizes 128x128,640x480

Both draw each view twice in turn on one thread, the second time is taken, and must give the same
bytes. Stored per scene and size:
median CPU time of either, the median of the ratios of the pairs, and CPU time as a ratio to a
fixed small kernel timed in the same run.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench_fast import route_cameras
from bench_render import GARDEN, time_kernel

from navbench_gs.render import Frame
from navbench_gs.render.cpu.culling import visible
from navbench_gs.render.cpu.painter import Painter
from navbench_gs.render.cpu.pipeline import Pipeline
from navbench_gs.render.cpu.prepare import prepare

RESULTS = Path(__file__).parent / 'results/bench_sweep.csv'
BLACK = np.zeros(3, dtype=np.float32)


def timed(draw: Callable[[], Frame]) -> tuple[Frame, float]:
    """Return a frame and the CPU milliseconds that it took the second time."""
    draw()
    begun = time.thread_time()
    frame = draw()
    return frame, 1e3 * (time.thread_time() - begun)


def measure(scene: str, size: tuple[int, int], views: int, kernel: float) -> dict[str, object]:
    """Time one scene and size."""
    cloud, cameras = route_cameras(scene, size, views)
    layers = [(prepare(cloud), np.eye(4))]
    plain, painter = Pipeline(1, BLACK), Painter(BLACK)
    times = []
    for camera in cameras:
        all_listed, slow = timed(lambda camera=camera: plain.draw(camera, layers))
        swept, fast = timed(lambda camera=camera: painter.draw(camera, visible(camera, layers)))
        for name in ('rgb', 'depth', 'alpha'):
            if getattr(all_listed, name).tobytes() != getattr(swept, name).tobytes():
                raise SystemExit(f'{scene} {size}: the two ways differ in {name}')
        times.append((slow, fast))
    slow, fast = np.array(times).T
    return {
        'scene': Path(scene).name, 'width': size[0], 'height': size[1], 'views': views,
        'plain_cpu_ms': round(float(np.median(slow)), 2),
        'sweep_cpu_ms': round(float(np.median(fast)), 2),
        'ratio_median': round(float(np.median(fast / slow)), 3),
        'ratio_worst': round(float((fast / slow).max()), 3),
        'sweep_over_kernel': round(float(np.median(fast)) / kernel, 2),
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scenes', default=f'city:100,city:1001,{GARDEN}')
    parser.add_argument('--sizes', default='128x128,256x256,640x480', help='WxH, ...')
    parser.add_argument('--views', type=int, default=24)
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    kernel, rows = time_kernel(), []
    for scene in arguments.scenes.split(','):
        for size in arguments.sizes.split(','):
            width, height = map(int, size.split('x'))
            rows.append(measure(scene, (width, height), arguments.views, kernel))
            print(rows[-1], flush=True)
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == '__main__':
    main()
