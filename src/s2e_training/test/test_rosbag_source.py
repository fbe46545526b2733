"""Bags of every kind of image and pose become clips; damaged ones give one clear error."""

import importlib.util
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from s2e_training.data.clip import load_clip
from s2e_training.data.importer import ImportConfig, import_recording
from s2e_training.data.sources.opening import open_recording
from s2e_training.data.sources.options import SourceOptions
from s2e_training.errors import TrainingError

spec = importlib.util.spec_from_file_location('bags', Path(__file__).with_name('bags.py'))
bags = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bags)
DATA = Path(os.environ.get('S2E_DATA', Path(__file__).parents[4] / 'shared' / 'data'))


def raw(encoding):
    def frame(index, ns):
        rgb = bags.picture(index)
        if encoding == 'bgr8':
            return bags.image(ns, rgb[..., ::-1], encoding)
        if encoding == 'rgba8':
            return bags.image(ns, np.dstack([rgb, np.full((48, 64), 255, np.uint8)]), encoding)
        if encoding == 'mono8':
            return bags.image(ns, rgb[..., 0], encoding)
        if encoding == 'yuv422':
            return bags.image(ns, cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_UYVY), encoding)
        return bags.image(ns, rgb, encoding)
    return frame


def jpeg(index, ns):
    data = cv2.imencode('.png', bags.picture(index)[..., ::-1])[1].ravel()
    return bags.kind('sensor_msgs/msg/CompressedImage')(
        bags.header(ns, 'camera_optical'), 'png', data
    )


@pytest.mark.parametrize('mcap', [True, False])
@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8', 'rgba8', 'mono8', 'yuv422', 'compressed'])
def test_every_encoding_gives_the_same_colours(tmp_path, encoding, mcap):
    frames = jpeg if encoding == 'compressed' else raw(encoding)
    bag = bags.write_bag(tmp_path / 'bag', frames, mcap=mcap, times=np.arange(4) * 0.1)
    recording = open_recording(bag)
    images = [frame.rgb for frame in recording.frames()]
    assert len(images) == 4
    expected = bags.picture(2)
    if encoding == 'mono8':
        expected = np.repeat(expected[..., :1], 3, axis=2)
    # Colours shared by two pixels and rounded: within 3 of 255.
    tolerance = 3 if encoding == 'yuv422' else 0
    assert np.abs(images[2].astype(int) - expected).max() <= tolerance
    assert recording.camera.cx == 32.0  # 31.5 counted from a pixel's centre
    assert (recording.mount.x, recording.mount.z) == (0.2, 0.5)
    assert abs(recording.mount.pitch) < 1e-9


@pytest.mark.parametrize('poses', ['odom', 'tf'])
def test_the_waypoints_lie_on_the_circle_that_was_driven(tmp_path, poses):
    bag = bags.write_bag(tmp_path / 'bag', raw('rgb8'), poses=poses)
    reports, _ = import_recording(open_recording(bag), tmp_path / 'clips', ImportConfig())
    assert len(reports) == 1
    clip = load_clip(reports[0].folder)
    # 2 s at 1 m/s and 0.2 rad/s: x = 5 sin 0.4 = 1.947, y = 5 (1 - cos 0.4) = 0.395
    np.testing.assert_allclose(clip.plan[3, -1], [1.947, 0.395], atol=0.003)
    np.testing.assert_allclose(clip.odometry[3, 3:], [1.0, 0.2], atol=0.01)
    assert clip.info.period == pytest.approx(0.2)
    assert np.diff(clip.stamps_ns).tolist() == [200_000_000] * (len(clip.stamps_ns) - 1)
    # The goal: 2 s after the last image, seen from the first.
    x, y, _ = bags.pose_at((clip.stamps_ns[-1] - clip.stamps_ns[0]) / 1e9 + 2.0)
    np.testing.assert_allclose(clip.goal, [x, y], atol=0.01)


def test_a_bag_with_bgr_images_and_gaps(tmp_path):
    """Images for 4 s, none for 3 s, then for 4 s: two clips, and the gap is reported."""
    times = np.concatenate([np.arange(40) * 0.1, 7 + np.arange(40) * 0.1])
    bag = bags.write_bag(tmp_path / 'bag', raw('bgr8'), times=times)
    reports, findings = import_recording(open_recording(bag), tmp_path / 'clips', ImportConfig())
    assert [report.frames for report in reports] == [20, 20]
    assert any(f.rule == 'gap' and '3.10 s' in f.text for f in findings)
    clip = load_clip(reports[0].folder)
    middle = clip.rgb[5, 64, 64]
    assert middle[0] > 2 * middle[2]  # red, not blue


