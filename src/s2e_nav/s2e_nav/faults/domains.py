"""A ROS domain that nobody on this machine uses."""

from __future__ import annotations

import contextlib
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

from s2e_nav.errors import StartError

DOMAINS = range(1, 101)
TOKEN_PORT = 47_000
"""The port above it is the token of a domain: who holds it owns the domain."""
FIRST_PORT, DOMAIN_PORTS = 7400, 250
"""DDS gives each domain so many UDP ports (DDSI-RTPS 2.5, 9.6.2.3), whichever implementation."""
SHARED_MEMORY = Path('/dev/shm')


@contextlib.contextmanager
def own_domain() -> Iterator[int]:
    """Reserve a ROS domain of this machine on which nobody talks.

    Other machines do not matter: what runs here keeps to this one (`isolated_environment`).

    Raises:
        StartError: All are taken.
    """
    for domain in DOMAINS:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as token:
            try:
                token.bind(('127.0.0.1', TOKEN_PORT + domain))
            except OSError:
                continue
            if is_inhabited(domain):
                continue
            yield domain
            return
    raise StartError('no free ROS domain between 1 and 100')


def is_inhabited(domain: int) -> bool:
    """Whether a participant of this machine is on a ROS domain, over UDP or shared memory."""
    first = FIRST_PORT + DOMAIN_PORTS * domain
    return any(_is_bound(port) or _is_locked(port) for port in range(first, first + DOMAIN_PORTS))


def _is_bound(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', port))
        except OSError:
            return True
    return False


def _is_locked(port: int) -> bool:
    """Whether a process listens by Fast DDS's shared memory; the file of a killed one is free."""
    path = SHARED_MEMORY / f'fastdds_port{port}_el'
    try:
        with path.open('rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        # Locked, or of another user who does not let us look.
        return True
    return False
