"""Gaussian clouds to pictures: colour, depth and alpha."""

from __future__ import annotations

from navbench_gs.render.camera import RenderCamera
from navbench_gs.render.factory import make_renderer
from navbench_gs.render.frame import Frame
from navbench_gs.render.renderer import DynamicGroup, Renderer, View

__all__ = ['DynamicGroup', 'Frame', 'RenderCamera', 'Renderer', 'View', 'make_renderer']
