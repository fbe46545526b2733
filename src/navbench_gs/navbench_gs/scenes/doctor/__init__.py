"""Judging a scene before anyone drives in it."""

from __future__ import annotations

from navbench_gs.scenes.doctor.findings import Finding, examine
from navbench_gs.scenes.doctor.page import write_page

__all__ = ['Finding', 'examine', 'write_page']
