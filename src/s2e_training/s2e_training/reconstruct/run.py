"""The whole way from a folder of photos, or a video, to a splat that can be imported."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from navbench_gs.splats import save_ply
from s2e_core.config import check, to_mapping
from s2e_training.errors import TrainingError
from s2e_training.reconstruct.colmap import Model, find_model, read_model
from s2e_training.reconstruct.config import ReconstructConfig
from s2e_training.reconstruct.fit import Fit, Progress
from s2e_training.reconstruct.initial import initial_gaussians
from s2e_training.reconstruct.judge import Judged, judge, mean
from s2e_training.reconstruct.metres import Metres, from_distance, from_gps, upright
from s2e_training.reconstruct.page import write_cameras, write_page
from s2e_training.reconstruct.photos import load_photos, split
from s2e_training.reconstruct.poses import PHOTOS, VIDEOS, Tell, find_poses, take_frames

SPLATS, REPORT, PAGE, CAMERAS = 'splats.ply', 'report.json', 'report.html', 'cameras.json'


@dataclass(frozen=True)
class Reconstruction:
    """What came out."""

    gaussians: int
    held: list[Judged]
    metres: Metres | None
    command: str
    """What to type next."""


def reconstruct(
    source: Path, out: Path, config: ReconstructConfig, *, poses: Path | None = None,
    distance: str | None = None, clock: Callable[[], float], tell: Tell,
    progress: Callable[[Progress], None] | None = None,
) -> Reconstruction:
    """Reconstruct a scene; a second call goes on where the first stopped.

    Args:
        source: folder of photos, of a COLMAP project (`images/` and `sparse/`), or a video.
        out: folder of the results.
        config: settings.
        poses: folder of a COLMAP model; sought in and beside the photos, else made.
        distance: `'PHOTO PHOTO METRES'`, how far apart two photos were taken.
        clock: seconds, monotonic.
        tell: called with what is being done.
        progress: called after each step of the fit.

    Raises:
        TrainingError: photos or poses cannot be read, made or used.
    """
    check(config)
    folder, model = _posed(source, out, config.threads, poses, tell)
    model = upright(model)
    metres = from_gps(model, folder) if distance is None else from_distance(model, distance)
    tell(f'reading {len(model.photos)} photos')
    photos = load_photos(folder, model, config.width)
    fitted, held = split(photos, config.holdout)
    if not fitted:
        raise TrainingError(f'holdout: no photo is left to fit, got {config.holdout}')
    initial = initial_gaussians(model, fitted, config.sh_degree, config.seed, config.cap)
    fit = Fit(config, out, fitted, initial, model.distance, clock)
    gaussians = fit.run(progress)
    tell('judging the photos that were held out')
    judged = judge(config, gaussians, held)
    save_ply(out / SPLATS, gaussians.cloud())
    write_cameras(out / CAMERAS, model)
    result = Reconstruction(len(gaussians), judged, metres, _command(out, metres))
    _write(out, source, config, model, result)
    return result


def _posed(
    source: Path, out: Path, threads: int, poses: Path | None, tell: Tell
) -> tuple[Path, Model]:
    """Return the folder of photos and their model."""
    if source.is_file():
        if source.suffix.lower() not in VIDEOS:
            raise TrainingError(f'{source}: must be a folder of photos or a video '
                                f'({", ".join(VIDEOS)})')
        folder = out / 'frames'
        if not folder.is_dir():
            take_frames(source, folder, tell)
        return folder, read_model(find_poses(folder, out / 'poses', threads, True, tell))
    folder = source / 'images' if (source / 'images').is_dir() else source
    if not folder.is_dir():
        raise TrainingError(f'{source}: is not a folder of photos or a video')
    found = poses or find_model(source) or find_model(folder)
    if found is None:
        if not any(path.suffix.lower() in PHOTOS for path in folder.iterdir()):
            raise TrainingError(f'{folder}: holds no photos ({", ".join(PHOTOS)})')
        found = find_poses(folder, out / 'poses', threads, False, tell)
    return folder, read_model(found)


def _command(out: Path, metres: Metres | None) -> str:
    """Return the import to type next."""
    scale = f'--scale {metres.per_unit:.4g}' if metres else '--camera-height METRES'
    place, scene = shlex.quote(str(out / SPLATS)), shlex.quote(f'{out}-scene')
    return f's2e scene import {place} {scene} --up=+z {scale} --walked METRES'


def _write(
    out: Path, source: Path, config: ReconstructConfig, model: Model, result: Reconstruction
) -> None:
    """Write the report as JSON and as a page."""
    held = result.held
    numbers: dict[str, Any] = {
        'photos': len(model.photos), 'photos_held_out': len(held),
        'points': len(model.points), 'gaussians': result.gaussians,
        'psnr_held_out_db': round(mean([j.psnr for j in held]), 3) if held else None,
        'psnr_held_out_brightness_matched_db':
            round(mean([j.psnr_exposed for j in held]), 3) if held else None,
        'ssim_held_out': round(mean([j.ssim for j in held]), 4) if held else None,
    }
    scale = asdict(result.metres) if result.metres else None
    each = [{'name': j.name, 'psnr_db': round(j.psnr, 3), 'ssim': round(j.ssim, 4),
             'psnr_brightness_matched_db': round(j.psnr_exposed, 3)} for j in held]
    report = {'source': source.name, **numbers, 'metres': scale, 'next': result.command,
              'held_out': each, 'config': to_mapping(config)}
    (out / REPORT).write_text(json.dumps(report, indent=1), encoding='utf-8')
    told = result.metres
    known = 'not known: add --scale, --distance or --camera-height to the import'
    if told is not None:
        known = f'{told.per_unit:.4g} m per unit, {told.origin}'
        known += '' if told.error is None else f', standard error {told.error:.0%}'
    write_page(out / PAGE, source.name, {**numbers, 'scale': known}, result.command, held)
