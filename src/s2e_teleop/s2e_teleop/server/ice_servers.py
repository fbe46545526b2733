"""STUN and TURN servers of WebRTC: for pages that cannot reach the robot directly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from s2e_core.config import check, from_yaml, option
from s2e_teleop.errors import TeleopError

ADDRESS = re.compile(
    r'(?P<scheme>(stun|turns?):)((?P<user>[^:@\s]+):(?P<password>[^@\s]+)@)?'
    r'(?P<host>[A-Za-z0-9.-]+(:[0-9]{1,5})?(\?transport=(udp|tcp))?)'
)
FILES = ('.yaml', '.yml')


@dataclass(frozen=True)
class IceServer:
    """One server, as a file names it."""

    url: str = option(help='Such as turn:relay.lan:3478; ?transport=tcp may follow.')
    user: str = option('', help='Of a TURN server.')
    credential: str = option('', help='Its password.')

    def __post_init__(self) -> None:
        check(self, source='ice server')


@dataclass(frozen=True)
class IceFile:
    """A file of servers."""

    servers: tuple[IceServer, ...] = option()


def read_ice_servers(text: str) -> list[dict[str, str]]:
    """Return servers as browsers take them: urls, username, credential.

    Args:
        text: Addresses separated by blanks, with user and password in them, or the path of a
            YAML file: what is in a file shows in no list of processes.

    Raises:
        TeleopError: One is no address of such a server.
        ConfigError: The file breaks a rule.
    """
    if text.strip().endswith(FILES):
        path = Path(text.strip()).expanduser()
        named = from_yaml(IceFile, path).servers
        return [_server(item.url, item.user, item.credential, str(path)) for item in named]
    return [_server(word, '', '', 'server: ice_servers') for word in text.split()]


def _server(url: str, user: str, credential: str, where: str) -> dict[str, str]:
    match = ADDRESS.fullmatch(url)
    if match is None:
        # Without what may be a password.
        shown = re.sub(r':[^:@\s]+@', ':...@', url)
        raise TeleopError(
            f'{where}: must be like stun:host:3478, turn:user:password@host:3478 or a YAML file, '
            f'got {shown!r:.120}'
        )
    user, credential = user or match['user'] or '', credential or match['password'] or ''
    if match['scheme'] != 'stun:' and not (user and credential):
        raise TeleopError(f'{where}: {match["scheme"]}{match["host"]} needs user and credential')
    return {
        'urls': match['scheme'] + match['host'], 'username': user, 'credential': credential,
    }
