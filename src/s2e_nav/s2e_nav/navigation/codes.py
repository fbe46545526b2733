"""Why a goal ended: the numbers in action results and status messages."""

from __future__ import annotations

from enum import IntEnum

from s2e_nav.errors import NavError


class Code(IntEnum):
    """Zero is success. From 10001 up, above every range that Nav2's own servers use."""

    NONE = 0
    CANCELED = 10001
    """Its client, the cancel service or a deactivation asked for it."""
    REPLACED = 10002
    """A newer goal took its place."""
    INACTIVE = 10003
    """The policy node is not active."""
    INVALID_GOAL = 10004
    """No points, not finite, no frame, or a policy that cannot do it."""
    UNKNOWN_FRAME = 10005
    """Nothing connects the goal's frame to odom, or no longer does."""
    NO_GPS = 10006
    """No fix, no heading, or one that is too old or too uncertain."""
    POLICY_FAILED = 10007
    """The model raised, or answered what cannot be used."""
    CAMERA_FAILED = 10008
    """The picture is frozen, blank, of an unknown encoding or of another size than announced."""
    GATE_STOPPED = 10009
    """The safety gate stopped for a reason that needs a new goal."""
    GATE_LOST = 10010
    """The gate did not acknowledge the goal, or forgot it: it is not there, or began anew."""
    NO_PROGRESS = 10011
    """The robot did not get on for too long."""


class GoalRefusedError(NavError):
    """A goal that is not begun; the one before it goes on."""

    def __init__(self, code: Code, text: str) -> None:
        """Say why.

        Args:
            code: For machines.
            text: For people.
        """
        super().__init__(text)
        self.code = code
