"""Time a fresh process from its start to the first picture of a scene, and take its memory.

Example:
    python test/benchmark/bench_start.py
    python test/benchmark/bench_start.py --scene city:100 --size 128x128

Each case runs twice in processes of its own; the second, with every cache warm, counts. The time
starts before Python does. Mode `fast` then also draws every half metre for 6 m of the scene's
longest route, so that its memory includes cells and not only the world.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_fast import route_cameras
from bench_render import GARDEN

from navbench_gs.render import make_renderer

RESULTS = Path(__file__).parent / 'results/bench_start.csv'


def child(scene: str, mode: str, size: tuple[int, int], cache: Path, started: float) -> None:
    """Draw and print what it took; runs in the fresh process."""
    cloud, cameras = route_cameras(scene, size, 13, 6.0)
    loaded = time.time()
    renderer = make_renderer(cloud, mode='fast' if mode == 'fast' else 'exact', cache=cache)
    renderer.render(cameras[0])
    first = time.time()
    for camera in cameras:
        renderer.render(camera)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        'gaussians': len(cloud), 'loaded_s': round(loaded - started, 2),
        'first_picture_s': round(first - started, 2), 'peak_mb': round(peak / 1024),
    }))


def measure(scene: str, mode: str, size: str, cache: Path) -> dict[str, object]:
    """Run the child twice and return the second answer."""
    answer: dict[str, object] = {}
    for _ in range(2):
        command = [sys.executable, __file__, '--scene', scene, '--size', size, '--child', mode,
                   '--cache', str(cache), '--started', repr(time.time())]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        answer = json.loads(done.stdout.splitlines()[-1])
    return {'scene': Path(scene).name, 'mode': mode, 'size': size, **answer}


def main() -> None:
    """Measure both modes and store the rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', default=str(GARDEN), help='city:SEED, a bundle or a capture')
    parser.add_argument('--size', default='640x480', help='WxH')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    parser.add_argument('--child', help=argparse.SUPPRESS)
    parser.add_argument('--cache', type=Path, help='folder that keeps surveys (a temporary one)')
    parser.add_argument('--started', type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        width, height = map(int, arguments.size.split('x'))
        child(arguments.scene, arguments.child, (width, height), arguments.cache,
              arguments.started)
        return
    with tempfile.TemporaryDirectory() as folder:
        cache = arguments.cache or Path(folder)
        rows = [measure(arguments.scene, mode, arguments.size, cache)
                for mode in ('exact', 'fast')]
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)


if __name__ == '__main__':
    main()
