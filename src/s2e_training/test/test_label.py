"""Labelling video: scale from the ground, mapping of known points, faults, resumption."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from s2e_core.camera import CameraModel, CameraMount
from s2e_training.data.clip import load_clip
from s2e_training.errors import TrainingError
from s2e_training.label import run as label_run
from s2e_training.label.clips import write_piece
from s2e_training.label.config import LabelConfig
from s2e_training.label.frames import Footage, Frame, open_footage
from s2e_training.label.gather import gather
from s2e_training.label.ground import Ground, find_ground, metric_positions
from s2e_training.label.mapping import Model
from s2e_training.label.piece import Piece
from s2e_training.label.run import NO_PARALLAX, Chunk, chunks, label, solve
from s2e_training.label.signals import blurred
from s2e_training.label.views import Views

CAMERA = CameraModel.from_fov(320, 240, math.radians(80))
MOUNT = CameraMount(0.0, 0.0, 0.6, 0.1)


def walk(count: int, speed: float, turn: float = 0.0) -> np.ndarray:
    """Return map <- optical along x at 5 Hz, yawing by `turn` rad/s. [N, 4, 4]"""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for k in range(count):
        c, s = math.cos(0.2 * turn * k), math.sin(0.2 * turn * k)
        poses[k, :2, :2] = [[c, -s], [s, c]]
        poses[k, 0, 3] = 0.2 * speed * k
    return poses @ MOUNT.base_from_optical()


def world(rng: np.random.Generator) -> np.ndarray:
    """Points of a street 40 m long: ground at z = 0 and two walls. [P, 3]"""
    ground = np.column_stack([rng.uniform(-2, 40, 6000), rng.uniform(-3, 3, 6000),
                              np.zeros(6000)])
    wall = np.column_stack([rng.uniform(-2, 40, 2500), rng.choice([-3.0, 3.0], 2500),
                            rng.uniform(0, 5, 2500)])
    return np.concatenate([ground, wall])


def views_of(poses: np.ndarray, noise: float = 0.2) -> Views:
    """Project the street as a perfect tracker with Gaussian noise (pixels) would see it."""
    rng = np.random.default_rng(0)
    points, views = world(rng), Views()
    for k, pose in enumerate(poses):
        seen = (points - pose[:3, 3]) @ pose[:3, :3]
        z = np.where(seen[:, 2] > 0.3, seen[:, 2], np.nan)
        uv = np.stack([CAMERA.fx * seen[:, 0] / z + CAMERA.cx - 0.5,
                       CAMERA.fy * seen[:, 1] / z + CAMERA.cy - 0.5], axis=1)
        inside = (uv > 0).all(axis=1) & (uv[:, 0] < 319) & (uv[:, 1] < 239) & (z < 8)
        ids = np.nonzero(inside)[0]
        ids = ids[ids % 3 == 0]
        views.numbers.append(2 * k)
        views.seconds.append(0.2 * k)
        views.points.append((uv[ids] + rng.normal(0, noise, (len(ids), 2))).astype(np.float32))
        views.ids.append(ids.astype(np.int64))
        views.scene.append(0)
    return views


def test_scale_is_the_true_height_over_the_found_one() -> None:
    """The model's unit is 2 m: cameras stand 0.3 units above the ground, in truth 0.6 m."""
    poses = walk(30, 1.0)
    poses[:, :3, 3] *= 0.5
    points = world(np.random.default_rng(1))[::8] * 0.5
    model = Model(np.arange(30), poses, points, [np.arange(len(points))] * 30, 0.3, CAMERA.fx)
    ground = find_ground(model, 0.6)
    assert isinstance(ground, Ground)
    assert np.allclose(ground.scale, 2.0, rtol=1e-3)  # the walls' feet lie within the tolerance
    assert np.allclose(ground.up, (0, 0, 1), atol=1e-3)


def test_the_ground_is_what_is_walked_over_not_the_road_beside_it() -> None:
    """Pavement 0.6 m below the camera, six times as many points of a road 0.15 m deeper.

    Who sees only the road, filming sideways, gets its height: 0.6 / 0.75 = 0.8.
    """
    rng = np.random.default_rng(2)
    pavement = np.column_stack([rng.uniform(-2, 10, 800), rng.uniform(-1, 1, 800),
                                rng.normal(0, 0.02, 800)])
    road = np.column_stack([rng.uniform(-2, 10, 4800), rng.uniform(1.5, 5, 4800),
                            rng.normal(-0.15, 0.02, 4800)])
    for points, scale in ((np.concatenate([pavement, road]), 1.0), (road, 0.8)):
        model = Model(np.arange(30), walk(30, 1.0), points, [np.arange(len(points))] * 30, 0.3,
                      CAMERA.fx)
        ground = find_ground(model, 0.6)
        assert isinstance(ground, Ground)
        assert np.allclose(ground.scale, scale, rtol=0.02)


