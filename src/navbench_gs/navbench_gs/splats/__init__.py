"""Gaussian clouds and the files they come in."""

from __future__ import annotations

from navbench_gs.splats.antimatter import save_splat
from navbench_gs.splats.cloud import GaussianCloud
from navbench_gs.splats.ply import save_ply
from navbench_gs.splats.registry import find_environment, load
from navbench_gs.splats.sog_writer import save_sog

__all__ = ['GaussianCloud', 'find_environment', 'load', 'save_ply', 'save_sog', 'save_splat']
