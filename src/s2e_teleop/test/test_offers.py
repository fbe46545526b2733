"""Session descriptions from pages are foreign text: bounded, checked, never trusted."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2e_core.errors import ConfigError
from s2e_teleop.errors import ProtocolError, TeleopError
from s2e_teleop.protocol import MAX_MESSAGE, MAX_OFFER, Offer, parse
from s2e_teleop.server.config import ServerConfig

peer = pytest.importorskip(
    's2e_teleop.server.webrtc.peer', reason='no aiortc: pip install -r requirements/runtime.txt'
)
checked = peer.checked

GOOD = ('v=0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=candidate:1 1 udp 2 10.0.0.1 9 typ host',
        'a=end-of-candidates', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel')


def offer(size: int) -> str:
    """The text of an offer of so many bytes."""
    text = json.dumps({'type': 'offer', 'sdp': ''}, separators=(',', ':'))
    return text[:-2] + 'x' * (size - len(text)) + text[-2:]


def test_only_an_offer_may_be_long_and_it_has_a_bound():
    assert isinstance(parse(offer(MAX_OFFER)), Offer)
    with pytest.raises(ProtocolError, match=f'may have {MAX_OFFER} bytes'):
        parse(offer(MAX_OFFER + 1))
    seat = json.dumps({'type': 'seat', 'action': 'x' * MAX_MESSAGE})
    with pytest.raises(ProtocolError, match=f'may have {MAX_MESSAGE} bytes'):
        parse(seat)
    # A second type wins in JSON, but the length was judged by what the message became.
    double = offer(MAX_OFFER)[:-1] + ',"type":"seat"}'
    with pytest.raises(ProtocolError):
        parse(double[:MAX_OFFER])


def test_addresses_in_an_offer_are_dropped_unless_servers_of_ice_are_named():
    text = '\r\n'.join(GOOD)
    assert 'candidate' not in checked(text, remote_candidates=False)
    assert '10.0.0.1' in checked(text, remote_candidates=True)


@pytest.mark.parametrize('lines', [
    ('v=0',), (*GOOD, 'm=video 9 UDP/TLS/RTP/SAVPF 96'), (*GOOD, 'm=audio 9 RTP/AVP 0'), GOOD[:4],
    GOOD[-1:] * 2,
])
def test_an_offer_has_one_video_and_one_channel(lines):
    with pytest.raises(ProtocolError, match='one video and one channel'):
        checked('\n'.join(lines), remote_candidates=False)


@given(st.text(max_size=300))
def test_any_text_is_refused_or_bounded(text):
    try:
        result = checked(text, remote_candidates=False)
    except ProtocolError:
        return
    assert result.count('m=') >= 2 and len(result) <= 2 * len(text) + 2


@pytest.mark.parametrize('sdp', [
    '\r\n'.join(GOOD), 'v=0\r\n' + '\r\n'.join(GOOD[1::3]), '\r\n'.join(GOOD) + '\r\na=fmtp:96',
])
def test_an_offer_that_cannot_be_answered_closes_the_page_and_nothing_else(serve, sdp):
    served = serve()

    async def run():
        async with served.page() as page, served.page('other') as other:
            await page.take_seat()
            await page.drive()
            await page.send('offer', sdp=sdp)
            await page.until(lambda: page.socket.close_code)
            await other.until(lambda: other.states[-1]['driver'] is None)
            return page.socket.close_code, page.socket.close_reason

    code, reason = asyncio.run(run())
    assert code == 1008 and reason.startswith('offer: ')
    served.wait_for(lambda: served.robot.count('halt') == 1)
    assert served.failures == []


def test_servers_of_ice_are_read_with_their_passwords():
    plain, relay = ServerConfig(
        ice_servers='stun:10.0.0.1:3478 turn:ann:secret@relay.lan:3478?transport=tcp'
    ).ice()
    assert plain == {'urls': 'stun:10.0.0.1:3478', 'username': '', 'credential': ''}
    assert relay == {'urls': 'turn:relay.lan:3478?transport=tcp', 'username': 'ann',
                     'credential': 'secret'}
    with pytest.raises(TeleopError, match='https://x'):
        ServerConfig(ice_servers='stun:ok https://x')


def test_servers_of_ice_are_read_from_a_file_that_keeps_their_passwords(tmp_path):
    path = tmp_path / 'ice.yaml'
    path.write_text(
        'servers:\n  - {url: "stun:10.0.0.1:3478"}\n'
        '  - {url: "turn:relay.lan:3478", user: ann, credential: "a b@c"}\n'
    )
    plain, relay = ServerConfig(ice_servers=str(path)).ice()
    assert plain == {'urls': 'stun:10.0.0.1:3478', 'username': '', 'credential': ''}
    assert relay == {'urls': 'turn:relay.lan:3478', 'username': 'ann', 'credential': 'a b@c'}
    path.write_text('servers:\n  - {url: "turn:relay.lan:3478", user: ann}\n')
    with pytest.raises(TeleopError, match=r'ice\.yaml: turn:relay\.lan:3478 needs user'):
        ServerConfig(ice_servers=str(path))
    with pytest.raises(ConfigError, match='nowhere'):
        ServerConfig(ice_servers=str(tmp_path / 'nowhere.yaml'))
    with pytest.raises(TeleopError) as caught:
        ServerConfig(ice_servers='turn:ann:secret@no host')
    assert 'secret' not in str(caught.value)