def test_no_ground_is_a_reason_not_a_scale() -> None:
    """Walls alone: nothing level lies below the camera."""
    points = world(np.random.default_rng(1))
    points = points[points[:, 2] > 0.7]
    model = Model(np.arange(30), walk(30, 1.0), points, [np.arange(len(points))] * 30, 0.3, 1.0)
    reason = find_ground(model, 0.6)
    assert isinstance(reason, str) and reason.startswith('scale failed')


def test_steps_are_added_in_their_own_scale() -> None:
    """Steps of 1 with scales 1, 2, 4: 1 x (1 + 2) / 2 = 1.5, then 1 x (2 + 4) / 2 = 3."""
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = (5.0, 6.0, 7.0)
    assert np.allclose(metric_positions(poses, np.array([1.0, 2.0, 4.0]))[:, 0], (0, 1.5, 4.5))


def test_a_fast_piece_becomes_a_slow_clip_with_the_reason(tmp_path: Path) -> None:
    """3 m/s with images at 20 Hz: time is stretched by 2, frames lie 0.1 s = 0.3 m apart."""
    import av

    path = tmp_path / 'fast.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=20)
        stream.width, stream.height, stream.pix_fmt = 320, 240, 'yuv420p'
        for k in range(160):
            image = np.full((240, 320, 3), k, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    poses = walk(40, 3.0)
    piece = Piece(np.arange(40), 4 * np.arange(40), poses, np.full(40, 0.7), 0.1, 0.02, 0.3,
                  CAMERA.fx, 3.0)
    footage = open_footage(path)
    config = LabelConfig(height=0.6)
    reports = write_piece(piece, 'fast_0', footage, CAMERA, config, tmp_path / 'out', 'none')
    clip = load_clip(reports[0].folder)
    assert clip.info.provenance['time_stretched_by'] == pytest.approx(2.0, rel=1e-3)
    assert clip.info.provenance['confidence'] == pytest.approx(0.7)
    assert np.allclose(np.diff(clip.odometry[:, 0]), 0.3, atol=1e-6)
    assert clip.info.period == pytest.approx(0.2, rel=1e-3)
    # Frame 2k of the video is the k-th of the clip: its grey is the number.
    centre = clip.rgb[:, 64, 64].mean(axis=-1)
    assert np.abs(centre[:50] - 2 * np.arange(50)).max() < 3


def test_a_walk_is_found_with_its_length() -> None:
    pytest.importorskip('pycolmap')
    truth = walk(40, 1.0)
    pieces, rejected = solve(views_of(truth), CAMERA, LabelConfig(height=0.6))
    assert rejected == {} and [len(p.numbers) for p in pieces] == [40]
    found = pieces[0].poses[:, :3, 3]
    length = np.linalg.norm(found[-1] - found[0])
    assert length == pytest.approx(7.8, rel=0.02)
    assert np.abs(found[:, 1]).max() < 0.1
    assert pieces[0].pitch == pytest.approx(MOUNT.pitch, abs=0.02)
    assert pieces[0].confidence.mean() > 0.5


@pytest.mark.parametrize(('factor', 'kept'), [(1.2, True), (4.0, False)])
def test_a_wrong_height_shows_only_when_the_speed_is_absurd(factor: float, kept: bool) -> None:
    """1 m/s with the height four times too large is 4 m/s: no walker; 1.2 m/s is one."""
    pytest.importorskip('pycolmap')
    pieces, rejected = solve(views_of(walk(30, 1.0)), CAMERA, LabelConfig(height=0.6 * factor))
    assert bool(pieces) == kept
    assert kept or 'speed' in next(iter(rejected.values()))


@pytest.mark.parametrize('turn', [0.0, 0.3])
def test_standing_and_pure_rotation_give_no_piece(turn: float) -> None:
    """Without parallax noise triangulates points that are not there."""
    pytest.importorskip('pycolmap')
    pieces, rejected = solve(views_of(walk(40, 0.0, turn)), CAMERA, LabelConfig(height=0.6))
    assert pieces == [] and set(rejected.values()) == {NO_PARALLAX}


def textured(seed: int) -> np.ndarray:
    """A random picture larger than the view. [400, 600, 3] uint8"""
    import cv2

    noise = np.random.default_rng(seed).integers(0, 256, (50, 75, 3), np.uint8)
    return cv2.resize(noise, (600, 400), interpolation=cv2.INTER_CUBIC)


def film() -> list[np.ndarray]:
    """40 pictures that pan by 2 px; another scene from 20 on."""
    return [textured(0 if k < 20 else 1)[:240, 2 * k:2 * k + 320].copy() for k in range(40)]


def gathered(pictures: list[np.ndarray]) -> Views:
    frames = [(k, Frame(0.1 * k, rgb)) for k, rgb in enumerate(pictures)]
    return gather(frames, set(range(len(pictures))), 'klt')


def test_a_cut_parts_the_scenes() -> None:
    views = gathered(film())
    assert views.bounds == [20]
    assert {views.scene[views.numbers.index(n)] for n in (0, 19)} == {0}
    assert views.scene[views.numbers.index(39)] == 1
    assert all(i // 20 == j // 20 for i, j, _ in views.pairs())


def test_blurred_and_frozen_pictures_are_left_out() -> None:
    import cv2

    pictures = film()[:20]
    pictures[5] = cv2.blur(pictures[5], (25, 1))
    pictures[8] = cv2.GaussianBlur(pictures[8], (0, 0), 8)
    for k in range(13, 18):
        pictures[k] = pictures[12]
    views = gathered(pictures)
    assert views.rejected == {5: 'blur', 8: 'blur', **dict.fromkeys(range(13, 18), 'frozen')}


def test_sharpness_is_compared_with_neighbours() -> None:
    assert blurred(np.array([1.0, 1.0, 0.3, 1.0])).tolist() == [False, False, True, False]
    # A blur of 20 pictures among 100 must not become its own measure of sharp.
    values = np.where(np.abs(np.arange(100) - 50) < 10, 0.3, 1.0)
    assert blurred(values).tolist() == (values < 1.0).tolist()


def test_chunks_overlap_and_cover() -> None:
    """100 frames at 10 Hz mapped at 5 Hz are 50; chunks of 20 with 5 shared begin every 15."""
    footage = Footage(Path('a.mp4'), 320, 240, 10.0, 100)
    found = chunks(footage, LabelConfig(height=0.6, chunk=20, overlap=5))
    assert [chunk.kept[0] for chunk in found] == [0, 30, 60]
    assert found[-1].kept[-1] == 98


def test_a_stopped_run_goes_on_and_other_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    footage = Footage(tmp_path / 'a.mp4', 320, 240, 10.0, 100)
    done: list[int] = []

    def fake(_: Footage, chunk: Chunk, *__: object) -> dict[str, object]:
        done.append(chunk.index)
        if done == [0, 1]:
            raise KeyboardInterrupt
        return {'chunk': chunk.index, 'frames': 20, 'pieces': [], 'rejected': [[0, 9, 'cut']]}

    monkeypatch.setattr(label_run, 'label_chunk', fake)
    config = LabelConfig(height=0.6, chunk=20, overlap=5)
    with pytest.raises(KeyboardInterrupt):
        label(footage, CAMERA, config, tmp_path / 'out', 'none')
    label(footage, CAMERA, config, tmp_path / 'out', 'none')
    assert done == [0, 1, 1, 2]
    assert json.loads((tmp_path / 'out/chunk_0001.json').read_text())['chunk'] == 1
    assert (tmp_path / 'out/summary.png').stat().st_size > 1000
    with pytest.raises(TrainingError, match='other settings'):
        label(footage, CAMERA, LabelConfig(height=0.7), tmp_path / 'out', 'none')


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    with pytest.raises(TrainingError, match='cannot be read as video'):
        open_footage(tmp_path / 'a.mp4')
    with pytest.raises(TrainingError, match='cannot be read as video'):
        open_footage(tmp_path / 'missing.mp4')
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos/1.jpg').write_bytes(b'x')
    with pytest.raises(TrainingError, match='--fps'):
        open_footage(tmp_path / 'photos')
