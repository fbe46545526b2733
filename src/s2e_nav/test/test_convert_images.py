"""Images: every encoding, padded rows, and what is refused."""

from __future__ import annotations

import sys
from types import ModuleType

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CompressedImage, Image

from s2e_core.pixels import CHANNELS
from s2e_core.records import CameraFrame
from s2e_nav.convert.images import (
    compressed_from_frame,
    frame_from_compressed,
    frame_from_image,
    image_from_frame,
)
from s2e_nav.errors import ConversionError


def message(encoding: str, pixels: np.ndarray, padding: int = 0) -> Image:
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    padded = np.concatenate([rows, np.full((height, padding), 99, np.uint8)], axis=1)
    image = Image()
    image.height, image.width, image.encoding = height, width, encoding
    image.step, image.data = padded.shape[1], padded.tobytes()
    image.header.stamp.sec, image.header.stamp.nanosec = 3, 5
    return image


@given(
    st.sampled_from(sorted(CHANNELS)), st.integers(1, 17), st.integers(1, 13),
    st.integers(0, 9), st.integers(0, 2**32 - 1),
)
def test_every_encoding_gives_the_same_colours(encoding, width, height, padding, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    if CHANNELS[encoding] == 1:
        rgb = np.repeat(rgb[..., :1], 3, axis=2)
    alpha = np.full((height, width, 1), 200, np.uint8)
    sent = {
        'rgb8': rgb, 'bgr8': rgb[..., ::-1], '8UC3': rgb[..., ::-1], 'mono8': rgb[..., :1],
        '8UC1': rgb[..., :1], 'rgba8': np.concatenate([rgb, alpha], 2),
        'bgra8': np.concatenate([rgb[..., ::-1], alpha], 2),
    }[encoding]
    frame = frame_from_image(message(encoding, np.ascontiguousarray(sent), padding))
    assert frame.stamp_ns == 3_000_000_005
    assert frame.rgb.flags.c_contiguous
    np.testing.assert_array_equal(frame.rgb, rgb)


@pytest.mark.parametrize('encoding', ['bgr8', 'rgba8', 'mono8', 'yuv422'])
def test_pixels_are_converted_into_the_memory_that_is_offered(encoding):
    channels = {'bgr8': 3, 'rgba8': 4, 'mono8': 1, 'yuv422': 2}[encoding]
    rng = np.random.default_rng(3)
    sent = [message(encoding, rng.integers(0, 256, (6, 8, channels), np.uint8)) for _ in '12']
    fresh = [frame_from_image(image).rgb for image in sent]
    spare = np.empty((6, 8, 3), np.uint8)
    for image, expected in zip(sent, fresh, strict=True):
        rgb = frame_from_image(image, spare).rgb
        assert np.shares_memory(rgb, spare)
        np.testing.assert_array_equal(rgb, expected)
    # Of another size it is left alone.
    small = np.full((2, 2, 3), 7, np.uint8)
    np.testing.assert_array_equal(frame_from_image(sent[0], small).rgb, fresh[0])
    assert (small == 7).all()


@pytest.mark.parametrize(('encoding', 'row', 'column'), [
    ('bayer_rggb8', 0, 0), ('bayer_grbg8', 0, 1), ('bayer_gbrg8', 1, 0), ('bayer_bggr8', 1, 1),
])
def test_a_mosaic_is_named_by_where_its_red_lies(encoding, row, column):
    mosaic = np.zeros((8, 10, 1), np.uint8)
    mosaic[row::2, column::2] = 200
    rgb = frame_from_image(message(encoding, mosaic, padding=3)).rgb
    # Away from the border, red is full everywhere and nothing else is seen.
    assert (rgb[2:-2, 2:-2] == [200, 0, 0]).all()
    with pytest.raises(ConversionError, match='needs 3x3'):
        frame_from_image(message(encoding, mosaic[:2]))


def test_cv_bridge_is_asked_for_what_we_do_not_know(monkeypatch):
    asked = []

    class Bridge:
        def imgmsg_to_cv2(self, image, encoding):
            asked.append((image.encoding, encoding))
            if image.encoding == 'strange':
                raise Unknown
            return np.full((4, 6, 3), 9, np.uint8)

    class Unknown(Exception):  # noqa: N818 - cv_bridge's has such a name
        pass

    module = ModuleType('cv_bridge')
    module.CvBridge, module.CvBridgeError = Bridge, Unknown
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    pixels = np.zeros((4, 6, 1), np.uint8)
    assert (frame_from_image(message('nv21', pixels)).rgb == 9).all()
    for encoding in ('rgb8', 'strange', 'mono16', '32FC1'):
        if encoding == 'rgb8':
            frame_from_image(message(encoding, np.zeros((4, 6, 3), np.uint8)))
        else:
            with pytest.raises(ConversionError, match='encoding must be one of'):
                frame_from_image(message(encoding, pixels))
    # What we read ourselves, and what has more than 8 bits, it is never asked for.
    assert asked == [('nv21', 'rgb8'), ('strange', 'rgb8')]
    # Nor with sizes that are not true.
    lie = message('nv21', pixels)
    lie.height = 40_000
    with pytest.raises(ConversionError):
        frame_from_image(lie)
    assert len(asked) == 2


def test_our_reader_agrees_with_cv_bridge():
    cv_bridge = pytest.importorskip('cv_bridge', reason='no cv_bridge here: part of a full ROS 2')
    depths = {
        'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1, 'yuv422': 2, 'yuv422_yuy2': 2,
        'bayer_rggb8': 1, 'bayer_bggr8': 1, 'bayer_gbrg8': 1, 'bayer_grbg8': 1,
    }
    for encoding, depth in depths.items():
        pixels = np.random.default_rng(5).integers(0, 256, (48, 64, depth), np.uint8)
        sent = message(encoding, pixels, padding=0 if depth == 2 else 5)
        theirs = cv_bridge.CvBridge().imgmsg_to_cv2(sent, 'rgb8')
        np.testing.assert_array_equal(frame_from_image(sent).rgb, theirs, err_msg=encoding)


def test_plain_rgb_is_not_copied():
    image = message('rgb8', np.zeros((4, 5, 3), np.uint8))
    assert np.shares_memory(frame_from_image(image).rgb, np.frombuffer(image.data, np.uint8))
    assert not frame_from_image(image).rgb.flags.owndata


def test_a_frame_survives_the_round_trip():
    rgb = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    image = image_from_frame(CameraFrame(7_000_000_001, rgb), 'optical')
    assert (image.encoding, image.step, image.header.frame_id) == ('rgb8', 9, 'optical')
    back = frame_from_image(image)
    assert back.stamp_ns == 7_000_000_001
    np.testing.assert_array_equal(back.rgb, rgb)


@pytest.mark.parametrize(('change', 'text'), [
    ({'encoding': '16UC1'}, "got '16UC1'"),
    ({'encoding': 'rgb5'}, 'encoding must be one of'),
    ({'step': 11}, 'step must be at least 12'),
    ({'height': 5}, 'needs 60 bytes, got 36'),
    ({'width': 0}, 'out of range'),
    ({'width': 100_000, 'height': 100_000}, 'out of range'),
])
def test_a_wrong_image_is_refused_with_its_reason(change, text):
    image = message('rgb8', np.zeros((3, 4, 3), np.uint8))
    for name, value in change.items():
        setattr(image, name, value)
    with pytest.raises(ConversionError, match=text):
        frame_from_image(image)


def test_a_jpeg_is_close_to_its_picture():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    rgb = np.stack([np.tile(ramp, (48, 1)), np.full((48, 64), 60, np.uint8),
                    np.tile(ramp[::-1], (48, 1))], axis=2)
    back = frame_from_compressed(compressed_from_frame(CameraFrame(1, rgb), 'optical'))
    assert np.abs(back.rgb.astype(int) - rgb).mean() < 4.0


def test_a_png_is_exact():
    rgb = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    _, data = cv2.imencode('.png', rgb[..., ::-1])
    np.testing.assert_array_equal(
        frame_from_compressed(CompressedImage(format='png', data=data.tobytes())).rgb, rgb
    )


@given(st.binary(max_size=200))
def test_bytes_that_are_no_image_are_refused(data):
    with pytest.raises(ConversionError):
        frame_from_compressed(CompressedImage(format='jpeg', data=data))


def test_depth_is_refused():
    with pytest.raises(ConversionError, match='colour image'):
        frame_from_compressed(CompressedImage(format='16UC1; compressedDepth png', data=b'123'))
