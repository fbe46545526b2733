"""Errors of this package."""

from __future__ import annotations

from s2e_core.errors import S2EError


class TrainingError(S2EError):
    """Training data, a checkpoint or an export breaks a rule."""
