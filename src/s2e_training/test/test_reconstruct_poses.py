"""Frames of a video, and what is said when poses cannot be made."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from s2e_training.errors import TrainingError
from s2e_training.reconstruct.poses import find_poses, sharpness, take_frames


def write_video(path: Path) -> None:
    """Twelve frames; of each three only the second is sharp."""
    sharp = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    sharp = cv2.resize(sharp, (256, 192), interpolation=cv2.INTER_NEAREST)
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=10)
        stream.width, stream.height, stream.pix_fmt = 256, 192, 'yuv420p'
        stream.bit_rate = 4_000_000
        for k in range(12):
            picture = sharp if k % 3 == 1 else cv2.GaussianBlur(sharp, (0, 0), 12)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_sharpest_frames_are_taken(tmp_path: Path) -> None:
    """Twelve frames in four stretches: the sharp one of each."""
    write_video(tmp_path / 'walk.mp4')
    take_frames(tmp_path / 'walk.mp4', tmp_path / 'frames', lambda text: None, 4)
    files = sorted((tmp_path / 'frames').iterdir())
    assert [file.name for file in files] == ['0000.jpg', '0001.jpg', '0002.jpg', '0003.jpg']
    for file in files:
        assert sharpness(cv2.imread(str(file))) > 300.0


def test_damaged_video_is_refused(tmp_path: Path) -> None:
    """One clear error that names the file."""
    (tmp_path / 'walk.mp4').write_bytes(b'not a video' * 100)
    with pytest.raises(TrainingError, match=r'walk\.mp4: cannot be read'):
        take_frames(tmp_path / 'walk.mp4', tmp_path / 'frames', lambda text: None)


def test_absent_pycolmap_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to type."""
    monkeypatch.setitem(sys.modules, 'pycolmap', None)
    with pytest.raises(TrainingError, match=r'requirements/training\.txt.*--poses'):
        find_poses(tmp_path, tmp_path / 'work', 1, False, lambda text: None)
