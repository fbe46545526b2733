"""Who is let in: token, origin, host, and how often somebody may guess."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from urllib.parse import urlsplit

from s2e_teleop.rates import TokenBucket
from s2e_teleop.server.config import ServerConfig

REMEMBERED = 1024
"""Addresses whose failures are counted; past that all share one count."""
HOST = re.compile(r'(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?')


class Access:
    """Judges connections and tokens."""

    def __init__(self, config: ServerConfig) -> None:
        """Make up a token unless there is one."""
        self._config = config
        self.token = config.token or secrets.token_urlsafe(18)
        self._digest = _digest(self.token)
        self._failures: dict[str, TokenBucket] = {}
        self._origins = {origin.rstrip('/').lower() for origin in config.origins.split()}

    def host_allowed(self, host: str | None) -> bool:
        """Whether the Host header names this server.

        A page of elsewhere can give its own name this server's address (DNS rebinding); then the
        name is here. Numbers cannot be rebound.
        """
        if host is None or HOST.fullmatch(host) is None:
            return False
        name = (urlsplit(f'//{host}').hostname or '').lower()
        known = {urlsplit(origin).hostname for origin in self._origins}
        if name in {'localhost', self._config.host.lower()} | known:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def origin_allowed(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this origin may connect.

        Args:
            origin: Header; browsers always send it, other programs may not.
            host: Header.
        """
        if origin is None:
            return True
        scheme = 'https' if self._config.certificate else 'http'
        return origin.lower() in {f'{scheme}://{host}'.lower()} | self._origins

    def login(self, address: str, token: str, now: float) -> bool:
        """Compare a token, unless its address has guessed too often.

        Args:
            address: Where it comes from.
            token: What it says.
            now: Seconds.
        """
        bucket = self._bucket(address, now)
        if not bucket.take(now):
            return False
        if not hmac.compare_digest(_digest(token), self._digest):
            return False
        # Only failures count: a page that reconnects on a bad link is welcome.
        self._failures.pop(address, None)
        return True

    def _bucket(self, address: str, now: float) -> TokenBucket:
        if address not in self._failures and len(self._failures) >= REMEMBERED:
            address = ''
        rate = self._config.failures_per_minute
        return self._failures.setdefault(address, TokenBucket(rate / 60, rate, now))


def _digest(token: str) -> bytes:
    """Digests have one length: the time of a comparison tells nothing of the token's."""
    return hashlib.sha256(token.encode()).digest()
