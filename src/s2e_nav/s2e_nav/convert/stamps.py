"""Time stamps: nanoseconds and builtin_interfaces/Time."""

from __future__ import annotations

from builtin_interfaces.msg import Time

SECOND = 1_000_000_000


def to_ns(stamp: Time) -> int:
    """Return a stamp in nanoseconds."""
    return int(stamp.sec) * SECOND + int(stamp.nanosec)


def to_time(nanoseconds: int) -> Time:
    """Return nanoseconds as a message."""
    seconds, rest = divmod(int(nanoseconds), SECOND)
    return Time(sec=seconds, nanosec=rest)
