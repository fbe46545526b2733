"""Narrower lenses keep every ray at its pixel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from s2e_core.camera import CameraModel
from s2e_training.data.clip import Clip, ClipInfo
from s2e_training.data.views import crop_camera, view_of

SIDE = 64


def make_clip(episode: str = 'a') -> Clip:
    """Three frames whose red grows along x and whose green grows along y; blue tells frames."""
    info = ClipInfo(
        source='city:1000', licence='Apache-2.0', frames=3, width=SIDE, height=SIDE, fx=32.0,
        fy=40.0, cx=32.0, cy=30.0, mount_x=0.3, mount_z=0.6, mount_pitch=0.1,
        provenance={'episode': episode},
    )
    rgb = np.zeros((3, SIDE, SIDE, 3), np.uint8)
    rgb[..., 0] = 50 + 3 * np.arange(SIDE)[None, None, :]
    rgb[..., 1] = 50 + 3 * np.arange(SIDE)[None, :, None]
    rgb[..., 2] = np.array([60, 120, 180])[:, None, None]
    return Clip(
        info, rgb, np.arange(3, dtype=np.int64), np.zeros((3, 5)), np.zeros(2),
        np.zeros((3, 10, 2), np.float32),
    )


def test_a_cut_keeps_the_rays() -> None:
    cut = crop_camera(CameraModel(64, 64, 32.0, 40.0, 32.0, 30.0), 12, 6, 32, 40)
    assert (cut.width, cut.height, cut.fx, cut.fy) == (32, 40, 32.0, 40.0)
    # Pixel (20, 26) is (8, 20) in the cut: (20 - 32) / 32 = (8 - 20) / 32 = -0.375.
    assert (8 - cut.cx) / cut.fx == (20 - 32.0) / 32.0 == -0.375
    assert (20 - cut.cy) / cut.fy == (26 - 30.0) / 40.0 == -0.1
    # Edges at (12 - 32) / 32 and (44 - 32) / 32: 32.005 + 20.556 degrees.
    assert math.degrees(cut.hfov) == pytest.approx(
        math.degrees(math.atan(0.625)) + math.degrees(math.atan(0.375))
    )


def test_the_first_view_is_the_clip() -> None:
    clip = make_clip()
    assert view_of(clip, 0) is clip.rgb


@pytest.mark.parametrize('view', [1, 2, 3, 4, 5, 6])
def test_what_is_seen_stays_where_it_was(view: int) -> None:
    clip = make_clip()
    seen = view_of(clip, view)
    # Pixels at the border are blends with black, which is what no ray has.
    core = seen[..., 2] >= 0.97 * clip.rgb[..., 2]
    # All frames through one lens, and at least 0.55 x 0.35 of the picture less its border.
    assert (core == core[:1]).all()
    assert 0.17 <= core[0].mean() <= 1.0
    core = core[0]
    # A ramp of 3 a pixel: 3 levels are one pixel; sensors have as little as 0.6 of the pixels.
    away = np.abs(seen[:, core].astype(int) - clip.rgb[:, core].astype(int))
    assert away.max() <= 3
    assert np.abs(seen[:, core].astype(float) - clip.rgb[:, core]).mean() < 1.0


def test_a_view_is_the_same_each_time_and_clips_differ() -> None:
    first, again, other = make_clip(), make_clip(), make_clip('b')
    np.testing.assert_array_equal(view_of(first, 1), view_of(again, 1))
    assert (view_of(first, 1) != view_of(other, 1)).any()
    assert (view_of(first, 1) != view_of(first, 2)).any()


def test_another_camera_is_narrowed_through_its_own_intrinsics() -> None:
    clip = make_clip()
    wide = replace(clip, info=replace(clip.info, fx=20.0))
    # The same pixels, whatever the focal length: only rays, not pixels, depend on it.
    np.testing.assert_array_equal(view_of(clip, 1), view_of(wide, 1))
