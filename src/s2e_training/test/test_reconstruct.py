"""From a COLMAP model and photos to a splat: readers, scale, moves and a small fit."""

from __future__ import annotations

import json
import math
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from navbench_gs.render import RenderCamera, make_renderer
from navbench_gs.splats import load
from navbench_gs.splats.cloud import GaussianCloud
from s2e_training.errors import TrainingError
from s2e_training.reconstruct.colmap import Model, PhotoPose, find_model, read_model
from s2e_training.reconstruct.config import ReconstructConfig
from s2e_training.reconstruct.gaussians import Gaussians
from s2e_training.reconstruct.metres import from_distance, from_gps, read_gps, upright
from s2e_training.reconstruct.photos import load_photos, split
from s2e_training.reconstruct.relocate import refine, split_copies
from s2e_training.reconstruct.run import reconstruct

DATA = Path(os.environ.get('S2E_DATA', Path(__file__).resolve().parents[4] / 'shared' / 'data'))
LUND = DATA / 'posed_images' / 'opensfm_lund'
PHOTOS = 6
COLOURS = np.random.default_rng(3).integers(0, 256, (60, 3))
POINTS = np.random.default_rng(2).uniform(-1, 1, (60, 3)) + [0, 0, 4]


def write_text(folder: Path, lens: str = 'PINHOLE 48 36 40 40 24 18') -> None:
    """A model of photos 0.2 apart along x, looking along z, with an empty line after each."""
    folder.mkdir(parents=True)
    (folder / 'cameras.txt').write_text(f'# lenses\n1 {lens}\n')
    lines = [f'{k + 1} 1 0 0 0 {-0.2 * k} 0 0 1 photo {k}.png\n\n' for k in range(PHOTOS)]
    (folder / 'images.txt').write_text('# photos\n' + ''.join(reversed(lines)))
    rows = [f'{k} {" ".join(map(str, [*p, *c]))} 0.5 1 2 3 4\n'
            for k, (p, c) in enumerate(zip(POINTS, COLOURS, strict=True))]
    (folder / 'points3D.txt').write_text(''.join(rows))


def write_binary(folder: Path) -> None:
    """The same model as bytes."""
    folder.mkdir(parents=True)
    (folder / 'cameras.bin').write_bytes(struct.pack('<QIiQQ4d', 1, 1, 1, 48, 36, 40, 40, 24, 18))
    photos = [struct.pack('<I7dI', k + 1, 1, 0, 0, 0, -0.2 * k, 0, 0, 1)
              + f'photo {k}.png'.encode() + b'\0' + struct.pack('<Q2dq', 1, 5.0, 6.0, 7)
              for k in range(PHOTOS)]
    (folder / 'images.bin').write_bytes(struct.pack('<Q', PHOTOS) + b''.join(photos))
    points = [struct.pack('<Q3d3BdQ2I', k, *p, *map(int, c), 0.5, 1, 2, 3)
              for k, (p, c) in enumerate(zip(POINTS, COLOURS, strict=True))]
    (folder / 'points3D.bin').write_bytes(struct.pack('<Q', len(points)) + b''.join(points))


