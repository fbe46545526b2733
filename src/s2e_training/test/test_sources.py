"""Folders and videos of each format; real recordings where they are present."""

import itertools
import json
import math
import os
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from s2e_core.camera import SMALL_CAMERA, CameraMount
from s2e_core.errors import S2EError
from s2e_training.data.sources.opening import detect, find_recordings, open_recording
from s2e_training.data.sources.options import SourceOptions
from s2e_training.data.sources.poses import read_poses
from s2e_training.errors import TrainingError

DATA = Path(os.environ.get('S2E_DATA', Path(__file__).parents[4] / 'shared' / 'data'))


def real(relative):
    path = DATA / relative
    if not path.exists():
        pytest.skip(f'real data absent: {path} (set S2E_DATA to the data folder)')
    return path


def write_images(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        picture = np.full((24, 32, 3), (0, 0, 100 + index), np.uint8)  # blue first: red
        assert cv2.imwrite(str(folder / name), picture)


def optical(x, y, yaw):
    """A camera pose in its own first frame's axes: z ahead, x right. [3, 4]"""
    c, s = math.cos(yaw), math.sin(yaw)
    # Left turn: the optical axis swings towards -x.
    return np.array([[c, 0, -s, -y], [0, 1, 0, 0], [s, 0, c, x]])


def test_readers_need_no_torch():
    code = 'import sys; import s2e_training.data.sources.opening; print("torch" in sys.modules)'
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    out = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True,
                         env=environment)
    assert out.stdout.strip() == 'False'


def test_kitti_poses_become_a_planar_track(tmp_path, monkeypatch):
    write_images(tmp_path / 'image_0', [f'{i:06d}.png' for i in range(3)])
    (tmp_path / 'calib.txt').write_text('P0: 20 0 15.5 0 0 20 11.5 0 0 0 1 0\n')
    rows = [optical(0, 0, 0), optical(1, 0, 0.1), optical(2, 0.2, 0.2)]
    (tmp_path / 'poses.txt').write_text(
        '\n'.join(' '.join(f'{v:.12f}' for v in row.ravel()) for row in rows)
    )
    recording = open_recording(tmp_path)
    assert recording.kind == 'kitti'
    np.testing.assert_allclose(recording.track.poses, [[0, 0, 0], [1, 0, 0.1], [2, 0.2, 0.2]],
                               atol=1e-9)
    assert recording.stamps_ns.tolist() == [0, 100_000_000, 200_000_000]
    assert recording.camera.cx == 16.0
    frame = next(recording.frames())
    assert frame.rgb[0, 0].tolist() == [100, 0, 0]
    # Named from where it lies, also without poses of its own: those of the benchmark's layout.
    (tmp_path / 'sequences').mkdir()
    for name in ('image_0', 'calib.txt'):
        (tmp_path / name).rename(tmp_path / 'sequences' / name)
    monkeypatch.chdir(tmp_path)
    assert open_recording(Path('sequences')).track is None
    monkeypatch.chdir('sequences')
    assert open_recording(Path()).track is None


def test_the_camera_ahead_of_the_axle_is_taken_back_to_it(tmp_path):
    """A camera 1 m ahead of base_link swings sideways when the robot turns on the spot."""
    write_images(tmp_path, ['0.png', '1.png'])
    yaw = 0.5
    rows = [optical(0, 0, 0), optical(math.cos(yaw) - 1, math.sin(yaw), yaw)]
    (tmp_path / 'poses.txt').write_text(
        '\n'.join(' '.join(f'{v:.12f}' for v in row.ravel()) for row in rows)
    )
    mount = CameraMount(1.0, 0.0, 0.5, 0.0)
    track = open_recording(tmp_path, SourceOptions(rate=10.0, mount=mount)).track
    np.testing.assert_allclose(track.poses[1] - track.poses[0], [0, 0, yaw], atol=1e-9)


