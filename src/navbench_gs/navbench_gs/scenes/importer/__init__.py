"""Captured splat scenes made navigable."""

from __future__ import annotations

from navbench_gs.scenes.importer.capture import IMPORTER_VERSION, import_capture
from navbench_gs.scenes.importer.options import ImportOptions

__all__ = ['IMPORTER_VERSION', 'ImportOptions', 'import_capture']
