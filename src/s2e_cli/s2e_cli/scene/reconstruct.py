"""`s2e scene reconstruct`: photos or a video to splats. Registered by `commands.scene`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from s2e_training.reconstruct.fit import Progress

OPTIONS = ('width', 'steps', 'cap', 'seed', 'device', 'threads', 'sh_degree', 'holdout')
"""Settings of `ReconstructConfig` that have a flag; the defaults are there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('images', type=Path, metavar='IMAGES',
                        help='folder of photos, of a COLMAP project, or a video')
    parser.add_argument('out', type=Path, metavar='OUT',
                        help='folder of the results; an unfinished fit there goes on')
    parser.add_argument('--poses', type=Path, metavar='DIR',
                        help='COLMAP model, text or binary (sought beside the photos, else made)')
    parser.add_argument('--distance', metavar='"PHOTO PHOTO M"',
                        help='metres between the places of two photos (else GPS, if it tells)')
    parser.add_argument('--width', type=int, metavar='PX', help='reduce photos to this (256)')
    parser.add_argument('--steps', type=int, metavar='N', help='steps of the fit (4000)')
    parser.add_argument('--cap', type=int, metavar='N', help='most gaussians (30000)')
    parser.add_argument('--sh-degree', type=int, choices=(0, 1),
                        help='1: colours that depend on the direction of view (0)')
    parser.add_argument('--holdout', type=int, metavar='N',
                        help='keep each N-th photo for judging, 0 for none (8)')
    parser.add_argument('--seed', type=int, metavar='N', help='seed (0)')
    parser.add_argument('--threads', type=int, metavar='N', help='threads (2)')
    parser.add_argument('--device', choices=('cpu', 'cuda'),
                        help='cuda draws with gsplat, not run by us (cpu)')


def run(args: argparse.Namespace) -> int:
    """Reconstruct and say what to type next."""
    from s2e_training.reconstruct.config import ReconstructConfig
    from s2e_training.reconstruct.judge import mean
    from s2e_training.reconstruct.run import PAGE, SPLATS, reconstruct

    given = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    config = dataclasses.replace(ReconstructConfig(), **given)
    result = reconstruct(
        args.images, args.out, config, poses=args.poses, distance=args.distance,
        clock=time.monotonic, tell=_tell, progress=_Progress(),
    )
    print(f'{args.out / SPLATS}: {result.gaussians} gaussians')
    if result.held:
        print(f'held out, {len(result.held)} photos: '
              f'PSNR {mean([j.psnr for j in result.held]):.2f} dB, '
              f'SSIM {mean([j.ssim for j in result.held]):.3f}')
    if result.metres is None:
        print('scale not known: fill in the height at which the camera was held')
    else:
        print(f'scale: {result.metres.per_unit:.4g} m per unit, {result.metres.origin}')
    print(f'{args.out / PAGE}\nnext: {result.command}')
    return 0


def _tell(text: str) -> None:
    print(f's2e scene: {text}', file=sys.stderr, flush=True)


class _Progress:
    """Prints a line every hundred steps."""

    def __init__(self) -> None:
        self._first: int | None = None

    def __call__(self, p: Progress) -> None:
        if self._first is None:
            self._first = p.step - 1
        if p.step % 100 and p.step != p.steps:
            return
        left = (p.steps - p.step) * p.seconds / max(1, p.step - self._first)
        _tell(f'step {p.step}/{p.steps}  {p.gaussians} gaussians  PSNR of fitted photos '
              f'{p.psnr:.2f} dB  ETA {left / 60:.1f} min')