def test_tum_lists_stamps_and_names(tmp_path):
    write_images(tmp_path / 'rgb', ['a.png', 'b.png'])
    (tmp_path / 'rgb.txt').write_text('# stamp file\n10.5 rgb/a.png\n10.6 rgb/b.png\n')
    # z up, camera looking along x: quaternion of (optical axes) xyzw = -0.5 0.5 -0.5 0.5
    (tmp_path / 'groundtruth.txt').write_text(
        '10.0 0 0 1 -0.5 0.5 -0.5 0.5\n11.0 2 0 1 -0.5 0.5 -0.5 0.5\n'
    )
    recording = open_recording(tmp_path)
    assert recording.kind == 'tum'
    assert recording.stamps_ns.tolist() == [10_500_000_000, 10_600_000_000]
    np.testing.assert_allclose(recording.track.at(recording.stamps_ns)[:, 0], [1.0, 1.2])


@pytest.mark.parametrize(('text', 'match'), [
    ('1 2 3\n', '8 columns'), ('1 0 0 0 0 0 0 5\n', 'length 1'), ('nan 0 0 0 0 0 0 1\n', 'finite'),
    ('1 0 0 0 0 0 0 1\n2 0 0\n', 'must have 8 columns'), ('one 0 0 0 0 0 0 1\n', 'numbers'),
    ('# nothing\n', 'no pose'), ('2 0 0 0 0 1 0 0 0 0 1 0\n', 'no rigid motion'),
])
def test_pose_files_that_break_a_rule(tmp_path, text, match):
    (tmp_path / 'poses.txt').write_text(text)
    with pytest.raises(TrainingError, match=match):
        read_poses(tmp_path / 'poses.txt')


def test_a_list_may_not_name_files_elsewhere(tmp_path):
    (tmp_path / 'rgb.txt').write_text('1.0 ../../secret.png\n')
    with pytest.raises(TrainingError, match='outside of its folder'):
        open_recording(tmp_path)


def test_gnm_folders(tmp_path):
    root = tmp_path / 'drive_a'
    write_images(root, [f'{i}.jpg' for i in range(12)])
    position = np.column_stack([0.25 * np.arange(12), np.zeros(12)])
    (root / 'traj_data.pkl').write_bytes(
        pickle.dumps({'position': position, 'yaw': np.zeros(12)})
    )
    assert find_recordings(tmp_path) == [root]
    recording = open_recording(root)
    assert recording.kind == 'gnm'
    # 0.25 m at 4 Hz: 1 m/s.
    np.testing.assert_allclose(recording.track.velocity(recording.stamps_ns)[3], [1.0, 0.0],
                               atol=1e-9)
    # 10.jpg comes after 9.jpg, not after 1.jpg.
    reds = [int(frame.rgb[0, 0, 0]) for frame in recording.frames()]
    assert reds == sorted(reds)


def test_video_with_poses(tmp_path):
    path = tmp_path / 'walk.mp4'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for i in range(12):
            rgb = np.full((48, 64, 3), 20 * i, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(rgb, format='rgb24')):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    path.with_suffix('.txt').write_text(
        '0 0 0 1 -0.5 0.5 -0.5 0.5\n2 2 0 1 -0.5 0.5 -0.5 0.5\n'
    )
    recording = open_recording(path, SourceOptions(hfov=70.0))
    assert len(recording) == 12
    np.testing.assert_allclose(np.diff(recording.stamps_ns), 1e8, atol=1)
    picked = dict(recording.load([2, 7]))
    assert sorted(picked) == [2, 7]
    assert abs(int(picked[7].mean()) - 140) < 4
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(TrainingError, match='video'):
        open_recording(path)


def write_tub(root, angle, count=40):
    write_images(root / 'images', [f'{i}_cam_image_array_.jpg' for i in range(count)])
    (root / 'manifest.json').write_text('{}')
    rows = [
        {'_index': i, '_timestamp_ms': 1000 + 50 * i, 'user/angle': angle, 'user/throttle': 0.5,
         'cam/image_array': f'{i}_cam_image_array_.jpg'} for i in range(count)
    ]
    (root / 'catalog_0.catalog').write_text('\n'.join(map(json.dumps, rows)))


