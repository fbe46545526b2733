"""Errors of this package."""

from __future__ import annotations

from s2e_core.errors import S2EError


class TeleopError(S2EError):
    """Remote driving cannot be set up as asked; the text says what would help."""


class ProtocolError(TeleopError):
    """A message from the page breaks the protocol; the text names the rule and the value."""
