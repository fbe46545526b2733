"""Whether pictures turn as odometry says, on recordings of real drives."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from s2e_core.camera import CameraModel
from s2e_core.image_motion import TurnWatch
from s2e_training.data.clip import Clip, load_clip
from s2e_training.data.importer import ImportConfig, import_recording
from s2e_training.data.sources.opening import open_recording

DATA = Path(os.environ.get('S2E_DATA', Path(__file__).resolve().parents[4] / 'shared' / 'data'))


def said(clip: Clip, mirrored: bool) -> list[int]:
    """Return the pictures at which something was said."""
    info = clip.info
    camera = CameraModel(info.width, info.height, info.fx, info.fy, info.cx, info.cy)
    watch = TurnWatch(camera, info.mount_pitch)
    frames = clip.rgb[:, :, ::-1] if mirrored else clip.rgb
    return [
        k for k, (rgb, stamp, row) in enumerate(
            zip(frames, clip.stamps_ns, clip.odometry, strict=True))
        if watch.add(int(stamp), np.ascontiguousarray(rgb), float(row[2]))
    ]


@pytest.mark.data
@pytest.mark.parametrize(('source', 'turns'), [
    ('ego/donkeycar/tub.tar.gz', True), ('ego/kitti_seq_a', False),
])
def test_real_drives_are_fine_and_mirrored_ones_are_found(tmp_path, source, turns):
    """A model car on its track, its odometry dead reckoning, and a straight street."""
    if not (DATA / source).exists():
        pytest.skip(f'real data absent: {DATA / source} (set S2E_DATA to the data folder)')
    reports, _ = import_recording(
        open_recording(DATA / source), tmp_path, ImportConfig(sparse=True)
    )
    assert reports
    for folder in sorted(path.parent for path in tmp_path.glob('*/clip.yaml')):
        clip = load_clip(folder)
        assert said(clip, mirrored=False) == []
        found = said(clip, mirrored=True)
        if turns:
            # 8 to 20 s of bends: again and again, the first time within three seconds.
            assert len(found) >= 4 and found[0] <= 15
        else:
            assert found == [], 'nothing to compare on a straight street'
