"""What a page may say: everything legal passes, everything else is one clear error."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_teleop.errors import ProtocolError
from s2e_teleop.protocol import (
    MAX_MESSAGE,
    Drive,
    Hello,
    Rearm,
    Shown,
    encode,
    encode_frame,
    parse,
)

DRIVE = {'type': 'drive', 'seq': 3, 't': 12.5, 'press': 1, 'held': True, 'x': 0.5, 'y': -1}


def test_a_drive_message_is_read_whole_numbers_count_as_numbers():
    assert parse(json.dumps(DRIVE)) == Drive(3, 12.5, 1, True, 0.5, -1.0)
    assert parse('{"type":"rearm"}') == Rearm()
    assert parse('{"type":"hello","version":1,"token":"x"}') == Hello(1, 'x', '')
    assert parse('{"type":"shown","frame":4294967295,"t":0}') == Shown(2**32 - 1, 0.0)


@pytest.mark.parametrize(
    ('change', 'word'),
    [
        ({'x': 1.01}, 'x must be in -1..1'),
        ({'x': True}, 'x must be float'),
        ({'x': '1'}, 'x must be float'),
        ({'x': 10**400}, 'out of range'),
        ({'seq': 1.0}, 'seq must be int'),
        ({'seq': -1}, 'seq must be in'),
        ({'seq': 2**60}, 'seq must be in'),
        ({'press': 0}, 'press must be in'),
        ({'held': 1}, 'held must be bool'),
        ({'more': 1}, 'unknown field'),
        ({'type': 'shutdown'}, 'type must be one of'),
        ({'type': ['drive']}, 'type must be one of'),
        ({'type': None}, 'type must be one of'),
    ],
)
def test_what_breaks_a_rule_is_named(change, word):
    with pytest.raises(ProtocolError, match=word):
        parse(json.dumps({**DRIVE, **change}))


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('', 'must be JSON'), ('[]', 'must be an object'), ('nul', 'must be JSON'),
        ('[' * 900, 'must be JSON'), ('{"type":"drive","x":NaN}', 'no number'),
        ('{"type":"drive"}', 'seq is missing'), (' ' * (MAX_MESSAGE + 1), 'may have 1024 bytes'),
        (b'{}', 'must be text'),
        ('{"type":"hello","version":1,"token":"%s"}' % ('x' * 129), 'may have 128 characters'),
        ('{"type":"seat","action":"steal"}', 'action must be one of'),
    ],
)
def test_what_is_no_message_is_refused(text, word):
    with pytest.raises(ProtocolError, match=word):
        parse(text)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_wild_input_gives_one_kind_of_error(data):
    with pytest.raises(ProtocolError):
        parse(data)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
NAMES = st.sampled_from(['seq', 't', 'press', 'held', 'x', 'y', 'width', 'id', 'token', 'action'])


@given(
    st.sampled_from(['drive', 'hello', 'view', 'pong', 'seat', 'goto', 'limit', 'e_stop']),
    st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=2), max_size=8),
)
def test_wild_fields_give_a_message_in_bounds_or_one_kind_of_error(kind, fields):
    try:
        message = parse(json.dumps({'type': kind, **fields}))
    except ProtocolError as error:
        message = str(error)
    if isinstance(message, str):
        assert len(message) < 400
    if isinstance(message, Drive):
        assert -1 <= message.x <= 1 and -1 <= message.y <= 1 and message.press >= 1


def test_numbers_that_are_not_finite_become_null():
    text = encode('state', a=float('nan'), b=[float('inf'), 1.5], c={'d': (1, float('-inf'))})
    assert json.loads(text) == {
        'type': 'state', 'a': None, 'b': [None, 1.5], 'c': {'d': [1, None]}
    }


def test_a_frame_is_a_header_of_20_bytes_and_the_file():
    data = encode_frame(2**32 + 7, 1.5, 640, 480, b'\xff\xd8jpeg')
    assert struct.unpack('>4sIdHH', data[:20]) == (b'S2EV', 7, 1500.0, 640, 480)
    assert data[20:] == b'\xff\xd8jpeg'
