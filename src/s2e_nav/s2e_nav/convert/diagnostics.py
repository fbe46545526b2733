"""Status: diagnostic_msgs with plain key-value pairs."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from s2e_nav.convert.stamps import to_time

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR


def status_message(
    name: str, level: bytes, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Write a status; the level is one byte."""
    status = DiagnosticStatus()
    status.level, status.name, status.message = level, name, message
    status.hardware_id = 's2e_nav'
    status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return status


def with_values(status: DiagnosticStatus, values: Mapping[str, object]) -> DiagnosticStatus:
    """Return a copy of a status with more key-value pairs."""
    more = DiagnosticStatus(
        level=status.level, name=status.name, message=status.message,
        hardware_id=status.hardware_id,
    )
    added = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    more.values = [*status.values, *added]
    return more


def status_values(status: DiagnosticStatus) -> dict[str, str]:
    """Read the key-value pairs."""
    return {pair.key: pair.value for pair in status.values}


def diagnostics(status: DiagnosticStatus, stamp_ns: int) -> DiagnosticArray:
    """Wrap a status for /diagnostics."""
    array = DiagnosticArray()
    array.header.stamp = to_time(stamp_ns)
    array.status = [status]
    return array
