"""Choosing images, cutting, slowing down, and the labels of a known path."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.camera import CameraModel, CameraMount
from s2e_training.data.checks import check_stamps, check_track, frozen_images
from s2e_training.data.clip import load_clip
from s2e_training.data.importer import ImportConfig, import_recording
from s2e_training.data.resample import choose_frames, future_plan, slow_down, split
from s2e_training.data.sources.recording import Recording, Track
from s2e_training.errors import TrainingError

MS = 1_000_000


def line(seconds=10.0, speed=1.0, step=0.05):
    t = np.arange(0, seconds, step)
    return Track(np.round(t * 1e9).astype(np.int64),
                 np.column_stack([speed * t, np.zeros(len(t)), np.zeros(len(t))]))


def recording(track, rate=10.0, change=True, **more):
    count = int(track.stamps_ns[-1] / 1e9 * rate)
    stamps = np.round(np.arange(count) / rate * 1e9).astype(np.int64)
    shape = (count if change else 1, 24, 32, 3)
    noise = np.random.default_rng(0).integers(0, 255, shape, np.uint8)

    def load(wanted):
        return ((i, noise[i if change else 0]) for i in wanted)

    given = {'camera': CameraModel.from_fov(32, 24, 1.5), 'mount': CameraMount(0.3, 0, 0.6, 0.1),
             'licence': 'CC0', **more}
    return Recording('drive', 'test', stamps, load, track=track, **given)


def test_ten_hertz_becomes_five():
    stamps = np.arange(10) * 100 * MS
    assert choose_frames(stamps).tolist() == [0, 2, 4, 6, 8]


def test_eight_hertz_keeps_the_nearest():
    # Images at 0, 125, 250, 375, 500, 625 ms; slots at 0, 200, 400, 600: nearest 0, 250, 375, 625.
    assert choose_frames(np.arange(6) * 125 * MS).tolist() == [0, 2, 3, 5]


def test_sparse_images_are_all_kept():
    assert choose_frames(np.arange(4) * 700 * MS).tolist() == [0, 1, 2, 3]


@given(st.lists(st.integers(-10**10, 10**10), max_size=60))
def test_chosen_stamps_always_rise(stamps):
    stamps = np.array(stamps, np.int64)
    assert (np.diff(stamps[choose_frames(stamps)]) > 0.5 * 200 * MS).all()


def test_only_images_with_two_seconds_to_come_are_kept():
    track = line(10.0)  # poses until 9.95 s
    parts = split(np.arange(0, 10_000, 200, dtype=np.int64) * MS, track, 10**12)
    # The last image at 7.8 s: 7.8 + 2 = 9.8 <= 9.95, but 8.0 + 2 is not.
    assert [(p[0], p[-1]) for p in parts] == [(0, 39)]


def test_a_jump_of_the_poses_cuts_the_clip():
    track = line(20.0)
    poses = track.poses.copy()
    poses[200:, 1] += 3.0  # at 10 s
    parts = split(np.arange(0, 20_000, 200, dtype=np.int64) * MS, Track(track.stamps_ns, poses),
                  10**12)
    # No image between 7.95 s and 10 s may look over the jump.
    assert [(p[0], p[-1]) for p in parts] == [(0, 39), (50, 89)]


def test_long_recordings_are_cut_by_time():
    parts = split(np.arange(0, 50_000, 200, dtype=np.int64) * MS, line(60.0), 20 * 10**9)
    assert [len(p) for p in parts] == [100, 100, 50]


def test_the_plan_of_a_straight_drive():
    plan = future_plan(line(10.0, 1.5), np.array([10**9], np.int64))
    np.testing.assert_allclose(plan[0, :, 0], 0.3 * np.arange(1, 11), atol=1e-9)
    np.testing.assert_allclose(plan[0, :, 1], 0.0, atol=1e-9)


def test_a_fast_drive_is_slowed_but_stays_on_its_path():
    slow, factor = slow_down(recording(line(10.0, 6.0)), 1.5)
    assert factor == pytest.approx(4.0)
    np.testing.assert_allclose(slow.track.velocity(np.array([20 * 10**9]))[0], [1.5, 0], atol=1e-6)
    np.testing.assert_allclose(slow.track.poses[-1], [59.7, 0, 0])
    assert slow_down(recording(line(10.0, 1.0)), 1.5)[1] == 1.0


def test_stamps_since_1970_lose_no_microsecond():
    far = 1_764_000_000 * 10**9
    track = Track(np.array([far, far + 10**9], np.int64), np.array([[0, 0, 0], [1.0, 0, 0]]))
    assert track.at(np.array([far + 123_456_789]))[0, 0] == pytest.approx(0.123456789, abs=1e-9)


def test_findings_name_what_is_wrong():
    gap = check_stamps(np.array([0, 100, 200, 1900, 2000]) * MS)
    assert [f.rule for f in gap] == ['gap'] and '1.70 s' in gap[0].text
    back = check_stamps(np.array([0, 100, 50, 200]) * MS)
    assert [f.rule for f in back] == ['stamps back'] and '0.050 s' in back[0].text
    assert check_stamps(np.arange(9) * 100 * MS) == []
    millimetres = line(10.0, 1000.0)
    assert [f.severity for f in check_track(millimetres)] == ['error']
    kilometres = line(10.0, 0.001)
    assert [f.rule for f in check_track(kilometres)] == ['units']
    degrees = Track(line().stamps_ns, line().poses + np.column_stack(
        [np.zeros(200), np.zeros(200), 57.3 * 0.3 * np.arange(200) * 0.05]))
    assert 'degrees' in check_track(degrees)[0].text
    poses = line().poses.copy()
    poses[100:, 0] += 5.0
    jump = check_track(Track(line().stamps_ns, poses))
    assert [f.rule for f in jump] == ['jump'] and '5.05 m' in jump[0].text
    assert check_track(line()) == []


def test_frozen_images_count_only_in_motion():
    same = np.full((4, 8, 8, 3), 7, np.uint8)
    assert frozen_images(same, np.array([1.0, 1.0, 0.0, 1.0])).tolist() == [
        False, True, False, True]


def test_frozen_images_are_reported(tmp_path):
    reports, _ = import_recording(recording(line(), change=False), tmp_path, ImportConfig())
    assert any(f.rule == 'frozen' for f in reports[0].findings)


@pytest.mark.parametrize(('unseen', 'words'), [('black', 'is black'), ('edge', 'nearest pixel')])
def test_what_a_camera_does_not_see_is_filled_as_asked(tmp_path, unseen, words):
    narrow = recording(line(), camera=CameraModel.from_fov(32, 24, math.radians(60)))
    reports, _ = import_recording(narrow, tmp_path, ImportConfig(unseen=unseen))
    assert any(words in f.text for f in reports[0].findings if f.rule == 'view')
    clip = load_clip(reports[0].folder)
    # tan(30 deg) / tan(45 deg) = 0.58 of the width is seen, so 27 columns at each side are not.
    assert clip.rgb[:, 64, :25].any() == (unseen == 'edge')
    assert clip.info.provenance['unseen'] == unseen


def test_wrong_units_are_refused_unless_forced(tmp_path):
    wrong = recording(line(10.0, 1000.0))
    with pytest.raises(TrainingError, match=r'impossible for this platform \(at most 40 m/s\)'):
        import_recording(wrong, tmp_path, ImportConfig())
    reports, _ = import_recording(wrong, tmp_path, ImportConfig(force=True, v_max=0.0))
    assert reports


@pytest.mark.parametrize(('missing', 'text'), [
    ('camera', 'no intrinsics'), ('mount', 'where the camera sits'), ('track', 'no poses'),
])
def test_what_is_missing_is_named(tmp_path, missing, text):
    import dataclasses
    with pytest.raises(TrainingError, match=text):
        import_recording(dataclasses.replace(recording(line()), **{missing: None}), tmp_path,
                         ImportConfig())


def test_clips_are_never_overwritten(tmp_path):
    import_recording(recording(line()), tmp_path, ImportConfig())
    with pytest.raises(TrainingError, match='is there already'):
        import_recording(recording(line()), tmp_path, ImportConfig())
