"""Gaussian clouds and the files they come in."""

from __future__ import annotations

from navbench_gs.splats.cloud import GaussianCloud

__all__ = ['GaussianCloud']
