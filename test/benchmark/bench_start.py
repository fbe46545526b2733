"""Time a fresh process from its start to the first picture of a scene, and take its memory.

Example:
    python test/benchmark/bench_start.py
    python test/benchmark/bench_start.py --scene city:100 --size 128x128
    python test/benchmark/bench_start.py --metres 50 --out test/benchmark/results/bench_memory.csv

Each case runs twice in processes of its own; the second, with every cache warm (scene, surveys,
compiled kernels, Python's byte code), counts. The time starts before Python does. Mode `fast` then
also draws every half metre for 6 m (--metres) of the scene's longest route, so that its memory
includes cells and not only the world. CPU time up to the first picture stands beside, since other
work on the machine lengthens the wall time alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.scenes.resolve import resolve_scene

RESULTS = Path(__file__).parent / 'results/bench_start.csv'
POSES = 'poses.npy'


def child(
    scene: str, mode: str, size: tuple[int, int], cache: Path, started: float
) -> None:
    """Draw and print what it took; runs in the fresh process."""
    cloud = resolve_scene(scene).cloud()
    loaded = time.time()
    poses = np.load(cache / POSES, allow_pickle=False)
    cameras = [RenderCamera.from_fov(*size, np.radians(80.0), pose) for pose in poses]
    renderer = make_renderer(cloud, mode='fast' if mode == 'fast' else 'exact', cache=cache)
    renderer.render(cameras[0])
    first, busy = time.time(), time.process_time()
    for camera in cameras:
        renderer.render(camera)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        'gaussians': len(cloud), 'loaded_s': round(loaded - started, 2),
        'first_picture_s': round(first - started, 2), 'first_picture_cpu_s': round(busy, 2),
        'peak_mb': round(peak / 1024),
    }))


def measure(scene: str, mode: str, size: str, cache: Path) -> dict[str, object]:
    """Run the child twice and return the second answer."""
    answer: dict[str, object] = {}
    # Some containers forbid byte code; a user's Python compiles a module once.
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONDONTWRITEBYTECODE'}
    environment['PYTHONPYCACHEPREFIX'] = str(cache / 'bytecode')
    for _ in range(2):
        command = [sys.executable, __file__, '--scene', scene, '--size', size, '--child', mode,
                   '--cache', str(cache), '--started', repr(time.time())]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    return {'scene': Path(scene).name, 'mode': mode, 'size': size, **answer}


def main() -> None:
    """Measure both modes and store the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', help='city:SEED, a bundle or a capture (the garden)')
    parser.add_argument('--size', default='640x480', help='WxH')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    parser.add_argument('--metres', type=float, default=6.0, help='of the route, drawn (6)')
    parser.add_argument('--child', help=argparse.SUPPRESS)
    parser.add_argument('--cache', type=Path, help='folder that keeps surveys (a temporary one)')
    parser.add_argument('--started', type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        width, height = map(int, arguments.size.split('x'))
        child(arguments.scene, arguments.child, (width, height), arguments.cache,
              arguments.started)
        return
    # Imported here: the fresh processes need neither.
    from bench_fast import route_cameras
    from bench_render import GARDEN

    scene = arguments.scene or str(GARDEN)
    with tempfile.TemporaryDirectory() as folder:
        cache = arguments.cache or Path(folder)
        count = 1 + round(2.0 * arguments.metres)
        _, cameras = route_cameras(scene, (64, 64), count, arguments.metres)
        np.save(cache / POSES, np.stack([camera.pose for camera in cameras]))
        rows = [measure(scene, mode, arguments.size, cache)
                for mode in ('exact', 'fast')]
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)


if __name__ == '__main__':
    main()
