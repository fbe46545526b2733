"""Worlds to drive in: bundles of splats with matching collision geometry."""

from __future__ import annotations

from navbench_gs.scenes.bundle import SceneBundle, load_scene, save_scene
from navbench_gs.scenes.collision import CollisionMap
from navbench_gs.scenes.resolve import resolve_scene

__all__ = ['CollisionMap', 'SceneBundle', 'load_scene', 'resolve_scene', 'save_scene']
