"""Stand-in for `launch.event_handlers`."""

from __future__ import annotations

from s2e_bare.launch.event_handlers.process import OnProcessExit, OnProcessIO, OnProcessStart
from s2e_bare.launch.event_handlers.shutdown import OnShutdown
from s2e_bare.unsupported import refuse_unknown

__all__ = ['OnProcessExit', 'OnProcessIO', 'OnProcessStart', 'OnShutdown']

__getattr__ = refuse_unknown('launch.event_handlers')
