"""Errors of the workspace builder."""

from __future__ import annotations


class WorkspaceError(Exception):
    """The environment could not be built; the message says what is missing and how to mend it."""
