"""The server with a real WebSocket client: who gets in, and what is turned away."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import struct
import subprocess
import urllib.error
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from s2e_teleop.errors import TeleopError
from s2e_teleop.link import LinkProfile
from s2e_teleop.server.access import Access
from s2e_teleop.server.config import ServerConfig
from s2e_teleop.server.server import TeleopServer


def get(served, path, **headers):
    request = urllib.request.Request(f'http://{served.address}{path}', headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, dict(answer.headers), answer.read()


def test_the_page_is_served_with_headers_that_keep_others_out(serve):
    served = serve()
    for path, kind in (('/', 'text/html'), ('/teleop.js', 'text/javascript'),
                       ('/input.js', 'text/javascript'), ('/teleop.css', 'text/css')):
        status, headers, body = get(served, path)
        assert status == 200 and headers['Content-Type'].startswith(kind) and body
        assert "default-src 'none'" in headers['Content-Security-Policy']
        assert headers['X-Content-Type-Options'] == 'nosniff'
        assert b'http://' not in body and b'https://' not in body, 'nothing is loaded from afar'
    for path in ('/../conftest.py', '/index.html', '/favicon.ico', '/teleop.js/'):
        with pytest.raises(urllib.error.HTTPError, match='404'):
            get(served, path)


def test_a_name_that_was_rebound_to_this_address_is_turned_away(serve):
    served = serve()
    for host in ('evil.example', 'evil.example:80', 'a b', '127.0.0.1.evil.example'):
        with pytest.raises(urllib.error.HTTPError, match='421'):
            get(served, '/', Host=host)
    assert get(served, '/', Host='localhost:1')[0] == 200


@pytest.mark.parametrize('origin', [
    'http://evil.example', 'https://127.0.0.1', 'http://127.0.0.1', 'null',
])
def test_a_forged_origin_is_refused_before_anything_is_read(serve, origin):
    served = serve()

    async def run():
        with pytest.raises(InvalidStatus, match='403'):
            async with served.page(origin=origin):
                pass

    asyncio.run(run())


def test_a_wrong_token_is_told_and_guessing_is_slowed_down(serve):
    served = serve(failures_per_minute=3.0)

    async def attempt(token):
        async with served.page(token=token) as page:
            await page.until(lambda: page.welcome or page.socket.close_code)
            return page.socket.close_code

    async def run():
        codes = [await attempt('wrong') for _ in range(3)]
        # Even the right token waits now: the fourth try of a minute is not compared.
        return [*codes, await attempt(served.token)]

    assert asyncio.run(run()) == [4401] * 4
    assert served.robot.named('drive') == []


def test_the_first_message_must_be_hello(serve):
    served = serve()

    async def first(text):
        async with connect(f'ws://{served.address}/socket') as page:
            await page.send(text)
            await page.wait_closed()
            return page.close_code

    async def run():
        drive = json.dumps({'type': 'drive', 'seq': 1, 't': 0, 'press': 1, 'held': True,
                            'x': 1, 'y': 0})
        old = json.dumps({'type': 'hello', 'version': 9, 'token': served.token})
        return [await first(text) for text in (drive, 'no json', b'\x00', old)]

    assert asyncio.run(run()) == [1008, 1008, 1008, 4400]


def test_ten_megabytes_are_refused_at_their_header(serve):
    served = serve()

    async def run():
        async with served.page() as page:
            await page.take_seat()
            await page.drive()
            # Final text frame, masked, of 10 MB by its header; the bytes themselves never come.
            page.socket.transport.write(struct.pack('>BBQ', 0x81, 0xFF, 10_000_000))
            await page.socket.wait_closed()
            return page.socket.close_code

    assert asyncio.run(run()) == 1009
    served.wait_for(lambda: served.robot.count('halt') == 1)
    assert served.failures == []


def test_too_many_pages_are_turned_away(serve):
    served = serve(max_clients=2)

    async def run():
        async with served.page() as one, served.page() as two:
            await one.until(lambda: one.welcome)
            await two.until(lambda: two.welcome)
            with pytest.raises(InvalidStatus, match='503'):
                async with served.page():
                    pass

    asyncio.run(run())


def test_a_port_in_use_is_a_clear_error():
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        holder.listen()
        port = holder.getsockname()[1]
        server = TeleopServer(ServerConfig(port=port), LinkProfile(), lambda: None, print)
        with pytest.raises(TeleopError, match=f'cannot listen on 127.0.0.1:{port}'):
            server.start()


def test_other_machines_need_tls_or_a_word():
    with pytest.raises(TeleopError, match='open to other machines'):
        ServerConfig(host='0.0.0.0')
    assert ServerConfig(host='::1').token == ''
    assert ServerConfig(host='192.168.1.5', insecure=True).insecure
    with pytest.raises(TeleopError, match='belong together'):
        ServerConfig(certificate='x.pem')
    with pytest.raises(TeleopError, match='12 characters'):
        ServerConfig(token='short')
    with pytest.raises(TeleopError, match=r'no\.pem'):
        ServerConfig(certificate='no.pem', key='no.pem').tls()


def test_a_token_is_made_up_and_never_twice():
    first, second = Access(ServerConfig()), Access(ServerConfig())
    assert len(first.token) >= 20 and first.token != second.token
    assert first.login('a', first.token, 0.0) and not first.login('a', second.token, 0.0)


def test_origins_that_were_named_may_connect():
    access = Access(ServerConfig(origins='https://robot.lan/ http://10.0.0.2:80'))
    assert access.origin_allowed('https://robot.lan', '127.0.0.1:8765')
    assert access.host_allowed('robot.lan') and not access.host_allowed('other.lan')
    assert not access.origin_allowed('https://robot.lan.evil', '127.0.0.1:8765')


def test_the_address_that_is_printed_opens_the_page(serve):
    served = serve(host='0.0.0.0', insecure=True)
    assert served.server.url.startswith(f'http://127.0.0.1:{served.server.port}/#token=')
    with urllib.request.urlopen(served.server.url.partition('#')[0], timeout=10) as answer:
        assert b'<title>Drive</title>' in answer.read()


@pytest.mark.skipif(shutil.which('openssl') is None, reason='no openssl to make a certificate')
def test_with_a_certificate_everything_is_encrypted(serve, tmp_path):
    key, certificate = tmp_path / 'key.pem', tmp_path / 'certificate.pem'
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
         '-nodes', '-subj', '/CN=robot', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2',
         '-keyout', key, '-out', certificate], check=True, capture_output=True,
    )
    served = serve(certificate=str(certificate), key=str(key), host='0.0.0.0')
    trust = ssl.create_default_context(cafile=certificate)

    async def run():
        address = f'wss://{served.address}/socket'
        origin = f'https://{served.address}'
        async with connect(address, ssl=trust, origin=origin) as socket_:
            await socket_.send(json.dumps(
                {'type': 'hello', 'version': 1, 'token': served.token, 'name': ''}
            ))
            assert json.loads(await socket_.recv())['type'] == 'welcome'
        with pytest.raises(InvalidStatus, match='403'):
            async with connect(address, ssl=trust, origin=f'http://{served.address}'):
                pass

    asyncio.run(run())
    with pytest.raises(OSError, match=r'closed|reset|timed out|Remote end'):
        get(served, '/')
