"""Time a WebGL splat viewer in headless Chromium beside the CPU renderer, in one run.

Example:
    python test/benchmark/bench_webgl.py --sizes 256x256,640x480 --frames 4 --rounds 2

The viewer is the PlayCanvas engine from npm, WebGL2 drawn by SwiftShader on the same CPU, with
nothing left out for being small. It is measured as shipped and with the classic 0.3 pixel^2
filter, with which its pictures can be held against ours. A viewer's frame is counted whole (own
draw order, drawn, read back), without the order, and as the viewer runs freely (newest order that
has come, nothing read back). Ours gives RGB and depth. Rounds of all alternate.
Needs node's npm and Chromium; ends with a message when they are absent.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_fast import decibels
from bench_render import GARDEN, load_scene, path_cameras, time_kernel
from browser import Page

from navbench_gs.render import Frame, RenderCamera, Renderer, make_renderer
from navbench_gs.render.constants import DEFAULT_BACKGROUND
from navbench_gs.splats import save_ply

RESULTS = Path(__file__).parent / 'results/bench_webgl.csv'
WEB = Path(__file__).parent / 'web'
VIEWER = 'playcanvas@2.23.3'
FAR = 5000.0
"""Sky splats lie at 1,300 m."""
SWAY = 0.1
"""Radians that cameras turn to either side: the viewer sorts anew only when the view turns."""


def swaying(cameras: list[RenderCamera]) -> list[RenderCamera]:
    """Return the cameras turned left and right in turn."""
    turned = []
    for index, camera in enumerate(cameras):
        angle = SWAY * math.sin(1.3 * index)
        turn = np.eye(4)
        turn[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        pose = camera.pose.copy()
        pose[:3, :3] = turn[:3, :3] @ pose[:3, :3]
        turned.append(RenderCamera.from_fov(
            camera.width, camera.height, 2.0 * math.atan(0.5 * camera.width / camera.fx), pose
        ))
    return turned


def for_page(camera: RenderCamera) -> dict[str, object]:
    """Return a camera as WebGL has it: y up, z back, column by column, degrees."""
    matrix = camera.pose @ np.diag([1.0, -1.0, -1.0, 1.0])
    vertical = 2.0 * math.atan(0.5 * camera.height / camera.fy)
    return {'matrix': matrix.T.ravel().tolist(), 'fovY': math.degrees(vertical)}


def picture(page: Page, camera: RenderCamera) -> Frame:
    """Return the viewer's picture of a view; depth and alpha are empty."""
    page.call('picture', camera=for_page(camera))
    pixels = np.frombuffer(page.picture(), dtype=np.uint8)
    rgb = pixels.reshape(camera.height, camera.width, 4)[::-1, :, :3]
    return Frame(rgb, np.empty((0, 0), np.float32), np.empty((0, 0), np.float32))


def time_ours(renderer: Renderer, cameras: list[RenderCamera]) -> list[float]:
    """Return milliseconds of each picture."""
    times = []
    for camera in cameras:
        begun = time.perf_counter()
        renderer.render(camera)
        times.append(1e3 * (time.perf_counter() - begun))
    return times


def measure(
    page: Page, ours: dict[str, Renderer], cameras: list[RenderCamera], rounds: int
) -> dict[str, object]:
    """Alternate rounds of the viewer and of ours; return medians and ratios."""
    views = [for_page(camera) for camera in cameras]
    times: dict[str, list[float]] = {'order': [], 'draw': [], 'free': [], 'exact': [], 'fast': []}
    page.call('free', cameras=views)
    for renderer in ours.values():
        time_ours(renderer, cameras)
    for _ in range(rounds):
        settled = page.call('settled', cameras=views)
        times['order'] += np.asarray(settled['sort'], dtype=float).tolist()
        times['draw'] += np.asarray(settled['draw'], dtype=float).tolist()
        free = page.call('free', cameras=views)
        times['free'].append(float(str(free['total'])) / len(views))
        for name, renderer in ours.items():
            times[name] += time_ours(renderer, cameras)
    signal = [decibels(ours['exact'].render(camera), picture(page, camera)) for camera in cameras]
    whole = float(np.median(np.add(times['order'], times['draw'])))
    middle = {name: float(np.median(values)) for name, values in times.items()}
    row: dict[str, object] = {'psnr_min_db': round(min(signal), 2)}
    row['viewer_whole_ms'] = round(whole, 1)
    row['viewer_draw_read_ms'] = round(middle['draw'], 1)
    row['viewer_free_ms'] = round(middle['free'], 1)
    for name in ours:
        row[f'{name}_ms'] = round(middle[name], 1)
        row[f'{name}_times_faster'] = round(whole / middle[name], 1)
        row[f'{name}_times_faster_than_free'] = round(middle['free'] / middle[name], 1)
    return row


def run(chromium: str, npm: str, arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Install the viewer into a temporary folder, serve the scene, measure every size."""
    cloud, start, end = load_scene(arguments.scene)
    ours: dict[str, Renderer] = {
        'exact': make_renderer(cloud, threads=2),
        'fast': make_renderer(cloud, mode='fast', threads=2, cache=arguments.cache),
    }
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        modules = arguments.modules
        if modules is None:
            subprocess.run(
                [npm, 'install', '--silent', '--prefix', str(folder), VIEWER], check=True
            )
            modules = folder / 'node_modules'
        save_ply(folder / 'scene.ply', cloud)
        roots = {'/modules/': modules, '/scene.ply': folder / 'scene.ply', '/': WEB}
        for size in arguments.sizes.split(','):
            width, height = map(int, size.split('x'))
            cameras = swaying(path_cameras(start, end, width, height, arguments.frames))
            for classic in (False, True):
                profile = folder / f'{size}-{classic}'
                with Page(chromium, profile, roots, '/page.html') as page:
                    opened = page.call(
                        'open', width=width, height=height, near=cameras[0].near, far=FAR,
                        background=DEFAULT_BACKGROUND, classic=classic,
                    )
                    row = measure(page, ours, cameras, arguments.rounds)
                rows.append({
                    'scene': Path(arguments.scene).name, 'gaussians': len(cloud),
                    'viewer': VIEWER, 'filter': 'classic' if classic else 'as shipped',
                    'width': width, 'height': height, 'frames': len(cameras),
                    'rounds': arguments.rounds, **row,
                    'kernel_cpu_ms': round(time_kernel(), 3),
                    'device': opened['device'], 'cores': os.cpu_count(),
                })
                print(rows[-1], flush=True)
    return rows


def main() -> int:
    """Parse, measure, store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', default=str(GARDEN), help='a capture')
    parser.add_argument('--sizes', default='256x256,640x480', help='WxH, comma separated')
    parser.add_argument('--frames', type=int, default=4, help='views along the path')
    parser.add_argument('--rounds', type=int, default=2, help='times along the path')
    parser.add_argument('--modules', type=Path, help='node_modules that holds the viewer already')
    parser.add_argument('--cache', type=Path, help='folder that keeps surveys')
    parser.add_argument('--out', type=Path, default=RESULTS, help='CSV file, overwritten')
    arguments = parser.parse_args()
    chromium, npm = shutil.which('chromium'), shutil.which('npm')
    if chromium is None or npm is None or not Path(arguments.scene).exists():
        print(f'skipped: needs chromium ({chromium}), npm ({npm}) and {arguments.scene}')
        return 0
    rows = run(chromium, npm, arguments)
    with arguments.out.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    print(f'written to {arguments.out}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
