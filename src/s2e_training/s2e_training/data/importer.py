"""Turns recordings into training clips. `import_recording` is the shared step of every source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2e_core.camera import SMALL_CAMERA, UNSEEN_WORDS, Unseen
from s2e_core.config import check, option
from s2e_core.contract import POLICY_PERIOD_NS
from s2e_core.reprojection import Reprojector
from s2e_training.data.checks import (
    FASTEST,
    GAP_NS,
    Finding,
    check_clip_arrays,
    check_recording,
    check_track,
)
from s2e_training.data.clip import Clip, ClipInfo, save_clip
from s2e_training.data.resample import (
    HORIZON_NS,
    choose_frames,
    future_plan,
    odometry_rows,
    relative,
    slow_down,
    split,
)
from s2e_training.data.sources.driving import Driving
from s2e_training.data.sources.recording import Recording, Track
from s2e_training.errors import TrainingError

MAX_MOMENTS, MAX_REASON = 1000, 200
"""Interventions of a clip, and characters of their reasons, that are kept: bags are untrusted."""


@dataclass(frozen=True)
class ImportConfig:
    """How a recording is cut into clips."""

    size: int = option(128, unit='px', low=16, high=1024, help='Width and height of the images.')
    v_max: float = option(
        1.5, unit='m/s', low=0, high=50,
        help="Time is stretched until the recording's usual speed is no higher; 0 leaves it.",
    )
    platform_v_max: float = option(
        FASTEST, unit='m/s', low=0.1, high=100, help='Faster poses are called a wrong unit.'
    )
    longest: float = option(20.0, unit='s', low=2, high=3600, help='Longest clip.')
    shortest: float = option(2.0, unit='s', low=0, high=3600, help='Shorter pieces are dropped.')
    sparse: bool = option(
        False, help='Whether images further apart than 0.5 s still make a clip, for evaluation.'
    )
    force: bool = option(False, help='Whether speeds that are called impossible are accepted.')
    unseen: Unseen = option(
        'black', choices=('black', 'edge'),
        help="What of the policy's view the camera does not see: black, or its nearest pixel, as "
        'on a robot where the policy wants that.',
    )

    def __post_init__(self) -> None:
        check(self, source='import')


@dataclass(frozen=True)
class ClipReport:
    """One clip that was written."""

    folder: Path
    frames: int
    seconds: float
    metres: float
    findings: tuple[Finding, ...]


def import_recording(
    recording: Recording, out: Path, config: ImportConfig,
    provenance: dict[str, Any] | None = None,
    progress: Callable[[ClipReport], None] | None = None,
) -> tuple[list[ClipReport], list[Finding]]:
    """Cut a recording with images and poses into clips at the policy's rate and view.

    The images are re-projected through the intrinsics, the waypoints are the recording's own
    next 2 s, and the goal is where it is 2 s after a clip's last image. Whoever makes poses of
    their own builds a `Recording` (its `track` from `poses.planar_track`) and calls this.

    Args:
        recording: Images, camera, mount and track.
        out: Folder of the clips; made if absent.
        config: How to cut.
        provenance: More to keep in each clip, such as a confidence.
        progress: Called after each clip.

    Returns:
        The clips, and what was found on the whole recording.

    Raises:
        TrainingError: The recording lacks images, poses, camera or mount, its units are
            impossible, or a clip is there already.
    """
    findings = check_recording(recording)
    if recording.track is not None:
        findings += check_track(recording.track, config.platform_v_max)
    fatal = [f for f in findings if f.severity == 'error']
    if config.force:
        fatal = [f for f in fatal if f.rule != 'units']
    if fatal:
        raise TrainingError(f'{recording.name}: {"; ".join(f.text for f in fatal)}')
    factor = 1.0
    if config.v_max > 0:
        recording, factor = slow_down(recording, config.v_max)
    if factor > 1.0:
        findings.append(Finding('note', 'slowed', f'time stretched by {factor:.3f}, so that the '
                                f'usual speed is {config.v_max:g} m/s'))
    extra = {'format': recording.kind, **recording.provenance, **(provenance or {}),
             'time_stretched_by': round(factor, 6), 'notes': list(recording.notes)}
    out.mkdir(parents=True, exist_ok=True)
    reports: list[ClipReport] = []
    short: list[float] = []
    for report in _clips(recording, out, config, extra, short):
        reports.append(report)
        if progress is not None:
            progress(report)
    if reports and short:
        findings.append(Finding('note', 'short', f'{len(short)} pieces left out, the longest '
                                f'{max(short):.1f} s: a clip runs on for {config.shortest:g} s '
                                'and 2 s beyond'))
    if not reports:
        findings.append(Finding('warning', 'empty', 'no piece is long enough: images and poses '
                                f'must run on for {config.shortest:g} s and 2 s beyond'))
    return reports, findings


def _clips(
    recording: Recording, out: Path, config: ImportConfig, extra: dict[str, Any],
    short: list[float],
) -> Iterator[ClipReport]:
    """Write the pieces that are long enough; the seconds of the others go into `short`."""
    track = recording.track
    assert track is not None
    chosen = choose_frames(recording.stamps_ns)
    stamps = recording.stamps_ns[chosen]
    gap = GAP_NS if not config.sparse else max(GAP_NS, 3 * int(np.median(np.diff(stamps))))
    pieces = split(stamps, track, round(config.longest * 1e9), gap)
    for number, piece in enumerate(pieces):
        seconds = float(stamps[piece[-1]] - stamps[piece[0]]) / 1e9
        if seconds < config.shortest or len(piece) < 2:
            short.append(seconds)
            continue
        folder = out / f'{_safe(recording.name)}_{number:04d}'
        if folder.exists():
            raise TrainingError(f'{folder}: is there already; choose another folder')
        clip, findings = _make_clip(recording, track, chosen[piece], config, extra)
        save_clip(clip, folder)
        steps = np.diff(clip.odometry[:, :2], axis=0)
        yield ClipReport(
            folder, clip.info.frames, (clip.stamps_ns[-1] - clip.stamps_ns[0]) / 1e9,
            float(np.linalg.norm(steps, axis=1).sum()), tuple(findings),
        )


def _make_clip(
    recording: Recording, track: Track, indices: np.ndarray, config: ImportConfig,
    extra: dict[str, Any],
) -> tuple[Clip, list[Finding]]:
    camera, mount = recording.camera, recording.mount
    assert camera is not None
    assert mount is not None
    target = SMALL_CAMERA.scaled(config.size, config.size)
    view = Reprojector(camera, target, unseen=config.unseen)
    images = [(index, view(rgb)) for index, rgb in recording.load(indices.tolist())]
    findings = []
    if len(images) < len(indices):
        lost = len(indices) - len(images)
        findings.append(Finding('warning', 'broken', f'{lost} images cannot be decoded'))
    if len(images) < 2:
        raise TrainingError(f'{recording.name}: fewer than two images can be decoded')
    kept = np.array([index for index, _ in images], np.int64)
    stamps = recording.stamps_ns[kept]
    rgb = np.stack([image for _, image in images])
    odometry = odometry_rows(track, stamps)
    end = track.at(stamps[-1:] + HORIZON_NS)
    goal = relative(end, track.at(stamps[:1])[0])[0, :2]
    findings += check_clip_arrays(rgb, stamps, odometry)
    operator, moments = _driven(recording.driving, stamps)
    if view.coverage < 0.98:
        findings.append(Finding('note', 'view', f'the camera sees {view.coverage:.0%} of the '
                                f"policy's view; the rest {UNSEEN_WORDS[config.unseen]}"))
    info = ClipInfo(
        source=recording.name, licence=recording.licence or 'unknown', frames=len(kept),
        width=target.width, height=target.height, fx=target.fx, fy=target.fy, cx=target.cx,
        cy=target.cy, mount_x=mount.x, mount_z=mount.z, mount_pitch=mount.pitch,
        period=float(np.clip(np.median(np.diff(stamps)) * 1e-9, 0.01, 10.0)),
        provenance={**extra, 'task': 'recording', 'coverage': round(view.coverage, 4),
                    'unseen': config.unseen, **moments,
                    'findings': [str(finding) for finding in findings]},
    )
    plan = future_plan(track, stamps).astype(np.float32)
    return Clip(info, rgb, stamps, odometry, goal, plan, operator=operator), findings


def _driven(
    driving: Driving | None, stamps_ns: np.ndarray
) -> tuple[np.ndarray | None, dict[str, Any]]:
    """Return what a person asked for at each image, and the interventions for the provenance."""
    if driving is None:
        return None, {}
    operator = driving.at(stamps_ns)
    # Up to the first image of the clip that follows at once: each moment is in one clip.
    end = int(stamps_ns[-1]) + POLICY_PERIOD_NS
    moments = [
        {'time': round((item.stamp_ns - int(stamps_ns[0])) * 1e-9, 3), 'kind': item.kind.value,
         'reason': item.reason[:MAX_REASON]}
        for item in driving.within(int(stamps_ns[0]), end)[:MAX_MOMENTS]
    ]
    share = float(np.isfinite(operator[:, 0]).mean())
    return operator, {'driven_by_person': round(share, 4), 'interventions': moments}


def _safe(name: str) -> str:
    return re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('.-') or 'recording'