def test_a_car_with_turned_wheels_drives_a_circle(tmp_path):
    write_tub(tmp_path, angle=1.0)
    options = SourceOptions(full_speed=2.0, wheelbase=0.5, steering=math.degrees(math.atan(0.5)))
    recording = open_recording(tmp_path, options)
    # Radius = wheelbase / tan = 0.5 / 0.5 = 1 m to the right at 0.5 * 2 = 1 m/s: -1 rad/s.
    x, y, yaw = recording.track.poses[20]  # at 1 s
    assert yaw == pytest.approx(-1.0)
    assert (x, y) == pytest.approx((math.sin(1.0), math.cos(1.0) - 1.0), abs=0.001)
    assert recording.provenance['dead_reckoning'] is True
    assert 'dead reckoning' in ' '.join(recording.notes)


def test_a_tub_may_not_name_files_elsewhere(tmp_path):
    write_tub(tmp_path, 0.0)
    catalog = tmp_path / 'catalog_0.catalog'
    catalog.write_text(catalog.read_text().replace('3_cam', '../3_cam'))
    with pytest.raises(TrainingError, match='file name'):
        open_recording(tmp_path)


def test_an_archive_may_not_write_elsewhere(tmp_path):
    path = tmp_path / 'tub.tar'
    (tmp_path / 'evil').write_text('x')
    with tarfile.open(path, 'w') as archive:
        archive.add(tmp_path / 'evil', '../escaped')
    with pytest.raises(TrainingError, match='cannot be unpacked'):
        open_recording(path)


def test_unknown_folders_are_named(tmp_path):
    with pytest.raises(TrainingError, match='has no known form'):
        detect(tmp_path)
    with pytest.raises(TrainingError, match='no such file'):
        detect(tmp_path / 'absent')
    with pytest.raises(S2EError, match='camera or hfov'):
        SourceOptions(camera=SMALL_CAMERA, hfov=90.0)


@pytest.mark.data
def test_real_kitti_street():
    recording = open_recording(real('ego/kitti_seq_a'))
    assert (len(recording), recording.camera.width) == (51, 1226)
    # The last row of poses.txt: 59.84 m ahead, 0.98 m to the left.
    length = np.linalg.norm(recording.track.poses[-1, :2] - recording.track.poses[0, :2])
    assert length == pytest.approx(59.85, abs=0.05)


@pytest.mark.data
def test_real_walk_in_lund():
    recording = open_recording(real('posed_images/opensfm_lund'), SourceOptions(speed=1.4))
    assert len(recording) == 29
    # GPS: 5.55" of latitude and 3.12" of longitude between the first photo and the last.
    north, east = 5.55 / 3600 * 111_195, 3.12 / 3600 * 111_195 * math.cos(math.radians(55.7))
    ends = recording.track.poses[-1, :2] - recording.track.poses[0, :2]
    assert np.linalg.norm(ends) == pytest.approx(math.hypot(north, east), rel=0.1)


@pytest.mark.data
def test_the_bicycle_turns_as_the_images_do():
    """The horizon's shift from image to image gives sign and size of the yaw rate."""
    recording = open_recording(real('ego/donkeycar/tub.tar.gz'))
    images = [
        cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)[8:46, 40:120].astype(np.float32)
        for frame in recording.frames()
    ]
    window = cv2.createHanningWindow((80, 38), cv2.CV_32F)
    shift = np.array([
        cv2.phaseCorrelate(a, b, window)[0][0]
        for a, b in itertools.pairwise(images)
    ])
    seen = shift / recording.camera.fx  # a shift to the right is a turn to the left
    assumed = np.diff(recording.track.poses[:, 2])
    assert np.corrcoef(seen, assumed)[0, 1] > 0.85
    assert (seen @ assumed) / (assumed @ assumed) == pytest.approx(1.0, abs=0.15)