def write_photos(folder: Path, model: Model) -> None:
    """What a cloud of the model's points looks like."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(model.points)
    cloud = GaussianCloud.from_rgb(model.points, np.tile([1.0, 0, 0, 0], (n, 1)),
                                   np.full((n, 3), 0.12), np.full(n, 0.9), model.colours / 255)
    renderer = make_renderer(cloud)
    for photo in model.photos:
        camera = RenderCamera(48, 36, 40, 40, 24, 18, photo.pose)
        picture = renderer.render(camera).rgb
        cv2.imwrite(str(folder / photo.name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def test_text_and_binary_read_alike(tmp_path: Path) -> None:
    """Photos come in the order of names; a photo k was taken at x = 0.2 k."""
    write_text(tmp_path / 'text')
    write_binary(tmp_path / 'project' / 'sparse' / '0')
    found = find_model(tmp_path / 'project')
    assert found is not None
    one, other = read_model(tmp_path / 'text'), read_model(found)
    assert [p.name for p in one.photos] == [f'photo {k}.png' for k in range(PHOTOS)]
    assert one.centres[3] == pytest.approx([0.6, 0, 0])
    assert np.allclose(one.centres, other.centres) and one.lenses == other.lenses
    assert np.allclose(one.points, other.points) and (one.colours == other.colours).all()


@pytest.mark.parametrize(('lens', 'want'), [
    ('SIMPLE_PINHOLE 48 36 40 24 18', (40, 40, 24, 18, (0, 0, 0, 0))),
    ('SIMPLE_RADIAL 48 36 40 24 18 0.1', (40, 40, 24, 18, (0.1, 0, 0, 0))),
    ('RADIAL 48 36 40 24 18 0.1 0.2', (40, 40, 24, 18, (0.1, 0.2, 0, 0))),
    ('OPENCV 48 36 40 41 24 18 1 2 3 4', (40, 41, 24, 18, (1, 2, 3, 4))),
])
def test_lenses(tmp_path: Path, lens: str, want: tuple) -> None:
    """Order of parameters by kind."""
    write_text(tmp_path / 'm', lens)
    got = read_model(tmp_path / 'm').lenses[1]
    assert (got.fx, got.fy, got.cx, got.cy, got.distortion) == want


@pytest.mark.parametrize('name', ['cameras.bin', 'images.bin', 'points3D.bin'])
def test_cut_files_are_refused(tmp_path: Path, name: str) -> None:
    """Cut anywhere, one clear error; and a count of 2^60 allocates nothing."""
    write_binary(tmp_path / 'm')
    whole = (tmp_path / 'm' / name).read_bytes()
    for size in (0, 7, 20, len(whole) - 1):
        (tmp_path / 'm' / name).write_bytes(whole[:size])
        with pytest.raises(TrainingError, match=name):
            read_model(tmp_path / 'm')
    (tmp_path / 'm' / name).write_bytes(struct.pack('<Q', 2**60) + whole[8:])
    with pytest.raises(TrainingError, match=name):
        read_model(tmp_path / 'm')


def test_other_lenses_and_escaping_names_are_refused(tmp_path: Path) -> None:
    """The error names what is known."""
    write_text(tmp_path / 'm', 'FISHEYE 48 36 40 24 18 0.1')
    with pytest.raises(TrainingError, match='OPENCV, got FISHEYE'):
        read_model(tmp_path / 'm')
    write_text(tmp_path / 'n')
    images = tmp_path / 'n' / 'images.txt'
    images.write_text(images.read_text().replace('photo 2', '../photo 2'))
    with pytest.raises(TrainingError, match='in their folder'):
        read_model(tmp_path / 'n')


def test_upright_and_distance(tmp_path: Path) -> None:
    """Cameras' y is down, so up becomes z; photos 0 and 5 lie 1.0 units apart, 4 m given."""
    write_text(tmp_path / 'm')
    model = upright(read_model(tmp_path / 'm'))
    assert model.photos[0].pose[:3, 1] == pytest.approx([0, 0, -1], abs=1e-9)
    assert np.linalg.det(model.photos[0].pose) == pytest.approx(1.0)
    named = Model(model.lenses, [PhotoPose(p.name.replace(' ', '_'), p.lens, p.pose)
                                 for p in model.photos], model.points, model.colours)
    assert from_distance(named, 'photo_0.png photo_5.png 4').per_unit == pytest.approx(4.0)
    for words in ('photo_0.png 4', 'photo_0.png photo_9.png 4', 'photo_0.png photo_0.png 4',
                  'photo_0.png photo_5.png nan'):
        with pytest.raises(TrainingError, match='distance'):
            from_distance(named, words)


@pytest.mark.data
@pytest.mark.skipif(not LUND.is_dir(), reason=f'{LUND}: no photos there')
def test_gps_of_real_photos() -> None:
    """The walk is some 30 m long by GPS of 5 m accuracy: the scale and its error say so."""
    folder = LUND
    model = upright(read_model(folder / 'derived_colmap'))
    # 05.jpg: 55 deg 41' 53.89'' N, 13 deg 11' 42.35'' E.
    assert read_gps(folder / 'images' / '05.jpg') == pytest.approx((55.69830, 13.19510), abs=1e-5)
    metres = from_gps(model, folder / 'images')
    assert metres is not None and metres.error is not None
    ends = [read_gps(folder / 'images' / model.photos[k].name) for k in (0, -1)]
    assert ends[0] is not None and ends[1] is not None
    walked = math.hypot((ends[0][0] - ends[1][0]) * 111_195,
                        (ends[0][1] - ends[1][1]) * 111_195 * math.cos(math.radians(55.7)))
    units = float(np.linalg.norm(model.centres[0] - model.centres[-1]))
    assert metres.per_unit == pytest.approx(walked / units, rel=0.3)


