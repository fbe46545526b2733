"""Films play in browsers and show the modes where they lie."""

from __future__ import annotations

import av
import numpy as np
import pytest

from navbench_gs.errors import ReportError
from navbench_gs.report.film import STILLS, EpisodeFilm
from navbench_gs.report.inset import Inset
from navbench_gs.tasks.hazards import Patch
from s2e_core.camera import SMALL_CAMERA, SMALL_MOUNT, CameraMount
from s2e_core.contract import PolicyOutput
from s2e_core.records import CameraFrame
from s2e_core.robot import load_robot
from s2e_core.se2 import Pose2

GREY = CameraFrame(0, np.full((128, 128, 3), 90, np.uint8))


def output(modes):
    modes = np.asarray(modes, np.float32)
    return PolicyOutput(0, modes, np.full(len(modes), 1.0 / len(modes), np.float32))


def straight(y=0.0):
    return np.stack([0.3 * np.arange(1, 11), np.full(10, y)], axis=1)


def frames(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]


def test_film_is_h264_yuv420p_at_five_frames_a_second(tmp_path):
    path = tmp_path / 'films' / 'a.mp4'
    with EpisodeFilm(path, SMALL_CAMERA, SMALL_MOUNT) as film:
        for k in range(12):
            film.add(GREY, output([straight()]), 0, {'time': 0.2 * k, 'speed': 1.0})
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == 'h264'
        assert stream.codec_context.pix_fmt == 'yuv420p'
        assert (stream.width, stream.height) == (640, 480)
        assert float(stream.average_rate) == 5.0
    assert len(frames(path)) == 12
    assert [p.name for p in path.parent.iterdir()] == ['a.mp4']


def test_chosen_mode_is_drawn_on_the_ground_ahead(tmp_path):
    plain, drawn = tmp_path / 'plain.mp4', tmp_path / 'drawn.mp4'
    for path, mode in ((plain, None), (drawn, 0)):
        with EpisodeFilm(path, SMALL_CAMERA, SMALL_MOUNT) as film:
            film.add(GREY, None if mode is None else output([straight()]), mode, {})
    change = np.abs(frames(drawn)[0].astype(int) - frames(plain)[0].astype(int)).sum(axis=2)
    columns = np.flatnonzero((change[300:400] > 60).any(axis=0))
    # Straight ahead: around the middle column, nothing at the edges or above the horizon.
    assert abs(columns.mean() - 320) < 25
    assert change[:150].max() < 40


def test_a_plan_to_stand_has_no_ribbon_but_a_word(tmp_path):
    """Ten points within 6 cm whose steps add up to 0.4 m: as a ribbon they swept the picture."""
    turn = np.arange(10.0) * 2.5
    jitter = 0.03 + 0.03 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    low, pictures = CameraMount(-0.3, 0.0, 0.15, 0.28), []
    for chosen in (-1, 0):
        path = tmp_path / f'{chosen}.mp4'
        with EpisodeFilm(path, SMALL_CAMERA, low) as film:
            film.add(GREY, output([jitter]), chosen, {})
        pictures.append(frames(path)[0].astype(int))
    change = np.abs(pictures[1] - pictures[0]).sum(axis=2) > 60
    assert not change[:, :200].any() and not change[:440, 440:].any()
    assert change[455:475, 450:520].any()


def test_any_mode_draws(tmp_path):
    wild = [straight(3.0), -straight(), np.zeros((10, 2)), np.full((10, 2), np.nan),
            np.full((10, 2), 1e30)]
    path = tmp_path / 'a.mp4'
    with EpisodeFilm(path, SMALL_CAMERA, SMALL_MOUNT) as film:
        for chosen in range(5):
            film.add(GREY, output(wild), chosen, {'bearing': float('nan'), 'goal': (-3.0, 1.0)})
        film.add(GREY, None, None, {'contact': True, 'title': 'ä', 'distance': float('inf')})
    assert len(frames(path)) == 6


@pytest.mark.parametrize(('count', 'expected'), [(1, 1), (8, 8), (60, 8)])
def test_stills_cover_the_film(tmp_path, count, expected):
    with EpisodeFilm(tmp_path / 'a.mp4', SMALL_CAMERA, SMALL_MOUNT, stills=tmp_path / 's') as film:
        for _ in range(count):
            film.add(GREY, None, None, {})
    assert len(list((tmp_path / 's').iterdir())) == expected <= STILLS


def test_film_without_frames_leaves_no_file(tmp_path):
    EpisodeFilm(tmp_path / 'a.mp4', SMALL_CAMERA, SMALL_MOUNT).close()
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / 'f').write_text('')
    with pytest.raises(ReportError, match='cannot be written'):
        EpisodeFilm(tmp_path / 'f' / 'a.mp4', SMALL_CAMERA, SMALL_MOUNT)


def test_inset_is_north_up_and_centred_on_the_robot(block_scene):
    inset = Inset(block_scene.collision, load_robot('coco'), size=100, metres=20.0)
    empty = np.zeros((0, 2))
    # At (20, 11) the block x 6..16 begins 4 m to the west: 20 pixels left of the middle.
    picture = inset.draw(
        Pose2(20.0, 11.0, 0.0), (200.0, 11.0), empty, empty, empty, [Patch(20.0, 15.0, 0, .4, .4)]
    )
    assert picture.shape == (100, 100, 3)
    assert picture[50, 20].mean() > 120
    assert picture[50, 38].mean() < 90
    # The obstacle 4 m to the north is above the middle.
    assert picture[30, 50, 0] > 180
    assert picture[70, 50, 0] < 90
