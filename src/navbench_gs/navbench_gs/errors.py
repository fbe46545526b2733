"""Exceptions of the navbench_gs package."""

from __future__ import annotations

from s2e_core.errors import S2EError


class NavBenchError(S2EError):
    """Base of every error that this package raises on purpose."""


class SplatFormatError(NavBenchError):
    """A splat file breaks a rule of its format; the message names file, rule and value."""


class RenderError(NavBenchError):
    """A renderer was asked for something it cannot draw; the message names rule and value."""


class TaskError(NavBenchError):
    """An episode or protocol is not well formed, or no episode fits; names rule and value."""


class RunError(NavBenchError):
    """A benchmark run cannot start or go on; the message names file, rule and value."""


class ReportError(NavBenchError):
    """A report or film cannot be written; the message names file and reason."""


class SceneError(NavBenchError):
    """A scene cannot be made, imported or loaded; the message names file, rule and value."""


class SimulationError(NavBenchError):
    """The simulated world cannot do what was asked; the message names rule and value."""


class DivergedError(SimulationError):
    """Physics left the finite numbers; the episode is lost, whatever the policy did."""