def test_copies_look_like_the_original() -> None:
    """Two of 1 - sqrt(1 - 0.75) = 0.5: 0.75 / (0.5 + 0.5 - 0.25 / sqrt 2) = 0.9110."""
    parts, factors = split_copies(torch.tensor([0.75, 0.75]), torch.tensor([1, 2]))
    assert parts.tolist() == pytest.approx([0.75, 0.5])
    assert factors.tolist() == pytest.approx([1.0, 0.75 / (1.0 - 0.25 / math.sqrt(2))])


def test_dead_gaussians_move_to_live_ones() -> None:
    """One dead and one live become three at the live one's place."""
    g = Gaussians(torch.tensor([[0.0, 0, 0], [1, 2, 3]]), torch.zeros(2, 3),
                  torch.tensor([[1.0, 0, 0, 0]] * 2), torch.tensor([-9.0, 2.0]),
                  torch.zeros(2, 1, 3))
    grown, changed = refine(g, 3, torch.Generator().manual_seed(0))
    assert grown.means.tolist() == [[1, 2, 3]] * 3 and changed.all()
    # 1 - (1 - o)^3 is what it was.
    together = 1 - (1 - grown.opacities()).prod()
    assert float(together) == pytest.approx(float(torch.tensor(2.0).sigmoid()), abs=1e-4)


def test_distorted_photos_are_straightened(tmp_path: Path) -> None:
    """Strong pincushion leaves corners without content; reducing keeps the middle in place."""
    write_text(tmp_path / 'm', 'SIMPLE_RADIAL 48 36 40 24 18 0.3')
    model = read_model(tmp_path / 'm')
    write_photos(tmp_path, model)
    photos = load_photos(tmp_path, model, 24)
    assert photos[0].pixels.shape == (18, 24, 3) and photos[0].camera.cx == 12.0
    assert not photos[0].valid[0, 0] and photos[0].valid[9, 12]
    fitted, held = split(photos, 4)
    assert [p.name for p in held] == ['photo 0.png', 'photo 4.png'] and len(fitted) == 4


def test_whole_way(tmp_path: Path) -> None:
    """A fit improves, a paused one ends where an unbroken one does, and the outputs read back."""
    write_text(tmp_path / 'sparse')
    write_photos(tmp_path / 'images', read_model(tmp_path / 'sparse'))
    config = ReconstructConfig(steps=60, cap=120, refine_every=10, threads=1, width=48)
    seen: list[float] = []

    def once(out: str) -> None:
        result = reconstruct(tmp_path, tmp_path / out, config, clock=lambda: 0.0,
                             tell=lambda text: None, progress=lambda p: seen.append(p.psnr))
        assert len(result.held) == 1 and '--up=+z --camera-height' in result.command

    once('whole')
    assert seen[-1] > seen[0] + 1.0

    class StopError(Exception):
        pass

    def stop(progress: object) -> None:
        if getattr(progress, 'step') == 31:  # noqa: B009
            raise StopError

    ticks = iter(range(10**6))
    with pytest.raises(StopError):
        reconstruct(tmp_path, tmp_path / 'paused', config, clock=lambda: 100.0 * next(ticks),
                    tell=lambda text: None, progress=stop)
    once('paused')
    whole, paused = (tmp_path / out for out in ('whole', 'paused'))
    assert (whole / 'splats.ply').read_bytes() == (paused / 'splats.ply').read_bytes()
    assert len(load(whole / 'splats.ply')) <= 120
    report = json.loads((whole / 'report.json').read_text())
    assert report['metres'] is None and report['photos_held_out'] == 1
    assert len(json.loads((whole / 'cameras.json').read_text())) == PHOTOS
    assert 'photo 0.png' in (whole / 'report.html').read_text()
    with pytest.raises(TrainingError, match='other steps'):
        reconstruct(tmp_path, whole, ReconstructConfig(steps=61, cap=120, refine_every=10,
                    threads=1, width=48), clock=lambda: 0.0, tell=lambda text: None)
