"""Time a plain PyTorch tile rasteriser beside the CPU renderer, in alternating rounds of one run.

Example:
    python test/benchmark/bench_torch.py --sizes 128x128,640x480 --frames 3

CPU time and wall time a picture with colour, depth and coverage; the pictures are compared.
`torch_tiles.py` is ours and plain: it says what vectorised tensor code costs, not the best of it.
One thread each: a second one of torch waits busily, which counts as CPU time on a busy machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from bench_render import GARDEN, load_scene, path_cameras, time_kernel
from torch_tiles import TorchRenderer

from navbench_gs.errors import NavBenchError
from navbench_gs.render import Frame, RenderCamera, make_renderer

RESULTS = Path(__file__).parent / 'results/bench_torch.csv'
Draw = Callable[[RenderCamera], Frame]


def timed(draw: Draw, cameras: list[RenderCamera]) -> list[tuple[float, float]]:
    """Return wall and CPU time of each picture, milliseconds."""
    times = []
    for camera in cameras:
        wall, cpu = time.perf_counter(), time.process_time()
        draw(camera)
        times.append((1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)))
    return times


def measure(
    scene: str, draws: dict[str, Draw], cameras: list[RenderCamera], rounds: int, threads: int
) -> list[dict[str, object]]:
    """Time every renderer on the same cameras and compare with the first one's pictures."""
    kernel = time_kernel()
    pictures = {name: [draw(camera) for camera in cameras] for name, draw in draws.items()}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in draws}
    for _ in range(rounds):
        for name, draw in draws.items():
            times[name] += timed(draw, cameras)
    medians = {name: np.median(values, axis=0) for name, values in times.items()}
    fastest = next(iter(draws))
    rows: list[dict[str, object]] = []
    for name, (wall, cpu) in medians.items():
        levels = [
            np.abs(one.rgb.astype(int) - other.rgb).max(axis=2)
            for one, other in zip(pictures[fastest], pictures[name], strict=True)
        ]
        rows.append(
            {
                'scene': Path(scene).name,
                'renderer': name,
                'width': cameras[0].width,
                'height': cameras[0].height,
                'threads': threads,
                'pictures': len(times[name]),
                'median_ms': round(float(wall), 2),
                'median_cpu_ms': round(float(cpu), 2),
                'cpu_over_kernel': round(float(cpu) / kernel, 2),
                'cpu_over_ours': round(float(cpu / medians[fastest][1]), 2),
                'mean_levels': round(float(np.mean(levels)), 4),
                'share_over_4': round(float((np.array(levels) > 4).mean()), 6),
                'cores': os.cpu_count(),
            }
        )
    return rows


def main() -> int:
    """Parse the command line, measure, print and write the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', action='append', help='street:COUNT or a splat, repeatable')
    parser.add_argument('--sizes', default='128x128,256x256,640x480', help='WxH, comma separated')
    parser.add_argument('--frames', type=int, default=3, help='views along the path')
    parser.add_argument('--rounds', type=int, default=2, help='times along the path')
    parser.add_argument('--threads', type=int, default=1, help='threads of both renderers')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for scene in arguments.scene or ['street:300000', *([str(GARDEN)] if GARDEN.exists() else [])]:
        try:
            cloud, start, end = load_scene(scene)
        except NavBenchError as error:
            print(f'bench_torch: {error}', file=sys.stderr)
            return 2
        ours = make_renderer(cloud, threads=arguments.threads)
        draws: dict[str, Draw] = {'exact': ours.render, 'torch': TorchRenderer(cloud).render}
        for size in arguments.sizes.split(','):
            width, height = map(int, size.split('x'))
            cameras = path_cameras(start, end, width, height, arguments.frames)
            rows += measure(scene, draws, cameras, arguments.rounds, arguments.threads)
            print(*rows[-2:], sep='\n', flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open('w', newline='') as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    print(f'written to {arguments.out}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
