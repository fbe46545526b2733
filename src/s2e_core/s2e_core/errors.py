"""Errors that cross package boundaries."""

from __future__ import annotations


class S2EError(Exception):
    """Base of every error this project raises on purpose; the text is fit for a user."""


class ConfigError(S2EError):
    """A configuration names an unknown key or carries a value outside its rule."""


class ContractError(S2EError):
    """Data does not have the shape, type or timing the policy contract fixes."""
