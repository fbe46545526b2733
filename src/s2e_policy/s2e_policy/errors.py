"""Errors of this package."""

from __future__ import annotations

from s2e_core.errors import S2EError


class PolicyError(S2EError):
    """A policy bundle is refused, or a policy cannot run as asked."""
