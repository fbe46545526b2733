"""Accuracy of labels from video: rendered walks, KITTI, Lund, and what faults do.

Example:
    python test/benchmark/bench_label.py --seeds 1000,1001,1002,1003

Every row is one piece (a stretch with poses). Drift is the RMS position error after a Sim(3)
alignment, over the distance; `se3` aligns without scale, so it holds the scale error too.
Rotation drift compares first with last pose. Lund's truth is a reconstruction of the same
photos, scaled by their GPS: its drift says that both agree, not that both are right.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import tempfile
import time
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
from bench_render import DATA
from transforms3d.quaternions import quat2mat
from walk import make_walk, stand, write_video

from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.scenes import resolve_scene
from s2e_core.camera import CameraModel, CameraMount
from s2e_training.label.config import Features, LabelConfig
from s2e_training.label.frames import open_footage, read_frames, working_camera
from s2e_training.label.gather import gather
from s2e_training.label.run import chunks, solve

RESULTS = Path(__file__).parent / 'results'
LENS = CameraModel.from_fov(320, 240, math.radians(80))
MOUNT = CameraMount(0.0, 0.0, 0.6, 0.05)


def align(found: np.ndarray, truth: np.ndarray, scaled: bool) -> tuple[float, float]:
    """Return scale and RMS error, metres, of the best alignment (Umeyama 1991). [N, 3] both"""
    a, b = found - found.mean(0), truth - truth.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    d = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = float((s * d).sum() / (a**2).sum()) if scaled else 1.0
    error = scale * a @ (u @ np.diag(d) @ vt).T - b
    return scale, float(np.sqrt((error**2).sum(axis=1).mean()))


def measure(
    name: str, source: Path, camera: CameraModel, truth: np.ndarray, config: LabelConfig,
    fps: float | None = None,
) -> list[dict[str, Any]]:
    """Label a video and compare with the truth [N, 4, 4], by frame number."""
    footage, rows, kept, lost, cpu = open_footage(source, fps), [], set(), {}, 0.0
    for chunk in chunks(footage, config):
        started = time.process_time()
        views = gather(read_frames(footage, chunk.first, chunk.last, camera, config.width),
                       set(chunk.kept), config.features)
        pieces, rejected = solve(views, working_camera(camera, config.width), config)
        cpu += time.process_time() - started
        lost.update({n: rejected.get(n, 'no pose') for n in chunk.kept})
        for piece in pieces:
            kept |= set(piece.numbers.tolist())
            rows.append({'source': name, **errors(piece.poses, truth[piece.numbers]),
                         'confidence': round(float(piece.confidence.mean()), 2)})
    total = len(lost)
    reasons = [lost[n].split(':')[0].split(' m/s')[0] for n in lost if n not in kept]
    common = {
        'rejected_percent': round(100 * len(reasons) / total, 1),
        'reasons': '; '.join(f'{r} x{reasons.count(r)}' for r in sorted(set(reasons))),
        'cpu_s_per_frame': round(cpu / total, 3),
    }
    rows = rows or [{'source': name, 'frames': 0}]
    return [{**row, **common} for row in rows]


def errors(poses: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Compare a piece with the truth. [K, 4, 4] both"""
    found, true = poses[:, :3, 3], truth[:, :3, 3]
    length = float(np.linalg.norm(np.diff(true, axis=0), axis=1).sum())
    scale, sim3 = align(found, true, True)
    _, se3 = align(found, true, False)
    turn = (poses[0, :3, :3].T @ poses[-1, :3, :3]).T @ truth[0, :3, :3].T @ truth[-1, :3, :3]
    angle = math.degrees(math.acos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    return {
        'frames': len(poses), 'metres': round(length, 1),
        'drift_sim3_percent': round(100 * sim3 / length, 2),
        'drift_se3_percent': round(100 * se3 / length, 2),
        'rotation_deg_per_m': round(angle / length, 3),
        'scale_error_percent': round(100 * (1 / scale - 1), 1),
    }


def rendered(seeds: list[int], folder: Path) -> list[dict[str, Any]]:
    """Walks through generated cities."""
    rows = []
    for seed in seeds:
        walk = make_walk(seed, camera=LENS, mount=MOUNT)
        path = folder / f'{seed}.mp4'
        write_video(path, walk.images, walk.fps)
        # SIFT costs several times as much: one seed is enough to compare.
        for features in get_args(Features) if seed == seeds[0] else ('klt',):
            config = LabelConfig(height=0.6, features=features)
            rows += measure(f'city:{seed} ({features})', path, LENS, walk.poses, config)
            print(rows[-1], flush=True)
    return rows


def kitti() -> list[dict[str, Any]]:
    """A car in a street, 10 Hz: every other frame mapped, as by default, and every frame."""
    root = DATA / 'ego/kitti_seq_a'
    k = np.array((root / 'calib.txt').read_text().split()[:12], float).reshape(3, 4)
    height, width = cv2.imread(str(root / 'image_l/000000.png')).shape[:2]
    camera = CameraModel(width, height, k[0, 0], k[1, 1], k[0, 2] + 0.5, k[1, 2] + 0.5)
    truth = np.tile(np.eye(4), (51, 1, 1))
    truth[:, :3] = np.loadtxt(root / 'poses.txt').reshape(-1, 3, 4)
    rows = []
    for features, rate in itertools.product(get_args(Features), (5.0, 10.0)):
        config = LabelConfig(height=1.65, kind='drive', rate=rate, features=features)
        rows += measure(f'kitti street ({features}, {rate:g} Hz)', root / 'image_l', camera, truth,
                        config, 10.0)
    return rows


def lund() -> list[dict[str, Any]]:
    """Photos of a walk, one per second or so; the camera height of 1.6 m is a guess."""
    root = DATA / 'posed_images/opensfm_lund'
    lens = (root / 'derived_colmap/cameras.txt').read_text().split('\n')
    values = [float(x) for x in next(x for x in lens if x and x[0] != '#').split()[2:]]
    width, height, focal, cx, cy, k1 = values
    camera = CameraModel(int(width), int(height), focal, focal, cx, cy, 'plumb_bob',
                         (k1, 0.0, 0.0, 0.0))
    poses, lines = {}, (root / 'derived_colmap/images.txt').read_text().split('\n')
    for words in (x.split() for x in lines if x.endswith('.jpg')):
        pose = np.eye(4)
        pose[:3, :3] = quat2mat([float(x) for x in words[1:5]])
        pose[:3, 3] = [float(x) for x in words[5:8]]
        poses[words[9]] = np.linalg.inv(pose)
    names = sorted(path.name for path in (root / 'images').glob('*.jpg'))
    truth = np.stack([poses[name] for name in names])
    places = np.array([gps(root / 'images' / name) for name in names])
    scale, error = align(truth[:, :3, 3], places, True)
    truth[:, :3, 3] *= scale
    print(f'Lund: GPS fits its reconstruction to {error:.1f} m RMS')
    # Photos, not video: metres per photo pass for a speed, hence the wider bounds.
    config = LabelConfig(height=1.6, kind='drive', features='sift', rate=1, width=1024)
    return measure('lund walk', root / 'images', camera, truth, config, 1.0)


def gps(path: Path) -> tuple[float, float, float]:
    """Return metres east, north, up (0) of a photo's position, about Lund."""
    from PIL import Image

    info = Image.open(path).getexif().get_ifd(0x8825)
    north, east = (sum(float(x) / 60**i for i, x in enumerate(info[key])) for key in (2, 4))
    return (east - 13.19) * 111320 * math.cos(math.radians(55.7)), (north - 55.7) * 111320, 0.0


def faults(seed: int, folder: Path) -> list[dict[str, Any]]:
    """One walk of 24 s with one thing wrong at a time."""
    walk = make_walk(seed, camera=LENS, mount=MOUNT, length=29.0)
    other = make_walk(seed + 1, camera=LENS, mount=MOUNT, length=15.0)
    images, count, rng = walk.images, len(walk.images), np.random.default_rng(0)
    cut = np.concatenate([images[:count // 2], other.images[:count // 2]])
    spliced = np.concatenate([walk.poses[:count // 2], other.poses[:count // 2]])
    blur, frozen = images.copy(), images.copy()
    for k in range(100, 120):
        blur[k] = cv2.blur(images[k], (25, 1))
    frozen[100:140] = images[100]
    still = np.stack([
        np.clip(images[100] + rng.normal(0, 3, images[100].shape), 0, 255).astype(np.uint8)
        for _ in range(count)
    ])
    cases: list[tuple[str, np.ndarray, np.ndarray, float]] = [
        ('nothing', images, walk.poses, 0.6), ('cut in the middle', cut, spliced, 0.6),
        ('2 s blurred', blur, walk.poses, 0.6), ('4 s frozen', frozen, walk.poses, 0.6),
        ('still camera, noise 3', still, walk.poses, 0.6),
        ('turning on the spot', *turning(seed), 0.6),
        ('height 20 % too large', images, walk.poses, 0.72),
        ('height 3 times too large', images, walk.poses, 1.8),
    ]
    rows = []
    for name, pictures, truth, height in cases:
        path = folder / 'fault.mp4'
        write_video(path, pictures, walk.fps)
        rows += measure(name, path, LENS, truth, LabelConfig(height=height))
        print(rows[-1], flush=True)
    return rows


def turning(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn at 0.3 rad/s for 20 s without moving."""
    bundle = resolve_scene(f'city:{seed}')
    renderer, images, poses = make_renderer(bundle.cloud(), mode='fast', threads=1), [], []
    place = np.asarray(bundle.spawn, np.float64).reshape(-1, 2)[0]
    for k in range(200):
        pose = stand(bundle.collision, place, 0.03 * k, MOUNT, np.zeros(3))
        images.append(renderer.render(RenderCamera(
            LENS.width, LENS.height, LENS.fx, LENS.fy, LENS.cx, LENS.cy, pose)).rgb)
        poses.append(pose)
    return np.stack(images), np.stack(poses)


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    with path.open('w', newline='', encoding='utf-8') as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(rows)
    print(path)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', default='1000,1001,1002,1003')
    parser.add_argument('--only', choices=('rendered', 'real', 'faults'))
    args = parser.parse_args()
    seeds = [int(seed) for seed in args.seeds.split(',')]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.only in (None, 'real'):
            write(RESULTS / 'bench_label_real.csv', kitti() + lund())
        if args.only in (None, 'rendered'):
            write(RESULTS / 'bench_label_rendered.csv', rendered(seeds, folder))
        if args.only in (None, 'faults'):
            write(RESULTS / 'bench_label_faults.csv', faults(seeds[-2], folder))


if __name__ == '__main__':
    main()
