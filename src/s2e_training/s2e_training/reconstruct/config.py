"""Settings of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass

from s2e_core.config import option


@dataclass(frozen=True)
class ReconstructConfig:
    """Settings of one fit; the defaults suit some dozens of photos on two CPU cores."""

    width: int = option(256, unit='px', low=32, high=4096, help='Width photos are reduced to.')
    steps: int = option(4000, low=1, high=1_000_000, help='Photos drawn and corrected by.')
    cap: int = option(30_000, low=100, high=10_000_000, help='Most gaussians.')
    seed: int = option(0, low=0, help='Seed of all that is drawn.')
    device: str = option('cpu', choices=('cpu', 'cuda'), help='Where gaussians are drawn.')
    threads: int = option(2, low=1, high=64, help='Threads of the CPU.')
    sh_degree: int = option(0, choices=(0, 1), help='Degree of spherical harmonics.')
    holdout: int = option(8, low=0, help='Every so many photos one is kept for judging; 0: none.')
    coarse: float = option(0.35, low=0.0, high=1.0, help='Part of the steps at half the width.')
    refine_every: int = option(100, unit='steps', low=1, help='Between moves of gaussians.')
    growth: float = option(1.2, low=1.0, high=2.0, help='Gaussians after such a move, factor.')
    ssim: float = option(0.2, low=0.0, high=1.0, help='Weight of 1 - SSIM, the rest is L1.')
    means_rate: float = option(1.6e-4, low=0.0, help='Step of centres, parts of the extent.')
    scales_rate: float = option(7e-3, low=0.0, help='Step of logarithmic scales.')
    quats_rate: float = option(2e-3, low=0.0, help='Step of quaternions.')
    logits_rate: float = option(5e-2, low=0.0, help='Step of opacity logits.')
    sh_rate: float = option(5e-3, low=0.0, help='Step of the constant colour term.')
    exposure_rate: float = option(2e-3, low=0.0, help='Step of gain and offset per photo.')
    noise: float = option(5e4, low=0.0, help='Random walk of faint gaussians, per step of means.')
    opacity_weight: float = option(0.01, low=0.0, help='Pull of opacities to zero.')
    scale_weight: float = option(0.01, low=0.0, help='Pull of scales to zero.')
    checkpoint_minutes: float = option(1.0, unit='min', low=0.0, help='Between checkpoints.')
