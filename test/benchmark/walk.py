"""A walk through a generated city: a video as a camera would take it, and the true poses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.scenes import resolve_scene
from navbench_gs.scenes.bundle import SceneBundle
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.tasks.geodesic import geodesic_field, shorten
from s2e_core.camera import CameraModel, CameraMount

Floats = NDArray[np.float64]
RADIUS = 0.6
"""The walk keeps this far from everything, metres."""
STRIDE = 0.05
"""Spacing of the drawn path, metres."""


@dataclass(frozen=True)
class Walk:
    """What a walk looks like and where it went."""

    images: NDArray[np.uint8]
    """[N, H, W, 3]"""
    poses: Floats
    """map <- optical. [N, 4, 4]"""
    fps: float
    camera: CameraModel


def draw_path(bundle: SceneBundle, length: float, rng: np.random.Generator) -> Floats:
    """Return a smooth way between spawn points, `STRIDE` apart, map, metres. [K, 2]"""
    collision = bundle.collision
    spawn = np.asarray(bundle.spawn, np.float64).reshape(-1, 2)
    spawn = spawn[collision.clearance(spawn) >= RADIUS]
    here, parts, total = spawn[rng.integers(len(spawn))], [], 0.0
    while total < length:
        field = geodesic_field(collision, (float(here[0]), float(here[1])), RADIUS, reach=60.0)
        away = np.array([field.at(xy) for xy in spawn])
        there = spawn[rng.choice(np.nonzero((away > 15.0) & (away < 50.0))[0])]
        way = shorten(field.path(there)[::-1], collision.free(RADIUS), collision.resolution,
                      collision.origin)
        parts.append(_resample(way))
        total += STRIDE * len(parts[-1])
        here = there
    path = np.concatenate(parts)[: int(length / STRIDE)]
    # Corners of the shortest way are rounded as a walker rounds them, over half a metre.
    return gaussian_filter1d(path, 0.5 / STRIDE, axis=0, mode='nearest')


def stand(
    collision: CollisionMap, xy: Floats, yaw: float, mount: CameraMount, sway: Floats
) -> Floats:
    """Return map <- optical of a camera carried over the floor. [4, 4]

    Args:
        collision: Gives the floor.
        xy: Place, map, metres. [2]
        yaw: Heading, radians.
        mount: Camera on the carrier.
        sway: Roll, pitch (radians) and rise (metres) of the carrier.
    """
    ahead = np.array([math.cos(yaw), math.sin(yaw)])
    ends = collision.floor(np.stack([xy - 0.3 * ahead, xy + 0.3 * ahead]))
    slope = math.atan2(float(ends[1] - ends[0]), 0.6)
    base = np.eye(4)
    base[:3, :3] = _turn(2, yaw) @ _turn(1, -slope + sway[1]) @ _turn(0, sway[0])
    base[:3, 3] = (*xy, float(ends.mean()) + sway[2])
    return base @ mount.base_from_optical()


def make_walk(
    seed: int, *, length: float = 60.0, fps: float = 10.0, camera: CameraModel,
    mount: CameraMount, speed: float = 1.2, sway: float = 1.0,
) -> Walk:
    """Walk through the city of a seed.

    Args:
        seed: City and route.
        length: Metres.
        fps: Images per second.
        camera: A pinhole.
        mount: Its place.
        speed: Mean speed, m/s; it varies by 20 %.
        sway: 1 sways like a hand-held camera (1 degree, 1 cm), 0 rolls on rails.
    """
    bundle, rng = resolve_scene(f'city:{seed}'), np.random.default_rng(seed)
    path = draw_path(bundle, length, rng)
    renderer = make_renderer(bundle.cloud(), mode='fast', threads=1)
    images, poses, along, number = [], [], 0.0, 0
    steps = np.hypot(*np.diff(path, axis=0).T)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    heading = np.unwrap(np.arctan2(*np.gradient(path, axis=0).T[::-1]))
    heading = gaussian_filter1d(heading, 0.5 / STRIDE, mode='nearest')
    while along < travelled[-1]:
        time = number / fps
        xy = np.array([np.interp(along, travelled, path[:, axis]) for axis in (0, 1)])
        swing = sway * np.array([
            math.radians(1.0) * math.sin(2 * math.pi * 0.9 * time),
            math.radians(0.7) * math.sin(2 * math.pi * 1.8 * time + 1.0),
            0.01 * math.sin(2 * math.pi * 1.8 * time),
        ])
        pose = stand(bundle.collision, xy, float(np.interp(along, travelled, heading)), mount,
                     swing)
        view = RenderCamera(camera.width, camera.height, camera.fx, camera.fy, camera.cx,
                            camera.cy, pose)
        images.append(renderer.render(view).rgb)
        poses.append(pose)
        along += speed * (1.0 + 0.2 * math.sin(2 * math.pi * time / 15.0)) / fps
        number += 1
    return Walk(np.stack(images), np.stack(poses), fps, camera)


def write_video(path: Path, images: NDArray[np.uint8], fps: float) -> None:
    """Write H.264 as a phone would compress it (CRF 20)."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=round(fps),
                                      options={'crf': '20', 'preset': 'veryfast'})
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        # Several threads write other bytes each time.
        stream.codec_context.thread_count = 1
        for image in images:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def _resample(way: Floats) -> Floats:
    steps = np.hypot(*np.diff(way, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(0.0, along[-1], STRIDE)
    return np.stack([np.interp(at, along, way[:, axis]) for axis in (0, 1)], axis=1)


def _turn(axis: int, angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
    return turn
