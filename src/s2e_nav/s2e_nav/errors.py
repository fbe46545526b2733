"""Errors of the nodes and conversions."""

from __future__ import annotations

from s2e_core.errors import S2EError


class NavError(S2EError):
    """Base of every error the nodes raise on purpose."""


class ConversionError(NavError):
    """A message cannot be turned into a record; the text says what was received."""


class ParameterError(NavError):
    """A node was given a parameter that it does not have or that breaks its rule."""


class StartError(NavError):
    """A node cannot start; the text says why and what helps."""


class InputError(NavError):
    """The newest image cannot be used for now, though nothing is wrong with it."""