def test_pieces_that_are_too_short_are_told(tmp_path):
    """Images for 4 s, none for 3 s, then for 2.5 s, of which every second one is chosen: 2.4 s."""
    times = np.concatenate([np.arange(40) * 0.1, 7 + np.arange(25) * 0.1])
    bag = bags.write_bag(tmp_path / 'bag', raw('rgb8'), times=times)
    reports, findings = import_recording(
        open_recording(bag), tmp_path / 'clips', ImportConfig(shortest=3.0))
    assert len(reports) == 1
    assert any(f.rule == 'short' and '1 pieces left out, the longest 2.4 s' in f.text
               for f in findings)


def test_stamps_that_go_back_are_left_out_and_reported(tmp_path):
    times = np.arange(60) * 0.1
    times[20] = 1.0
    bag = bags.write_bag(tmp_path / 'bag', raw('rgb8'), times=times)
    reports, findings = import_recording(open_recording(bag), tmp_path / 'clips', ImportConfig())
    assert any(f.rule == 'stamps back' for f in findings)
    assert len(reports) == 1


def test_broken_and_absurd_images_are_left_out(tmp_path):
    def frame(index, ns):
        message = raw('rgb8')(index, ns)
        if index in (4, 8):
            message.height = 4_000_000_000
        return message

    bag = bags.write_bag(tmp_path / 'bag', frame, times=np.arange(50) * 0.1)
    reports, _ = import_recording(open_recording(bag), tmp_path / 'clips', ImportConfig())
    assert any('2 images cannot be decoded' in str(f) for f in reports[0].findings)


def test_a_topic_that_was_opened_and_never_spoke_is_no_camera(tmp_path):
    """A recorder opens the compressed twin of every camera it may meet."""
    bag = bags.write_bag(
        tmp_path / 'bag', raw('rgb8'), topics=('/left/image',),
        more=lambda channel, *_: channel('/cam/compressed', 'sensor_msgs/msg/CompressedImage'),
    )
    assert len(open_recording(bag)) == 60


def test_two_cameras_must_be_told_apart(tmp_path):
    bag = bags.write_bag(tmp_path / 'bag', raw('rgb8'), topics=('/left/image', '/right/image'),
                         times=np.arange(3) * 0.1)
    with pytest.raises(TrainingError, match='/left/image, /right/image; name one'):
        open_recording(bag)
    assert len(open_recording(bag, SourceOptions(image_topic='/left/image'))) == 3
    with pytest.raises(TrainingError, match='has no images on /up'):
        open_recording(bag, SourceOptions(image_topic='/up'))


@pytest.mark.parametrize('mcap', [True, False])
@pytest.mark.parametrize('share', [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_bag_is_refused(tmp_path, mcap, share):
    bag = bags.write_bag(tmp_path / 'bag', raw('rgb8'), mcap=mcap)
    file = next(path for path in bag.iterdir() if path.suffix in ('.mcap', '.db3'))
    data = file.read_bytes()
    file.write_bytes(data[:int(len(data) * share)])
    with pytest.raises(TrainingError, match='cannot be read as a bag'):
        list(open_recording(bag).frames())


def test_nonsense_is_no_bag(tmp_path):
    for name in ('a.mcap', 'b.db3'):
        (tmp_path / name).write_bytes(b'nonsense' * 100)
        with pytest.raises(TrainingError, match='cannot be read as a bag'):
            open_recording(tmp_path / name)


@pytest.mark.data
def test_recorded_odometry_and_transforms():
    bag = DATA / 'ego' / 'evo' / 'nav2_turtlebot.mcap'
    if not bag.is_file():
        pytest.skip(f'real data absent: {bag} (set S2E_DATA to the data folder)')
    recording = open_recording(bag)
    assert len(recording) == 0
    # 97 s of a TurtleBot, whose limit is 0.31 m/s in `safe` mode and 0.46 m/s without.
    assert 0.1 < np.abs(recording.track.velocity(recording.track.stamps_ns)[:, 0]).max() < 0.5
    chain = open_recording(DATA / 'ego' / 'evo' / 'tf_example')
    assert 'TF, odom to base_link' in chain.notes[0]
    assert len(chain.track.stamps_ns) > 400
