"""Errors of the stand-in."""

from __future__ import annotations


class BareError(Exception):
    """Base of every error that the stand-in raises on purpose."""


class UnsupportedFeatureError(BareError):
    """A launch file uses a feature that upstream may have and the stand-in has not."""


class UnsupportedImportError(UnsupportedFeatureError, ImportError):
    """A launch file imports a name that the stand-in does not provide."""


class RealRosPresentError(BareError):
    """The real `launch_ros` exists, so the stand-in refuses to take its place."""


class PackageNotFoundError(BareError, KeyError):
    """No prefix of the ament index holds the package."""

    def __str__(self) -> str:
        """Give the message itself; `KeyError` would quote it."""
        return str(self.args[0]) if self.args else ''


class CommandError(BareError):
    """A `ros2` command cannot do what was asked; the message is shown to the user."""
