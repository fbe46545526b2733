"""Where the server listens and whom it lets in."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from s2e_core.config import check, option
from s2e_teleop.errors import TeleopError
from s2e_teleop.server.ice_servers import read_ice_servers

MIN_TOKEN = 12
"""Characters of a token that somebody chose."""


@dataclass(frozen=True)
class ServerConfig:
    """Address, access and bounds."""

    host: str = option('127.0.0.1', help='Address to listen on; 0.0.0.0 is every network.')
    port: int = option(8765, low=0, high=65535, help='Port; 0 takes a free one.')
    token: str = option('', help='Password of the page; empty makes one up and prints it.')
    certificate: str = option('', help='TLS certificate, PEM.')
    key: str = option('', help='TLS key, PEM.')
    insecure: bool = option(False, help='Allow other machines without TLS.')
    origins: str = option('', help='Further addresses of the page, such as https://robot.lan.')
    max_clients: int = option(8, low=1, high=64, help='Pages at a time.')
    # A page sends 20 commands, up to 30 confirmations and 2 to 10 pongs a second.
    message_rate: float = option(120.0, unit='Hz', low=30, high=1000, help='Messages of a page.')
    message_burst: int = option(60, low=10, high=1000, help='Messages saved up.')
    webrtc: str = option(
        'auto', choices=('auto', 'off'), help='Video and commands by WebRTC where it can be had.'
    )
    # Each has an encoder of its own: 65 ms of processor time a second at 640x480 and 20 Hz.
    webrtc_pages: int = option(2, low=1, high=64, help='Pages with WebRTC at a time.')
    ice_servers: str = option(
        '', help='STUN and TURN servers, such as turn:user:password@host:3478, or a YAML file '
        'with them; empty: none, only pages that reach this machine directly.'
    )
    failures_per_minute: float = option(6.0, low=1, high=60, help='Wrong tokens of an address.')

    def __post_init__(self) -> None:
        check(self, source='server')
        if self.token and len(self.token) < MIN_TOKEN:
            raise TeleopError(
                f'server: token must have {MIN_TOKEN} characters or more, got {len(self.token)}'
            )
        self.ice()
        if bool(self.certificate) != bool(self.key):
            raise TeleopError('server: certificate and key belong together; one is missing')
        if not self.certificate and not self.insecure and not is_loopback(self.host):
            raise TeleopError(
                f'server: host {self.host} is open to other machines: name certificate and key, '
                'or set insecure to true on a network whose every member may read the token'
            )

    def ice(self) -> list[dict[str, str]]:
        """Return the servers of ICE as browsers take them: urls, username, credential.

        Raises:
            TeleopError: One is no address of such a server.
            ConfigError: Their file breaks a rule.
        """
        return read_ice_servers(self.ice_servers)

    def tls(self) -> ssl.SSLContext | None:
        """Return the TLS context, or None without a certificate.

        Raises:
            TeleopError: The files cannot be used.
        """
        if not self.certificate:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(
                Path(self.certificate).expanduser(), Path(self.key).expanduser()
            )
        except (OSError, ssl.SSLError) as error:
            raise TeleopError(
                f'server: certificate {self.certificate} with key {self.key}: {error}'
            ) from error
        return context


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
