"""Fixtures of the whole-system tests."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

# Ports below this one mark a domain as taken, for test runs side by side on one machine.
DOMAIN_PORT = 47_000
DOMAINS = range(1, 101)


@pytest.fixture
def ros_domain() -> Iterator[int]:
    """Reserve a domain id of its own; other runs on this machine cannot take the same."""
    with contextlib.ExitStack() as stack:
        for domain in DOMAINS:
            lock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            try:
                lock.bind(('127.0.0.1', DOMAIN_PORT + domain))
            except OSError:
                continue
            yield domain
            return
    pytest.fail('no free ROS domain between 1 and 100: do test runs hang on this machine?')


@pytest.fixture
def ros_environment(ros_domain: int) -> dict[str, str]:
    """Return the environment of a node process that stays on this machine."""
    return {
        **os.environ,
        'ROS_DOMAIN_ID': str(ros_domain),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }
