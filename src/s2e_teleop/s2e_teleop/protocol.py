"""The messages between page and robot, version 1: JSON texts up, JSON texts and JPEGs down.

Everything that comes from a page is untrusted: its size is bounded before it is parsed, each
field has a type and bounds, unknown kinds and fields are errors. docs/teleop.md has the table.
"""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import typing
from dataclasses import dataclass
from typing import Any

from s2e_core.config import check, option
from s2e_core.errors import ConfigError
from s2e_teleop.errors import ProtocolError

VERSION = 1
MAX_MESSAGE = 1024
"""Bytes of a message from the page; the longest legal one but an offer has about 350."""
MAX_OFFER = 8192
"""Bytes of an offer of WebRTC; Chromium's has about 1900."""
OFFER = '{"type":"offer",'
"""How a message begins that may be so long."""
FRAME_HEADER = struct.Struct('>4sIdHH')
"""Magic, number, time of capture on the robot's steady clock [ms], width, height."""
FRAME_MAGIC = b'S2EV'
_BIG = 2**53
"""JavaScript's numbers are whole up to here."""


@dataclass(frozen=True)
class Hello:
    """First message of a connection."""

    version: int = option(low=1, high=1000)
    token: str = option()
    name: str = option('')


@dataclass(frozen=True)
class Pong:
    """Answer to the robot's ping, with the page's clock."""

    id: int = option(low=0, high=_BIG)
    t: float = option(low=0, high=_BIG, unit='ms')


@dataclass(frozen=True)
class Drive:
    """Position of the stick, sent every 50 ms while the dead-man is held and once after."""

    seq: int = option(low=0, high=_BIG)
    t: float = option(low=0, high=_BIG, unit='ms')
    press: int = option(low=1, high=_BIG, help='Counts how often the dead-man was pressed.')
    held: bool = option()
    x: float = option(low=-1, high=1, help='Forward.')
    y: float = option(low=-1, high=1, help='Left: a turn.')
    side: float = option(
        0.0, low=-1, high=1, help='To the left without turning; only a holonomic base goes so.'
    )


@dataclass(frozen=True)
class Seat:
    """Take, ask for, hand over, or leave the driver's seat."""

    action: str = option(choices=('take', 'ask', 'grant', 'deny', 'leave'))


@dataclass(frozen=True)
class EmergencyStop:
    """Press or release the emergency stop."""

    pressed: bool = option()


@dataclass(frozen=True)
class Rearm:
    """A person allows motion again after a stop that waits for one."""


@dataclass(frozen=True)
class Halt:
    """Stop a drive to a goal."""


@dataclass(frozen=True)
class Limit:
    """Top speed the driver wants."""

    value: float = option(low=0.05, high=5, unit='m/s')


@dataclass(frozen=True)
class View:
    """What a page wants to see."""

    width: int = option(low=64, high=4096, unit='px', help='Widest picture that is of use.')
    modes: bool = option(False, help='Whether the policy is drawn.')
    video: bool = option(True, help='Whether pictures are sent.')


@dataclass(frozen=True)
class Shown:
    """A picture is on the screen."""

    frame: int = option(low=0, high=2**32 - 1)
    t: float = option(low=0, high=_BIG, unit='ms')


@dataclass(frozen=True)
class GoTo:
    """A goal, as a point of a picture in shares of its width and height."""

    u: float = option(low=0, high=1)
    v: float = option(low=0, high=1)


@dataclass(frozen=True)
class CardAnswer:
    """Answer to a study's card: begin the run, end the practice, let autonomy go on, count."""

    card: int = option(low=0, high=_BIG)
    action: str = option(choices=('start', 'enough', 'resume', 'touched', 'end'))


@dataclass(frozen=True)
class Load:
    """A study's form, NASA-TLX; `study.workload` has the questions."""

    card: int = option(low=0, high=_BIG)
    mental: int = option(low=0, high=100)
    physical: int = option(low=0, high=100)
    temporal: int = option(low=0, high=100)
    performance: int = option(low=0, high=100)
    effort: int = option(low=0, high=100)
    frustration: int = option(low=0, high=100)


@dataclass(frozen=True)
class Offer:
    """A page asks for WebRTC; an empty description ends it."""

    sdp: str = option(help='Session description, RFC 8866.')


@dataclass(frozen=True)
class Streamed:
    """Pictures of the WebRTC stream are on the screen."""

    rtp: int = option(low=0, high=2**32 - 1, help='RTP time of the newest.')
    t: float = option(low=0, high=_BIG, unit='ms')
    frames: int = option(low=1, high=1000, help='How many since the last report.')


Message = (
    Hello | Pong | Drive | Seat | EmergencyStop | Rearm | Halt | Limit | View | Shown | GoTo
    | CardAnswer | Load | Offer | Streamed
)
KINDS: dict[str, type[Any]] = {
    'hello': Hello, 'pong': Pong, 'drive': Drive, 'seat': Seat, 'e_stop': EmergencyStop,
    'rearm': Rearm, 'halt': Halt, 'limit': Limit, 'view': View, 'shown': Shown, 'goto': GoTo,
    'card': CardAnswer, 'load': Load,
    'offer': Offer, 'streamed': Streamed,
}
TEXT_LIMITS = {'token': 128, 'name': 32}


def parse(text: str | bytes) -> Message:
    """Read a message from a page.

    Raises:
        ProtocolError: Too long, not JSON, unknown kind or field, wrong type, or out of bounds.
    """
    if isinstance(text, bytes):
        raise ProtocolError('a message must be text, got bytes')
    size, allowed = len(text), MAX_OFFER if text.startswith(OFFER) else MAX_MESSAGE
    if size > allowed:
        raise ProtocolError(f'a message may have {allowed} bytes, got {size}')
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f'a message must be JSON: {error}') from error
    if not isinstance(data, dict):
        raise ProtocolError(f'a message must be an object, got {type(data).__name__}')
    kind = data.pop('type', None)
    cls = KINDS.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise ProtocolError(f'type must be one of {", ".join(KINDS)}, got {kind!r:.40}')
    return _build(kind, cls, data)


def _build(kind: str, cls: type[Any], data: dict[str, Any]) -> Message:
    hints = typing.get_type_hints(cls)
    values = {}
    for field in dataclasses.fields(cls):
        if field.name not in data:
            if field.default is dataclasses.MISSING:
                raise ProtocolError(f'{kind}: {field.name} is missing')
            continue
        values[field.name] = _value(f'{kind}: {field.name}', hints[field.name],
                                    data.pop(field.name))
    if data:
        raise ProtocolError(f'{kind}: unknown field {next(iter(data))!r:.40}')
    message = cls(**values)
    try:
        check(message, source=kind)
    except ConfigError as error:
        raise ProtocolError(f'{error!s:.200}') from error
    return message


def _value(where: str, kind: type, value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > _BIG:
            raise ProtocolError(f'{where} is out of range')
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ProtocolError(f'{where} must be {kind.__name__}, got {type(value).__name__}')
    limit = TEXT_LIMITS.get(where.rpartition(' ')[2])
    if isinstance(value, str) and limit is not None and len(value) > limit:
        raise ProtocolError(f'{where} may have {limit} characters, got {len(value)}')
    if isinstance(value, float) and not math.isfinite(value):
        raise ProtocolError(f'{where} must be finite')
    return value


def _refuse_constant(text: str) -> Any:
    raise ValueError(f'{text} is no number')


def encode(kind: str, **values: Any) -> str:
    """Write a message to a page; numbers that are not finite become null."""
    return json.dumps({'type': kind, **_finite(values)}, separators=(',', ':'))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def encode_frame(number: int, capture: float, width: int, height: int, jpeg: bytes) -> bytes:
    """Write a picture.

    Args:
        number: Counts pictures, modulo 2^32.
        capture: Robot's steady clock, seconds.
        width: Pixels.
        height: Pixels.
        jpeg: The file's bytes.
    """
    head = FRAME_HEADER.pack(FRAME_MAGIC, number % 2**32, capture * 1e3, width, height)
    return head + jpeg
